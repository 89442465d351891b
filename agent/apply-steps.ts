import {describeError} from '#shared/model/drawbridge-error.ts'
import {refKey} from '#shared/model/object-ref.ts'
import {SYNC_PHASES, type SyncPhase} from '#shared/plan/read-hook.ts'
import {type AgentContext, aboutApp, keepEntry} from './agent-context.ts'
import {AppFailure, asApplyFailure} from './app-failure.ts'
import {type AppState, impersonatedUser, type LoadedBundle} from './app-state.ts'
import {type ApplyFailure, applyObjects} from './apply-objects.ts'
import {awaitDefinitions} from './await-definitions.ts'
import {awaitHealth} from './await-health.ts'
import {awaitKinds} from './await-kinds.ts'
import {clearHooks} from './clear-hooks.ts'
import {ensureNamespace} from './ensure-namespace.ts'
import {handleDrift} from './heal-drift.ts'
import {judgeOwner} from './judge-owner.ts'
import {listSome} from './list-some.ts'
import {type Change, planChanges} from './plan-changes.ts'
import type {PlannedHook, PlannedStage, PlannedStep} from './plan-objects.ts'
import {needsPreflight, preflightStage} from './preflight-stage.ts'
import {beginHook, finishHook, noteHook, pendingHooks, requireNotFailed} from './run-hooks.ts'
import {saveInventory} from './save-inventory.ts'
import {setCondition} from './set-condition.ts'
import {tellDrifted, tellHealed} from './tell-changes.ts'
import {endWaiting, judgeAll} from './track-health.ts'

const MAX_SHOWN_FAILURES = 5

/** What there is to do in one step. */
export interface StepWork {
  step: PlannedStep
  stages: {stage: PlannedStage; changes: Change[]; hooks: PlannedHook[]}[]
  /** Something is to be done because of what is declared, not only since something drifted. */
  fresh: boolean
}

/** Decides what there is to do, step by step; steps without work are among them, since later ones may have to wait for their health. */
export function planSteps(ctx: Pick<AgentContext, 'live'>, app: AppState, bundle: LoadedBundle): StepWork[] {
  const pending = new Map(SYNC_PHASES.map((phase) => [phase, pendingOf(app, bundle, phase)]))
  return bundle.steps.map((step) => {
    const stages = step.stages.map((stage) => ({
      stage,
      changes: planChanges(ctx, app, bundle, stage.objects),
      hooks: stage.hooks.filter((hook) => pending.get(step.phase)?.has(hook)),
    }))
    const fresh = stages.some(({changes, hooks}) => hooks.length > 0 || changes.some(({why}) => why !== 'drifted'))
    return {step, stages, fresh}
  })
}

function pendingOf(app: AppState, bundle: LoadedBundle, phase: SyncPhase): Set<PlannedHook> {
  const hooks = bundle.steps.flatMap((step) =>
    step.phase === phase ? step.stages.flatMap((stage) => stage.hooks) : [],
  )
  return new Set(pendingHooks({app, bundle, phase}, hooks))
}

/** The changes of objects, over all steps. */
export function changesOf(work: readonly StepWork[]): Change[] {
  return work.flatMap(({stages}) => stages.flatMap(({changes}) => changes))
}

/** What the steps of one reconcile share. */
export interface StepRun {
  ctx: AgentContext
  app: AppState
  bundle: LoadedBundle
  signal: AbortSignal
}

/**
 * Applies what the steps up to and with Sync ask for, one after the other: a step begins when all of the former are healthy and their hooks
 * through. Stops early where `signal` ends. Throws `AppFailure`; what was begun is in the inventory then.
 */
export async function applySteps(run: StepRun, work: readonly StepWork[]): Promise<void> {
  const {ctx, app, bundle, signal} = run
  const steps = work.filter(({step}) => step.phase === 'PreSync' || step.phase === 'Sync')
  const changes = changesOf(steps)
  const hooks = await firstHooksOf(run, work)
  if (changes.length === 0 && hooks.length === 0) {
    for (const phase of ['PreSync', 'Sync'] as const) await clearHooks({...run, phase})
    return
  }
  await refuseForeign(ctx, app, changes)
  setCondition(ctx, app, 'Unknown', 'Progressing', `applying ${changes.length} of ${bundle.objects.size} object(s)`)
  endWaiting(app, 'due')
  app.applying = true
  try {
    for (const hook of hooks) noteHook(run, hook)
    await Promise.all([ctx.acceptance, noteBeforehand(ctx, app, changes)])
    if (ctx.signal.aborted) return
    await createNamespaceIfAsked(ctx, app, bundle).catch((error: unknown) => {
      throw asApplyFailure(error)
    })
    for (const phase of ['PreSync', 'Sync'] as const) {
      await endingPhase(run, phase, () => runPhase(run, steps, phase))
      if (signal.aborted) return
    }
  } catch (error) {
    if (app.unsaved && !ctx.signal.aborted) await saveInventory(ctx, app)
    throw error
  } finally {
    app.applying = false
  }
}

/** Runs the PostSync hooks that did not run for this bundle, when all of it is healthy. */
export async function runPostSync(run: StepRun, work: readonly StepWork[]): Promise<void> {
  const {ctx, app, bundle, signal} = run
  const steps = work.filter(({step, fresh}) => step.phase === 'PostSync' && fresh)
  if (signal.aborted) return
  if (steps.length === 0) return clearHooks({...run, phase: 'PostSync'})
  const hooks = hooksOf(run, steps)
  endWaiting(app, 'due')
  app.applying = true
  try {
    for (const hook of hooks) noteHook(run, hook)
    await saveInventory(ctx, app)
    await awaitAll(run, [...bundle.objects.values()], 'PostSync')
    await endingPhase(run, 'PostSync', () => runPhase(run, steps, 'PostSync'))
  } finally {
    app.applying = false
  }
}

/** Runs the SyncFail hooks, once for a bundle that failed. What goes wrong with them is only logged: the first failure is the one to tell. */
export async function runSyncFail(run: StepRun): Promise<void> {
  const {ctx, app, bundle, signal} = run
  const pending = pendingOf(app, bundle, 'SyncFail')
  for (const step of bundle.steps) {
    if (step.phase !== 'SyncFail' || signal.aborted || ctx.signal.aborted) continue
    const stages = step.stages.map((stage) => ({
      stage,
      changes: [],
      hooks: stage.hooks.filter((hook) => pending.has(hook)),
    }))
    if (stages.every(({hooks}) => hooks.length === 0)) continue
    try {
      for (const {hooks} of stages) for (const hook of hooks) noteHook(run, hook)
      await saveInventory(ctx, app)
      await applyStep(run, {step, stages, fresh: true})
    } catch (error) {
      ctx.ports.log('warn', `app ${app.name}: ${describeError(error)}`, aboutApp(app))
    }
  }
  await clearOrLog(run, 'SyncFail')
}

/**
 * The hooks up to and with Sync. What failed at the end of a sync is not begun anew at its front, so those of PostSync are looked at too. Where
 * one failed, its phase is cleared before that is told: an earlier agent may have stopped between the two.
 */
async function firstHooksOf(run: StepRun, work: readonly StepWork[]): Promise<PlannedHook[]> {
  const of = (...phases: SyncPhase[]) =>
    hooksOf(
      run,
      work.filter(({step}) => phases.includes(step.phase)),
    )
  try {
    of('PostSync')
    return of('PreSync', 'Sync')
  } catch (error) {
    for (const phase of ['PreSync', 'Sync', 'PostSync'] as const) await clearOrLog(run, phase)
    throw error
  }
}

/** The hooks of steps; throws where one failed for this bundle already, before anything is done. */
function hooksOf(run: StepRun, work: readonly StepWork[]): PlannedHook[] {
  return work.flatMap(({step, stages}) =>
    stages.flatMap(({hooks}) =>
      hooks.map((hook) => {
        requireNotFailed({...run, phase: step.phase}, hook)
        return hook
      }),
    ),
  )
}

async function applyStep(run: StepRun, {step, stages}: StepWork): Promise<void> {
  const {ctx, app, bundle, signal} = run
  const begun: PlannedHook[] = []
  for (const {stage, changes, hooks} of stages) {
    if (signal.aborted) return
    tellDrifted(ctx, app, changes)
    await awaitKinds(
      ctx,
      changes.map(({object}) => object),
      {timeoutSeconds: bundle.app.sync.timeoutSeconds, signal},
    )
    if (signal.aborted) return
    if (needsPreflight(app, bundle, changes)) {
      const refused = await preflightStage(ctx, app, bundle, changes, signal)
      if (refused.length > 0) throw applyFailure(refused, 'PREFLIGHT_FAILED')
    }
    const objects = changes.map(({object}) => object)
    const failures = await applyObjects(ctx, app, bundle, objects, signal)
    if (failures.length > 0) throw applyFailure(failures)
    if (signal.aborted) return
    tellHealed(ctx, app, changes)
    await awaitDefinitions(ctx, bundle, stage.objects, signal)
    for (const hook of hooks) if (!signal.aborted) await beginHook({...run, phase: step.phase}, hook)
    begun.push(...hooks)
  }
  if (begun.length > 0) setCondition(ctx, app, 'Unknown', 'Progressing', `${nameOf(step)} waits for its hooks`)
  const ends = await whileAwaiting(run, () =>
    Promise.allSettled(begun.map((hook) => finishHook({...run, phase: step.phase}, hook))),
  )
  for (const end of ends) if (end.status === 'rejected') throw end.reason
}

/** Runs what is due of a phase; what of it had ended before is only waited for, where more is to come. */
async function runPhase(run: StepRun, work: readonly StepWork[], phase: SyncPhase): Promise<void> {
  const {ctx, app, signal} = run
  for (const [index, item] of work.entries()) {
    if (item.step.phase !== phase) continue
    if (signal.aborted) return
    await applyStep(run, item)
    if (signal.aborted || phase === 'PostSync') continue
    judgeAll(ctx, app)
    if (work.slice(index + 1).some(({fresh}) => fresh)) await awaitStep(run, item.step)
  }
}

/** Clears a phase's hooks where it is over: it came to its end, it failed, or something newer is wanted. */
async function endingPhase(run: StepRun, phase: SyncPhase, task: () => Promise<void>): Promise<void> {
  try {
    await task()
  } catch (error) {
    // Why it failed is what to tell.
    await clearOrLog(run, phase)
    throw error
  }
  await clearHooks({...run, phase})
}

async function clearOrLog(run: StepRun, phase: SyncPhase): Promise<void> {
  const {ctx, app} = run
  try {
    await clearHooks({...run, phase})
  } catch (error) {
    ctx.ports.log('warn', `app ${app.name}: ${describeError(error)}`, aboutApp(app))
  }
}

async function awaitStep(run: StepRun, step: PlannedStep): Promise<void> {
  const objects = step.stages.flatMap((stage) => stage.objects)
  await awaitAll(
    run,
    objects.filter(({key}) => run.bundle.objects.has(key)),
    nameOf(step),
  )
}

async function awaitAll(run: StepRun, objects: PlannedStage['objects'], what: string): Promise<void> {
  const {ctx, app, bundle, signal} = run
  const {timeoutSeconds} = bundle.app.sync
  await whileAwaiting(run, () => awaitHealth(ctx, app, objects, {what, timeoutSeconds, signal}))
}

/** What drifted since the apply began, or drifts meanwhile, is healed: else it might be waited for in vain. */
async function whileAwaiting<T>({ctx, app, bundle}: StepRun, wait: () => Promise<T>): Promise<T> {
  app.awaiting = true
  try {
    for (const key of bundle.objects.keys()) handleDrift(ctx, app, key)
    return await wait()
  } finally {
    app.awaiting = false
  }
}

function nameOf({phase, wave}: PlannedStep): string {
  return wave === 0 ? phase : `${phase} wave ${wave}`
}

/**
 * The inventory holds, before the first request, all that may exist after a stop at any instruction. What drifted is in it as it was
 * applied, and stays so: after a stop it is still seen as drifted, or was healed.
 */
async function noteBeforehand(ctx: AgentContext, app: AppState, changes: Change[]): Promise<void> {
  const begun = changes.filter(({why}) => why !== 'drifted')
  for (const {object} of begun) {
    const uid = app.inventory.get(object.key)?.uid
    const entry = {ref: object.ref, version: object.apiVersion, applied: '', fields: ''}
    keepEntry(ctx, app, object.key, uid === undefined ? entry : {...entry, uid})
  }
  if (begun.length > 0 || app.unsaved) await saveInventory(ctx, app)
}

async function refuseForeign(ctx: AgentContext, app: AppState, changes: Change[]): Promise<void> {
  const asksOthers = changes.some(({object}) => ctx.live.get(object.key)?.app !== app.name)
  if (asksOthers) await Promise.all([...ctx.apps.values()].map((other) => (other === app ? undefined : other.loading)))
  const verdicts = await Promise.all(
    changes.map(async ({object}) => ({object, verdict: await judgeOwner(ctx, app, object)})),
  )
  const refused = verdicts.flatMap(({object, verdict}) =>
    verdict === 'ours' ? [] : [{ref: object.ref, message: verdict.refused, outage: verdict.outage, content: false}],
  )
  if (refused.length > 0) throw applyFailure(refused, 'OWNED_BY_OTHER')
}

async function createNamespaceIfAsked(
  ctx: AgentContext,
  {inventory}: AppState,
  {app, objects}: LoadedBundle,
): Promise<void> {
  const {namespace, namespaceMetadata} = app
  if (!app.createNamespace || namespace === undefined || objects.has(`/Namespace//${namespace}`)) return
  // Where one of its objects is, the namespace is.
  for (const [key, {ref}] of inventory)
    if (ref.namespace === namespace && ctx.live.get(key)?.terminating === false) return
  await ensureNamespace(ctx.ports.kube, namespace, {...impersonatedUser(app), metadata: namespaceMetadata ?? {}})
}

function applyFailure(
  failures: ApplyFailure[],
  code: 'APPLY_FAILED' | 'OWNED_BY_OTHER' | 'PREFLIGHT_FAILED' = 'APPLY_FAILED',
): AppFailure {
  const outage = failures.every((failure) => failure.outage)
  // They come in the order of the answers, which is another each time.
  const sorted = failures.toSorted((a, b) => (refKey(a.ref) < refKey(b.ref) ? -1 : 1))
  const message = listSome(sorted, MAX_SHOWN_FAILURES, ({message}) => message)
  const about = sorted.every(({content}) => content) ? {about: sorted.map(({ref}) => refKey(ref)).join(' ')} : {}
  return new AppFailure(outage ? 'CLUSTER_UNAVAILABLE' : code, message, about)
}
