import {randomUUID} from 'node:crypto'
import type {JournalEvent, JournalEventName} from '#shared/model/journal-event.ts'
import type {JsonObject} from '#shared/model/manifest.ts'
import type {BenchStack} from './bench-stack.ts'
import {asFile, configMap} from './fleet.ts'

export type PushedApp = 'small' | 'large' | 'huge'

/** A push under way. Times are `Date.now()`. */
export interface Push {
  /** When the `git push` process was started. */
  startedAt: number
  /** When an event of the pushed commit was logged. */
  at(event: 'verified' | 'applied' | 'healthy'): Promise<number>
  /** Milliseconds from its start to each stage that was logged so far. */
  stages(): [stage: JournalEventName, milliseconds: number][]
}

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

const LIMIT_MS = 300_000

/** Commits an app's objects and starts to push them; resolves when `git push` has ended. */
export async function pushApp(
  bench: Pick<BenchStack, 'events' | 'workspace'>,
  app: PushedApp,
  objects: readonly JsonObject[],
  message: string,
): Promise<Push> {
  await bench.workspace.write(`${app}/app.yaml`, asFile(objects))
  return pushCommit(bench, app, message)
}

/** Leaves one ConfigMap of an app, another one each time, and waits until the rest is gone. */
export async function emptyApp(bench: Pick<BenchStack, 'events' | 'workspace'>, app: PushedApp): Promise<void> {
  const push = await pushApp(bench, app, [configMap('placeholder', randomUUID())], `Empty ${app}`)
  await push.at('healthy')
}

/** Commits what was written and starts to push it, as `pushApp` does. */
export async function pushCommit(
  {events, workspace}: Pick<BenchStack, 'events' | 'workspace'>,
  app: PushedApp,
  message: string,
): Promise<Push> {
  await workspace.git('add', '--all')
  await workspace.git('commit', '--quiet', '--allow-empty', '--message', message)
  const commit = (await workspace.git('rev-parse', 'HEAD')).trim()
  const since = events.mark()
  const startedAt = Date.now()
  await workspace.git('push', '--quiet', 'origin', 'HEAD')
  return {
    startedAt,
    async at(name) {
      const isIt = (seen: JournalEvent): boolean =>
        seen.event === name && seen.app === app && seen.revision?.endsWith(commit) === true
      const event = await events.waitFor(`app ${app} is ${name}`, isIt, {since, timeoutMilliseconds: LIMIT_MS})
      return Date.parse(event.at)
    },
    stages() {
      // One push is under way at a time; of what is told of apps, only the pushed one's counts.
      const recent = events.all().slice(since)
      return stages.flatMap((stage): [JournalEventName, number][] => {
        const event = recent.find((seen) => seen.event === stage && (seen.app === undefined || seen.app === app))
        return event === undefined ? [] : [[stage, Date.parse(event.at) - startedAt]]
      })
    },
  }
}
