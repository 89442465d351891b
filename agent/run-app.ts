import {describeError} from '#shared/model/drawbridge-error.ts'
import {type AgentContext, aboutApp} from './agent-context.ts'
import {AppFailure, blamesRevision, isAppFailure} from './app-failure.ts'
import {isSuspended} from './app-orders.ts'
import type {AppState, ReconcileScope} from './app-state.ts'
import {handleDrift} from './heal-drift.ts'
import {isKubeError} from './kube/kube-error.ts'
import {reasonOf} from './reason-words.ts'
import {reconcileApp} from './reconcile-app.ts'
import {removeApp} from './remove-app.ts'
import {requestReconcile} from './request-reconcile.ts'
import {requireInventory} from './restore-inventory.ts'
import {describeNoRollback, rollBack} from './roll-back.ts'
import {saveInventory} from './save-inventory.ts'
import {setCondition} from './set-condition.ts'
import {tellEvent} from './tell-event.ts'
import {wasTold} from './was-told.ts'
import {watchSuspended} from './watch-suspended.ts'

/** Reconciles an app now, or once more as soon as its running reconcile has ended. Reconciles of one app never overlap. */
export function runApp(ctx: AgentContext, app: AppState, scope: ReconcileScope): void {
  if (ctx.signal.aborted) return
  if (app.wanted !== 'all') app.wanted = scope
  if (app.running !== undefined) return
  app.running = runWhileWanted(ctx, app).finally(() => {
    app.running = undefined
  })
}

async function runWhileWanted(ctx: AgentContext, app: AppState): Promise<void> {
  while (app.wanted !== 'nothing' && !ctx.signal.aborted) {
    // What failed is tried again when its pause is over, or never: nothing else that is due may shorten that.
    const upkeepOnly = app.wanted === 'upkeep' && (app.retry !== undefined || app.outlook === 'given-up')
    app.wanted = 'nothing'
    const {target} = app
    if (target === undefined) continue
    const abort = new AbortController()
    app.abort = abort
    const startedAt = performance.now()
    let outcome: 'done' | 'failed' = 'done'
    try {
      if (isSuspended(ctx, app)) await watchSuspended(ctx, app)
      else if (target.state === 'removed') await removeApp(ctx, app, target, abort.signal)
      else if (upkeepOnly) await keepUp(ctx, app)
      else await reconcileApp(ctx, app, target, abort.signal)
    } catch (error) {
      outcome = 'failed'
      // What was overtaken says nothing of what is wanted now.
      if (ctx.signal.aborted || abort.signal.aborted || isKubeError(error, 'ABORTED')) continue
      tellFailure(ctx, app, error)
      followUp(ctx, app, error)
      lookForDrift(ctx, app)
    } finally {
      const seconds = (performance.now() - startedAt) / 1000
      ctx.ports.telemetry.reconciled(abort.signal.aborted ? 'preempted' : outcome, seconds)
      app.abort = undefined
      ctx.changed()
    }
  }
}

/** Keeps what is applied as it is, and the cluster's memory of it, while what is desired is not to be tried. */
async function keepUp(ctx: AgentContext, app: AppState): Promise<void> {
  try {
    await requireInventory(ctx, app)
    if (app.unsaved) await saveInventory(ctx, app)
  } catch (error) {
    if (isKubeError(error, 'ABORTED')) throw error
    ctx.ports.log('warn', `app ${app.name}: ${describeError(error)}`, aboutApp(app))
    requestReconcile(ctx, app, 'soon')
  }
  lookForDrift(ctx, app)
}

/** What drifted while it was applying was left to the reconcile, which may not have come that far. */
function lookForDrift(ctx: AgentContext, app: AppState): void {
  for (const key of app.bundle?.objects.keys() ?? []) handleDrift(ctx, app, key)
}

/** Decides what follows on a failure: another try, the last healthy bundle, or nothing before something newer is published. */
function followUp(ctx: AgentContext, app: AppState, error: unknown): void {
  const words = describeError(error)
  if (isAppFailure(error, 'UNHEALTHY', 'HOOK_FAILED') && rollBack(ctx, app, words) === 'rolling-back') return
  if (isAppFailure(error, 'HOOK_FAILED') && error.details.settled === true) {
    app.outlook = 'given-up'
    // A request to run it again was heard.
    app.asked = false
    const message = `${words}${describeNoRollback(app)}; it runs again with the next bundle, or when a reconcile is asked for`
    setCondition(ctx, app, 'False', app.condition.reason, message)
    return
  }
  const limit = (app.target?.state === 'present' ? app.target.sync.retry?.limit : undefined) ?? -1
  if (!blamesRevision(error) || limit < 0 || app.failures++ < limit) {
    app.outlook = 'tried-again'
    requestReconcile(ctx, app, isAppFailure(error, 'HEAL_FAILED') ? 'soon' : 'retry')
    return
  }
  if (rollBack(ctx, app, words) === 'rolling-back') return
  app.outlook = 'given-up'
  for (const other of ctx.apps.values()) if (other.awaited.has(app.name)) ctx.reconcile(other, 'upkeep')
  const message = `${words}${describeNoRollback(app)}; given up after ${limit} retries, until something newer is published`
  setCondition(ctx, app, 'False', app.condition.reason, message)
}

/** Says why it failed, once per distinct reason. */
function tellFailure(ctx: AgentContext, app: AppState, error: unknown): void {
  const refused = error instanceof AppFailure && (error.code === 'REFUSED' || error.code === 'POLICY')
  const detail = error instanceof AppFailure && typeof error.details.code === 'string' ? error.details.code : undefined
  const code = detail ?? (error instanceof AppFailure ? error.code : isKubeError(error) ? error.code : 'UNEXPECTED')
  const message = describeError(error)
  if (!(error instanceof AppFailure) && !isKubeError(error)) {
    ctx.ports.log(
      'warn',
      `app ${app.name}: ${error instanceof Error ? (error.stack ?? message) : message}`,
      aboutApp(app),
    )
  }
  const reason = refused ? 'ArtifactRefused' : reasonOf(code)
  const more = isAppFailure(error, 'UNHEALTHY', 'HOOK_FAILED') ? describeNoRollback(app) : ''
  setCondition(ctx, app, 'False', reason, `${message}${more}`)
  app.healthyRevision = undefined
  if (isTold(app, `${code} ${aboutOf(error) ?? message}`) || wasTold(ctx, app, {code, message})) return
  tellEvent(ctx, app, {event: refused ? 'refused' : 'failed', at: ctx.ports.clock.now(), code, message})
}

const maxTold = 50

/** Whether this was told of the revision before; notes that it is now. Reasons that take turns are each told once. */
function isTold({toldProblems, target}: AppState, problem: string): boolean {
  const told = `${target?.state === 'present' ? target.revision : ''} ${problem}`
  if (toldProblems.has(told)) return true
  if (toldProblems.size >= maxTold) toldProblems.clear()
  toldProblems.add(told)
  return false
}

/** Of several mistakes in an object the API server names now one and now another: they are told apart by the object. */
function aboutOf(error: unknown): string | undefined {
  return error instanceof AppFailure && typeof error.details.about === 'string' ? error.details.about : undefined
}
