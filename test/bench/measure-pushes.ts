import {childObject} from '#shared/model/manifest.ts'
import type {BenchStack} from './bench-stack.ts'
import {configMapType} from './bench-types.ts'
import {smallApp} from './fleet.ts'
import {pushApp} from './push-app.ts'
import {type Summary, summarise, summariseByName} from './statistics.ts'
import {watchObjects} from './watch-objects.ts'

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
  const visible: number[] = []
  const fromReceipt: number[] = []
  const stages: [string, number][][] = []
  const watch = await watchObjects(bench.client, configMapType, {namespace: 'small', detail: 'whole'})
  try {
    for (let round = 0; round < pushes; round++) {
      const value = `value-${round}-${Date.now()}`
      const appeared = watch.expect(`push ${round}`, ({object}) => childObject(object, 'data')?.value === value)
      const push = await pushApp(bench, 'small', smallApp(value), value)
      const appearedAt = await appeared
      await push.at('healthy')
      visible.push(appearedAt - push.startedAt)
      const ofPush = push.stages()
      stages.push(ofPush)
      for (const [stage, ms] of ofPush) if (stage === 'received') fromReceipt.push(appearedAt - push.startedAt - ms)
    }
  } finally {
    await watch.stop()
  }
  return {
    pushToVisible: summarise(visible),
    receivedToVisible: summarise(fromReceipt),
    stages: summariseByName(stages),
  }
}
