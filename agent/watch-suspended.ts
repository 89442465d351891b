import type {AgentContext} from './agent-context.ts'
import type {AppState} from './app-state.ts'
import {handleDrift} from './heal-drift.ts'
import {loadBundle} from './load-bundle.ts'
import {endWaiting, judgeAll, judgeApp} from './track-health.ts'

/**
 * Looks at a suspended app without touching it: what it wants is loaded and verified, so that other apps know of it; what it applied is
 * followed, and drift and health are told.
 */
export async function watchSuspended(ctx: AgentContext, app: AppState): Promise<void> {
  const {target} = app
  endWaiting(app, 'due')
  const former = app.bundle
  if (target?.state === 'present') {
    await ctx.loads
      .run(() => loadBundle(ctx, app, target))
      .finally(() => {
        if (app.target === target) app.loaded()
      })
  }
  // Of several that come while it is suspended, the first found one that was applied.
  if (app.bundle?.content !== former?.content) app.left ??= former
  for (const {ref, version} of [...app.inventory.values()]) {
    const type = await ctx.discovery.find(version, ref.kind)
    if (type !== undefined) await ctx.live.follow(type)
  }
  for (const key of [...app.inventory.keys()]) handleDrift(ctx, app, key)
  // What is not applied yet is not to be missed.
  if (target?.state !== 'present' || app.revision !== target.revision) return
  judgeAll(ctx, app)
  judgeApp(ctx, app)
}
