import type {PresentApp} from '#shared/model/desired-state.ts'
import {type AgentContext, dropEntry, keepEntry} from './agent-context.ts'
import {AppFailure} from './app-failure.ts'
import {type AppState, currentBundle, impersonatedUser, type LoadedBundle} from './app-state.ts'
import {type ApplyFailure, applyObjects, unknownKind} from './apply-objects.ts'
import {awaitDefinitions} from './await-definitions.ts'
import {ensureNamespace} from './ensure-namespace.ts'
import {handleDrift} from './heal-drift.ts'
import {judgeOwner} from './judge-owner.ts'
import type {ResourceType} from './kube/kube-client.ts'
import {loadBundle} from './load-bundle.ts'
import {type Change, planChanges} from './plan-changes.ts'
import {type PruneResult, pruneObjects} from './prune-objects.ts'
import {requestReconcile} from './request-reconcile.ts'
import {requireInventory} from './restore-inventory.ts'
import {saveInventory} from './save-inventory.ts'
import {setCondition} from './set-condition.ts'
import {tellDrifted, tellHealed, tellPruned} from './tell-changes.ts'
import {tellEvent} from './tell-event.ts'
import {beginWaiting, endWaiting, judgeAll, judgeApp} from './track-health.ts'

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
  const known = app.revision === target.revision
  if (!known) {
    const message = `bundle ${target.bundle.digest} of ${bundle.objects.size} object(s)`
    tellEvent(ctx, app, {event: 'verified', at: ctx.ports.clock.now(), message})
  }
  await requireInventory(ctx, app)
  const unknown = [...bundle.objects.values()].find(({type}) => type === undefined)
  if (unknown !== undefined) throw new AppFailure('APPLY_FAILED', unknownKind(unknown))
  await followTypes(ctx, app, bundle)
  if (signal.aborted) return

  if (app.serviceAccount !== target.serviceAccount) app.unsaved = true
  app.serviceAccount = target.serviceAccount
  const applied = await applyStages(ctx, app, bundle, signal)
  if (signal.aborted) return
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
  const pruned = await prune(ctx, app, bundle, signal)
  if (app.unsaved && !ctx.signal.aborted) await saveInventory(ctx, app)
  app.settling = false
  tellPruned(ctx, app, pruned)
  if (signal.aborted) return
  app.toldProblem = undefined
  if (pruned.retained.length === 0) app.failures = 0
  else requestReconcile(ctx, app, 'soon')
  for (const key of app.drifted.keys()) if (!bundle.objects.has(key)) app.drifted.delete(key)
  for (const key of bundle.objects.keys()) handleDrift(ctx, app, key)
  if (announce || !app.looked) {
    app.looked = true
    beginWaiting(ctx, app, target.sync.timeoutSeconds)
    return
  }
  judgeAll(ctx, app)
  judgeApp(ctx, app)
}

async function followTypes(ctx: AgentContext, app: AppState, bundle: LoadedBundle): Promise<void> {
  const wanted = new Map<string, ResourceType>()
  for (const {type, apiVersion, ref, defined} of bundle.objects.values()) {
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

async function applyStages(
  ctx: AgentContext,
  app: AppState,
  bundle: LoadedBundle,
  signal: AbortSignal,
): Promise<Change[]> {
  const planned = bundle.stages.map((stage) => ({stage, wanted: planChanges(ctx, app, bundle, stage)}))
  const changes = planned.flatMap(({wanted}) => wanted)
  if (changes.length === 0) return []
  await refuseForeign(ctx, app, changes)
  setCondition(ctx, app, 'Unknown', 'Progressing', `applying ${changes.length} of ${bundle.objects.size} object(s)`)
  endWaiting(app)
  app.applying = true
  try {
    await Promise.all([ctx.acceptance, noteBeforehand(ctx, app, changes)])
    if (ctx.signal.aborted) return changes
    await createNamespaceIfAsked(ctx, bundle)
    for (const {stage, wanted} of planned) {
      if (signal.aborted) return changes
      tellDrifted(ctx, app, wanted)
      const failures = await applyObjects(
        ctx,
        app,
        bundle,
        wanted.map(({object}) => object),
        signal,
      )
      if (failures.length > 0) throw applyFailure(failures)
      if (!signal.aborted) tellHealed(ctx, app, wanted)
      if (!signal.aborted) await awaitDefinitions(ctx, bundle, stage, signal)
    }
    return changes
  } catch (error) {
    if (app.unsaved && !ctx.signal.aborted) await saveInventory(ctx, app)
    throw error
  } finally {
    app.applying = false
  }
}

/**
 * The inventory holds, before the first request, all that may exist after a stop at any instruction. What drifted is in it as it was
 * applied, and stays so: after a stop it is still seen as drifted, or was healed.
 */
async function noteBeforehand(ctx: AgentContext, app: AppState, changes: Change[]): Promise<void> {
  const begun = changes.filter(({why}) => why !== 'drifted')
  if (begun.length === 0) return
  for (const {object} of begun) {
    const uid = app.inventory.get(object.key)?.uid
    const entry = {ref: object.ref, version: object.apiVersion, applied: '', fields: ''}
    keepEntry(ctx, app, object.key, uid === undefined ? entry : {...entry, uid})
  }
  await saveInventory(ctx, app)
}

async function refuseForeign(ctx: AgentContext, app: AppState, changes: Change[]): Promise<void> {
  const asksOthers = changes.some(({object}) => ctx.live.get(object.key)?.app !== app.name)
  if (asksOthers) await Promise.all([...ctx.apps.values()].map((other) => (other === app ? undefined : other.loading)))
  const refused = changes.flatMap(({object}) => {
    const verdict = judgeOwner(ctx, app, object)
    return verdict === 'ours' ? [] : [{ref: object.ref, message: verdict.refused}]
  })
  if (refused.length > 0) throw applyFailure(refused, 'OWNED_BY_OTHER')
}

async function createNamespaceIfAsked(ctx: AgentContext, {app, objects}: LoadedBundle): Promise<void> {
  if (!app.createNamespace || app.namespace === undefined || objects.has(`/Namespace//${app.namespace}`)) return
  await ensureNamespace(ctx.ports.kube, app.namespace, impersonatedUser(app).impersonate)
}

async function prune(
  ctx: AgentContext,
  app: AppState,
  bundle: LoadedBundle,
  signal: AbortSignal,
): Promise<PruneResult> {
  const gone = [...app.inventory.keys()].filter((key) => !bundle.objects.has(key))
  const {sync} = bundle.app
  if (gone.length === 0) return {pruned: [], retained: []}
  if (!sync.prune) {
    for (const key of gone) dropEntry(ctx, app, key)
    return {pruned: [], retained: []}
  }
  const refuse = (code: string, reason: string): PruneResult => ({
    pruned: [],
    retained: gone.flatMap((key) => {
      const ref = app.inventory.get(key)?.ref
      return ref === undefined ? [] : [{ref, code, reason}]
    }),
  })
  if (bundle.objects.size === 0 && !sync.allowEmpty) {
    return refuse('EMPTY', 'the app renders to nothing; set sync.allowEmpty to let that prune everything')
  }
  // An object may have moved to another app: who wants it must be known of every app before anything is deleted.
  await Promise.all([...ctx.apps.values()].map((other) => (other === app ? undefined : other.loading)))
  const unread = [...ctx.apps.values()].find(
    (other) => other.target?.state === 'present' && currentBundle(other) === undefined,
  )
  if (unread !== undefined) {
    return refuse(
      'WAITS',
      `the bundle of app ${unread.name} could not be verified, and the object may have moved there`,
    )
  }
  await ctx.acceptance
  return pruneObjects(ctx, app, gone, signal, impersonatedUser(bundle.app))
}

function applyFailure(failures: ApplyFailure[], code: 'APPLY_FAILED' | 'OWNED_BY_OTHER' = 'APPLY_FAILED'): AppFailure {
  const shown = failures.slice(0, 5).map(({message}) => message)
  const more = failures.length > shown.length ? `; and ${failures.length - shown.length} more` : ''
  return new AppFailure(code, `${shown.join('; ')}${more}`)
}
