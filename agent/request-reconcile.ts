import {durationMs, type RetryOptions} from '#shared/model/sync-options.ts'
import type {AgentContext} from './agent-context.ts'
import type {AppState} from './app-state.ts'

/** How urgent another reconcile is: at once; after the app's back-off; or only to write the inventory, a little later. */
export type Urgency = 'now' | 'soon' | 'inventory'

const INVENTORY_DELAY_MS = 1_000

/**
 * Asks for another reconcile of an app; one that is asked for already comes no later. `'given-up'`: the app's retries are used up.
 * The listener is set once per term.
 */
export function requestReconcile(ctx: AgentContext, app: AppState, urgency: Urgency): 'asked' | 'given-up' {
  if (ctx.signal.aborted) return 'given-up'
  if (urgency === 'now') {
    clearTimeout(app.retry)
    app.retry = undefined
    ctx.reconcile(app)
    return 'asked'
  }
  if (app.retry !== undefined) return 'asked'
  const {limit = -1, backoff = {}} = (app.target?.state === 'present' ? app.target.sync.retry : undefined) ?? {}
  if (urgency === 'soon' && limit >= 0 && app.failures >= limit) return 'given-up'
  const delayMs = urgency === 'inventory' ? INVENTORY_DELAY_MS : backOffMs(backoff, app.failures)
  if (urgency === 'soon') app.failures++
  app.retry = setTimeout(() => {
    app.retry = undefined
    ctx.reconcile(app)
  }, delayMs)
  return 'asked'
}

function backOffMs(
  {duration = '1s', factor = 2, maxDuration = '1m'}: NonNullable<RetryOptions['backoff']>,
  failures: number,
): number {
  return Math.min(durationMs(duration) * factor ** failures, durationMs(maxDuration))
}
