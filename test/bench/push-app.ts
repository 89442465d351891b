import type {JournalEvent} from '#shared/model/journal-event.ts'
import type {JsonObject} from '#shared/model/manifest.ts'
import type {BenchStack} from './bench-stack.ts'
import {asFile} from './fleet.ts'

export type PushedApp = 'small' | 'large' | 'huge'

/** A push under way. Times are `Date.now()`. */
export interface Push {
  /** When the `git push` process was started. */
  startedAt: number
  /** When an event of the pushed commit was logged. */
  at(event: 'verified' | 'applied' | 'healthy'): Promise<number>
}

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
  }
}
