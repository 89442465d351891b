import {describeError} from '#shared/model/drawbridge-error.ts'
import {type AgentContext, aboutApp} from './agent-context.ts'
import {AppFailure} from './app-failure.ts'
import {isSuspended} from './app-orders.ts'
import type {AppState} from './app-state.ts'
import {handleDrift} from './heal-drift.ts'
import {isKubeError} from './kube/kube-error.ts'
import {reconcileApp} from './reconcile-app.ts'
import {removeApp} from './remove-app.ts'
import {requestReconcile} from './request-reconcile.ts'
import {rollBack} from './roll-back.ts'
import {setCondition} from './set-condition.ts'
import {tellEvent} from './tell-event.ts'
import {watchSuspended} from './watch-suspended.ts'

/** Reconciles an app now, or once more as soon as its running reconcile has ended. Reconciles of one app never overlap. */
export function runApp(ctx: AgentContext, app: AppState): void {
  if (ctx.signal.aborted) return
  app.wanted = true
  if (app.running !== undefined) return
  app.running = runWhileWanted(ctx, app).finally(() => {
    app.running = undefined
  })
}

async function runWhileWanted(ctx: AgentContext, app: AppState): Promise<void> {
  while (app.wanted && !ctx.signal.aborted) {
    app.wanted = false
    const {target} = app
    if (target === undefined) continue
    const abort = new AbortController()
    app.abort = abort
    const startedAt = performance.now()
    let outcome: 'done' | 'failed' = 'done'
    try {
      if (isSuspended(ctx, app)) await watchSuspended(ctx, app)
      else if (target.state === 'present') await reconcileApp(ctx, app, target, abort.signal)
      else await removeApp(ctx, app, target, abort.signal)
    } catch (error) {
      outcome = 'failed'
      if (ctx.signal.aborted || isKubeError(error, 'ABORTED')) continue
      if (!abort.signal.aborted) tellFailure(ctx, app, error)
      const ended = isAppFailure(error, 'UNHEALTHY', 'HOOK_FAILED')
      if (!abort.signal.aborted && ended && rollBack(ctx, app, describeError(error)) === 'rolling-back') continue
      if (requestReconcile(ctx, app, 'soon') === 'given-up' && !abort.signal.aborted) giveUp(ctx, app, error)
      // What drifted while it was applying was left to the reconcile, which may not have come that far.
      for (const key of app.bundle?.objects.keys() ?? []) handleDrift(ctx, app, key)
    } finally {
      const seconds = (performance.now() - startedAt) / 1000
      ctx.ports.telemetry.reconciled(abort.signal.aborted ? 'preempted' : outcome, seconds)
      app.abort = undefined
      ctx.changed()
    }
  }
}

/** Its retries are used up: it goes back, or waits for something newer. */
function giveUp(ctx: AgentContext, app: AppState, error: unknown): void {
  const words = describeError(error)
  if (rollBack(ctx, app, words) === 'rolling-back') return
  const message = `${words}; given up after ${app.failures} retries, until something newer is published`
  setCondition(ctx, app, 'False', app.condition.reason, message)
}

function isAppFailure(error: unknown, ...codes: AppFailure['code'][]): boolean {
  return error instanceof AppFailure && codes.includes(error.code)
}

/** Flux's words for failures. */
const reasons: Record<string, string> = {
  UNREACHABLE: 'ArtifactFailed',
  UNHEALTHY: 'HealthCheckFailed',
  HOOK_FAILED: 'HealthCheckFailed',
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
  const reason = refused ? 'ArtifactRefused' : (reasons[code] ?? 'ReconciliationFailed')
  setCondition(ctx, app, 'False', reason, message)
  app.healthyRevision = undefined
  if (app.toldProblem === `${code} ${message}`) return
  app.toldProblem = `${code} ${message}`
  tellEvent(ctx, app, {event: refused ? 'refused' : 'failed', at: ctx.ports.clock.now(), code, message})
}
