import type {RemovedApp} from '#shared/model/desired-state.ts'
import {formatRef} from '#shared/model/object-ref.ts'
import {type AgentContext, keepEntry} from './agent-context.ts'
import {type AppState, impersonatedUser} from './app-state.ts'
import {awaitGone} from './await-gone.ts'
import {type PruneResult, pruneObjects} from './prune-objects.ts'
import {requestReconcile} from './request-reconcile.ts'
import {requireInventory} from './restore-inventory.ts'
import {removeInventory, saveInventory} from './save-inventory.ts'
import {setCondition} from './set-condition.ts'
import {tellPruned} from './tell-changes.ts'
import {tellEvent} from './tell-event.ts'
import {endWaiting} from './track-health.ts'

/**
 * Takes an app from the cluster that was removed from git: deletes what its inventory holds, or only forgets it where the app asked
 * for that. What other apps want now stays. Says so once; a tombstone of an app that is gone already does nothing.
 */
export async function removeApp(
  ctx: AgentContext,
  app: AppState,
  target: RemovedApp,
  signal: AbortSignal,
): Promise<void> {
  endWaiting(app, 'due')
  await requireInventory(ctx, app)
  if (app.inventory.size === 0) {
    if (app.bundle !== undefined || app.unsaved) await finish(ctx, app)
    return
  }
  await ctx.acceptance
  let result: PruneResult = {pruned: [], retained: [], finalizing: 0}
  const options = {...impersonatedUser(app), purpose: 'removal', propagation: 'Background'} as const
  if (target.deletionPolicy !== 'Orphan') {
    await Promise.all([...ctx.apps.values()].map((other) => (other === app ? undefined : other.loading)))
    for (const {ref, version} of app.inventory.values()) {
      const type = await ctx.discovery.find(version, ref.kind)
      if (type !== undefined) await ctx.live.follow(type)
    }
    app.bundle = undefined
    // Added again, it is told like anything new, whatever is left of it by then.
    app.revision = undefined
    app.verifiedRevision = undefined
    if (app.firstInstall !== 'open') {
      app.firstInstall = 'open'
      await saveInventory(ctx, app)
    }
    const entries = target.deletionPolicy === 'WaitForTermination' ? new Map(app.inventory) : undefined
    result = await pruneObjects(ctx, app, [...app.inventory.keys()], signal, options)
    const left = entries === undefined ? [] : await awaitGone(ctx, result.pruned, signal)
    for (const key of left) {
      const entry = entries?.get(key)
      if (entry !== undefined) keepEntry(ctx, app, key, entry)
    }
    if (signal.aborted) return
    tellPruned(ctx, app, result)
    const [first] = result.retained
    if (first !== undefined) {
      await saveInventory(ctx, app)
      const goes = result.retained.every(({code}) => code === 'DELETING' || code === 'STAGE')
      const message = `${formatRef(first.ref)}: ${first.reason}`
      setCondition(ctx, app, goes ? 'Unknown' : 'False', goes ? 'Progressing' : 'PruneFailed', message)
      requestReconcile(ctx, app, 'soon')
      return
    }
    const going = Math.max(left.length, result.finalizing)
    if (going > 0) {
      await saveInventory(ctx, app)
      setCondition(ctx, app, 'Unknown', 'Progressing', `waits until ${going} deleted object(s) are gone`)
      requestReconcile(ctx, app, 'soon')
      return
    }
  }
  await finish(ctx, app)
  const what = target.deletionPolicy !== 'Orphan' ? `${result.pruned.length} object(s) deleted` : 'its objects stay'
  tellEvent(ctx, app, {event: 'removed', at: ctx.ports.clock.now(), message: `removed from git: ${what}`})
}

async function finish(ctx: AgentContext, app: AppState): Promise<void> {
  // Before the inventory, without which nothing would look for it again; a write of it that failed may have arrived.
  await app.remembering.then(() => ctx.healthy.remove(app.name))
  await removeInventory(ctx, app)
  app.healthy = undefined
  app.isHealthyKept = false
  app.rolledBack = undefined
  for (const key of app.inventory.keys()) if (ctx.owners.get(key) === app) ctx.owners.delete(key)
  app.inventory.clear()
  app.unsaved = false
  app.firstInstall = 'open'
  app.serviceAccount = undefined
  app.bundle = undefined
  app.revision = undefined
  app.verifiedRevision = undefined
  app.healthyRevision = undefined
  app.toldProblems.clear()
  app.toldNotice = undefined
  app.uncleared.clear()
  app.awaited.clear()
  app.unhealthy.clear()
  app.drifted.clear()
}
