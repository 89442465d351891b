import type {PresentApp} from '#shared/model/desired-state.ts'
import type {AgentContext} from './agent-context.ts'
import {AppFailure, isAppFailure} from './app-failure.ts'
import {APPROVE_PRUNE_ANNOTATION} from './app-orders.ts'
import {type AppState, currentBundle, type LoadedBundle} from './app-state.ts'
import {unknownKind} from './apply-objects.ts'
import {applySteps, changesOf, planSteps, runPostSync, runSyncFail, type StepRun} from './apply-steps.ts'
import {awaitDependencies, endDependencyWait} from './await-dependencies.ts'
import {beginRelease, endRelease} from './first-install.ts'
import {handleDrift} from './heal-drift.ts'
import type {ResourceType} from './kube/kube-client.ts'
import {loadBundle} from './load-bundle.ts'
import type {PlannedObject} from './plan-objects.ts'
import {checkPruneLimit, pruneApp} from './prune-app.ts'
import {requestReconcile} from './request-reconcile.ts'
import {requireInventory} from './restore-inventory.ts'
import {saveInventory} from './save-inventory.ts'
import {tellPruned} from './tell-changes.ts'
import {tellEvent} from './tell-event.ts'
import {beginWaiting, judgeAll, judgeApp} from './track-health.ts'
import {noteExemption} from './unblock-memory.ts'
import {wasVerified} from './was-told.ts'

/**
 * Brings one app to its desired state: load and verify, apply what changed stage by stage, prune, then wait for health. Returns
 * early where `signal` ends: something newer is wanted. Throws `AppFailure`, or `KubeError` where the cluster could not be asked.
 */
export async function reconcileApp(
  ctx: AgentContext,
  app: AppState,
  target: PresentApp,
  signal: AbortSignal,
): Promise<void> {
  await ctx.loads
    .run(() => loadBundle(ctx, app, target))
    .finally(() => {
      if (app.target === target) app.loaded()
    })
  const bundle = currentBundle(app)
  if (bundle === undefined || signal.aborted) return
  const before = app.revision
  const known = before === target.revision
  if (!known && app.verifiedRevision !== target.revision) {
    app.verifiedRevision = target.revision
    const message = `bundle ${target.bundle.digest} of ${bundle.objects.size} object(s)`
    if (!wasVerified(ctx, app.name, target.revision))
      tellEvent(ctx, app, {event: 'verified', at: ctx.ports.clock.now(), message})
  }
  await requireInventory(ctx, app)
  await followTypes(ctx, app, bundle)
  if (signal.aborted) return
  judgeAll(ctx, app)
  const unknown = allObjects(bundle).find(({type, rules}) => type === undefined && !rules.awaitKind)
  if (unknown !== undefined) throw new AppFailure('APPLY_FAILED', unknownKind(unknown))

  app.left = undefined
  if (app.serviceAccount !== target.serviceAccount) app.unsaved = true
  app.serviceAccount = target.serviceAccount
  beginRelease(app, bundle)
  const run = {ctx, app, bundle, signal}
  const work = planSteps(ctx, app, bundle)
  const applied = changesOf(work)
  const fresh = work.some((item) => item.fresh && item.step.phase !== 'SyncFail')
  app.dependent = fresh
  if (fresh) {
    if ((await awaitDependencies(ctx, app, target)) === 'waiting') {
      app.outlook = 'through'
      return
    }
    app.dependent = false
  }
  endDependencyWait(app)
  const limit = await checkPruneLimit(run)
  await orRunSyncFail(run, () => applySteps(run, work)).catch((error: unknown) => {
    throw fresh ? error : asHealFailure(error)
  })
  if (signal.aborted || ctx.signal.aborted) return
  app.asked = false
  const announce = !known || applied.some(({why}) => why !== 'drifted')
  app.revision = target.revision
  if (announce) {
    app.settling = true
    app.healthyRevision = undefined
    tellEvent(ctx, app, {
      event: 'applied',
      at: ctx.ports.clock.now(),
      message: `${applied.length} of ${bundle.objects.size} object(s) applied`,
    })
  }
  const pruned = await pruneApp(run)
  const hasMore = work.some(({step, fresh}) => step.phase === 'PostSync' && fresh)
  if (!hasMore) endRelease(app, bundle)
  if (app.unsaved && !ctx.signal.aborted) await saveInventory(ctx, app)
  await noteExemption(ctx, app, bundle)
  app.settling = false
  tellPruned(
    ctx,
    app,
    pruned,
    limit === 'approved' ? `, more than its limit, as ${APPROVE_PRUNE_ANNOTATION} lets it` : '',
  )
  if (signal.aborted) return
  await orRunSyncFail(run, () => runPostSync(run, work)).catch((error: unknown) => {
    app.revision = before
    throw error
  })
  // Hooks that were left running are not through.
  if (signal.aborted || ctx.signal.aborted) return
  if (hasMore) {
    endRelease(app, bundle)
    if (app.unsaved) await saveInventory(ctx, app)
  }
  app.toldProblems.clear()
  app.failures = 0
  app.retries = 0
  app.outlook = 'through'
  for (const key of app.drifted.keys()) if (!bundle.objects.has(key)) app.drifted.delete(key)
  for (const key of bundle.objects.keys()) handleDrift(ctx, app, key)
  const isPruneDue = pruned.finalizing > 0 || pruned.retained.some(({code}) => code !== 'PRUNE_OFF')
  if (isPruneDue || app.uncleared.size > 0) requestReconcile(ctx, app, 'soon')
  else if (app.healing.size === 0) app.upkeeps = 0
  if (announce || app.wait === 'due') {
    beginWaiting(ctx, app, target.sync.timeoutSeconds)
    return
  }
  judgeAll(ctx, app)
  judgeApp(ctx, app)
}

async function orRunSyncFail(run: StepRun, task: () => Promise<void>): Promise<void> {
  try {
    await task()
  } catch (error) {
    judgeAll(run.ctx, run.app)
    if (!run.signal.aborted) await runSyncFail(run)
    throw error
  }
}

/** What only drifted had been applied before: that it cannot be healed now does not count for `sync.retry.limit`. */
function asHealFailure(error: unknown): unknown {
  return isAppFailure(error, 'APPLY_FAILED', 'PREFLIGHT_FAILED')
    ? new AppFailure('HEAL_FAILED', error.message, error.details, {cause: error.cause})
    : error
}

async function followTypes(ctx: AgentContext, app: AppState, bundle: LoadedBundle): Promise<void> {
  const wanted = new Map<string, ResourceType>()
  for (const {type, apiVersion, ref, defined} of allObjects(bundle)) {
    const name = `${ref.group}/${ref.kind}`
    if (type === undefined || wanted.has(name)) continue
    const served = defined ? await ctx.discovery.find(apiVersion, ref.kind) : type
    if (served !== undefined) wanted.set(name, served)
  }
  for (const {ref, version} of app.inventory.values()) {
    const name = `${ref.group}/${ref.kind}`
    if (wanted.has(name)) continue
    const served = await ctx.discovery.find(version, ref.kind)
    if (served !== undefined) wanted.set(name, served)
  }
  await Promise.all([...wanted.values()].map((type) => ctx.live.follow(type)))
}

function allObjects(bundle: LoadedBundle): PlannedObject[] {
  return [...bundle.objects.values(), ...bundle.once.values(), ...[...bundle.hooks.values()].map(({object}) => object)]
}
