import type {ResourceType} from '#agent/kube/kube-client.ts'
import type {JournalEvent, JournalEventName} from '#shared/model/journal-event.ts'
import type {BenchStack} from './bench-stack.ts'
import {asFile, smallApp} from './fleet.ts'
import {type Summary, summarise} from './statistics.ts'

const CONFIG_MAPS: ResourceType = {group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true}
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
  pushes: number
  /** Milliseconds from the start of the `git push` process until the API server's watch shows the new value. */
  pushToVisible: Summary
  /** Milliseconds from the webhook's receipt until the same. */
  receivedToVisible: Summary
  /** Milliseconds from the start of `git push` to each stage. */
  stages: Record<string, Summary>
}

/** Pushes one changed value of the 10-object app again and again and measures each stage. */
export async function measurePushes({events, workspace, client}: BenchStack, pushes: number): Promise<PushFigures> {
  const visible: number[] = []
  const fromReceipt: number[] = []
  const byStage = new Map<string, number[]>(stages.map((stage) => [stage, []]))
  const stopWatching = new AbortController()
  const seen = new Map<string, () => void>()
  const {resourceVersion} = await client.list(CONFIG_MAPS, {namespace: 'small', detail: 'metadata'})
  const watching = client.watch(
    CONFIG_MAPS,
    {namespace: 'small', detail: 'whole', resourceVersion, signal: stopWatching.signal},
    ({object}) => {
      const data: unknown = 'data' in object ? object.data : undefined
      const value = typeof data === 'object' && data !== null && 'value' in data ? String(data.value) : ''
      seen.get(value)?.()
    },
    () => undefined,
  )
  try {
    for (let push = 0; push < pushes; push++) {
      const value = `value-${push}-${Date.now()}`
      await workspace.write('small/app.yaml', asFile(smallApp(value)))
      const appeared = new Promise<number>((resolve) => seen.set(value, () => resolve(Date.now())))
      const since = events.mark()
      await workspace.git('commit', '--quiet', '--all', '--message', value)
      const commit = (await workspace.git('rev-parse', 'HEAD')).trim()
      const start = Date.now()
      const pushed = workspace.git('push', '--quiet', 'origin', 'HEAD')
      const isOurs = (event: JournalEvent): boolean =>
        event.app === 'small' && event.revision?.endsWith(commit) === true
      await events.waitFor(`push ${push} is healthy`, (event) => event.event === 'healthy' && isOurs(event), {
        since,
        timeoutMilliseconds: 60_000,
      })
      const appearedAt = await appeared
      await pushed
      visible.push(appearedAt - start)
      const recent = events.all().slice(since)
      const received = recent.find((event) => event.event === 'received' && event.commit === commit)
      if (received !== undefined) fromReceipt.push(appearedAt - Date.parse(received.at))
      for (const stage of stages) {
        const event =
          stage === 'received'
            ? received
            : recent.find(
                (candidate) =>
                  candidate.event === stage &&
                  (isOurs(candidate) || (stage === 'pulled' && candidate.cluster === 'bench')),
              )
        if (event !== undefined) byStage.get(stage)?.push(Date.parse(event.at) - start)
      }
    }
  } finally {
    stopWatching.abort()
    await watching.catch(() => undefined)
  }
  const summaries = [...byStage]
    .filter(([, samples]) => samples.length > 0)
    .map(([stage, samples]) => [stage, summarise(samples)] as const)
  return {
    pushes,
    pushToVisible: summarise(visible),
    receivedToVisible: summarise(fromReceipt),
    stages: Object.fromEntries(summaries),
  }
}
