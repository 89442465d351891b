import type {JournalEvent, JournalEventName} from '#shared/model/journal-event.ts'
import {childObject} from '#shared/model/manifest.ts'
import type {BenchStack} from './bench-stack.ts'
import {configMapType} from './bench-types.ts'
import {smallApp} from './fleet.ts'
import {pushApp} from './push-app.ts'
import {type Summary, summarise} from './statistics.ts'
import {watchObjects} from './watch-objects.ts'

const stages = [
  'received',
  'rendered',
  'signed',
  'published',
  'pulled',
  'verified',
  'applied',
  'healthy',
] as const satisfies readonly JournalEventName[]

export interface PushFigures {
  /** Milliseconds from the start of the `git push` process until the API server's watch shows the new value. */
  pushToVisible: Summary
  /** Milliseconds from the webhook's receipt until the same. */
  receivedToVisible: Summary
  /** Milliseconds from the start of `git push` to each stage. */
  stages: Record<string, Summary>
}

/** Pushes one changed value of the 10-object app again and again and measures each stage. */
export async function measurePushes(bench: BenchStack, pushes: number): Promise<PushFigures> {
  const {events, client} = bench
  const visible: number[] = []
  const fromReceipt: number[] = []
  const byStage = new Map<string, number[]>(stages.map((stage) => [stage, []]))
  const watch = await watchObjects(client, configMapType, {namespace: 'small', detail: 'whole'})
  try {
    for (let round = 0; round < pushes; round++) {
      const value = `value-${round}-${Date.now()}`
      const appeared = watch.expect(`push ${round}`, ({object}) => childObject(object, 'data')?.value === value)
      const since = events.mark()
      const push = await pushApp(bench, 'small', smallApp(value), value)
      const appearedAt = await appeared
      await push.at('healthy')
      visible.push(appearedAt - push.startedAt)
      const recent = events.all().slice(since)
      for (const stage of stages) {
        const event = recent.find((seen) => seen.event === stage && isOfPush(seen, stage))
        if (event === undefined) continue
        byStage.get(stage)?.push(Date.parse(event.at) - push.startedAt)
        if (stage === 'received') fromReceipt.push(appearedAt - Date.parse(event.at))
      }
    }
  } finally {
    await watch.stop()
  }
  const summaries = [...byStage]
    .filter(([, samples]) => samples.length > 0)
    .map(([stage, samples]) => [stage, summarise(samples)] as const)
  return {
    pushToVisible: summarise(visible),
    receivedToVisible: summarise(fromReceipt),
    stages: Object.fromEntries(summaries),
  }
}

/** One push is under way at a time; of what is told of apps, only the pushed one's counts. */
function isOfPush({app}: JournalEvent, stage: JournalEventName): boolean {
  return stage === 'received' || app === undefined || app === 'small'
}
