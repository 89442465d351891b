import {setTimeout as sleep} from 'node:timers/promises'
import {formatRef} from '#shared/model/object-ref.ts'
import type {AgentContext} from './agent-context.ts'
import {AppFailure} from './app-failure.ts'
import type {AppState} from './app-state.ts'
import {listSome} from './list-some.ts'
import {healthSeen} from './note-end.ts'
import type {PlannedObject} from './plan-objects.ts'
import {setCondition} from './set-condition.ts'

/** How long an object may stay Failed before a wait ends by it: a controller may call failed what it goes on to try. */
export const FAILED_GRACE_MS = 10_000
const SHOWN = 3

/**
 * Waits until objects are healthy, for what comes after them. Returns early where `signal` ends. Throws `AppFailure` UNHEALTHY after
 * `timeoutSeconds`, or where one stays failed.
 */
export async function awaitHealth(
  ctx: AgentContext,
  app: AppState,
  objects: readonly PlannedObject[],
  {what, timeoutSeconds, signal}: {what: string; timeoutSeconds: number; signal: AbortSignal},
): Promise<void> {
  const begun = performance.now()
  let failedSince: number | undefined
  while (!signal.aborted && !ctx.signal.aborted) {
    const waiting = objects.filter(({key}) => healthSeen(ctx, app, key)?.health !== 'Current')
    if (waiting.length === 0) return
    const message = listSome(waiting, SHOWN, (object) => `${formatRef(object.ref)}: ${reasonOf(ctx, app, object)}`)
    const now = performance.now()
    const failed = waiting.some(({key}) => healthSeen(ctx, app, key)?.health === 'Failed')
    failedSince = failed ? (failedSince ?? now) : undefined
    if (now - begun > timeoutSeconds * 1000) {
      throw new AppFailure('UNHEALTHY', `${what}: not healthy within ${timeoutSeconds} s: ${message}`)
    }
    if (failedSince !== undefined && now - failedSince > FAILED_GRACE_MS) {
      throw new AppFailure('UNHEALTHY', `${what}: ${message}`)
    }
    setCondition(ctx, app, 'Unknown', 'Progressing', `${what} waits for ${message}`)
    await sleep(20)
  }
}

function reasonOf(ctx: AgentContext, app: AppState, {key}: PlannedObject): string {
  return healthSeen(ctx, app, key)?.healthReason ?? 'is not there'
}
