import {setTimeout as sleep} from 'node:timers/promises'
import type {AgentContext} from './agent-context.ts'
import {AppFailure} from './app-failure.ts'
import {unknownKind} from './apply-objects.ts'
import type {PlannedObject} from './plan-objects.ts'

/** Waits until the kinds of objects are served that something else brings, such as an operator of an earlier stage. Throws `AppFailure` APPLY_FAILED. */
export async function awaitKinds(
  ctx: Pick<AgentContext, 'discovery' | 'live' | 'signal'>,
  objects: readonly PlannedObject[],
  {timeoutSeconds, signal}: {timeoutSeconds: number; signal: AbortSignal},
): Promise<void> {
  const giveUpAt = performance.now() + timeoutSeconds * 1000
  for (const object of objects) {
    if (object.type !== undefined) continue
    let found = await ctx.discovery.find(object.apiVersion, object.ref.kind)
    while (found === undefined) {
      if (signal.aborted || ctx.signal.aborted) return
      if (performance.now() > giveUpAt) throw new AppFailure('APPLY_FAILED', unknownKind(object))
      await sleep(200)
      found = await ctx.discovery.find(object.apiVersion, object.ref.kind)
    }
    object.type = found
    await ctx.live.follow(found)
  }
}
