import {durationMs, type RetryOptions} from '#shared/model/sync-options.ts'
import type {AgentContext} from './agent-context.ts'
import type {AppState} from './app-state.ts'

/**
 * How urgent another reconcile is: at once; after a failure, when the app's `sync.retry.backoff` is over; after a pause of its own for
 * what goes on whatever became of the revision (heals, prunes); or only to write the inventory, a little later.
 */
export type Urgency = 'now' | 'retry' | 'soon' | 'inventory'

const INVENTORY_DELAY_MS = 1_000

/** Asks for another reconcile of an app; one of the same sort that is asked for already comes no later. */
export function requestReconcile(ctx: AgentContext, app: AppState, urgency: Urgency): void {
  if (ctx.signal.aborted) return
  if (urgency === 'now') {
    dropRequests(app)
    app.held.clear()
    ctx.reconcile(app, 'all')
  } else if (urgency === 'retry') {
    const backoff = (app.target?.state === 'present' ? app.target.sync.retry?.backoff : undefined) ?? {}
    app.retry ??= setTimeout(
      () => {
        app.retry = undefined
        ctx.reconcile(app, 'all')
      },
      backOffMs(backoff, app.retries++),
    )
  } else {
    app.upkeep ??= setTimeout(
      () => {
        app.upkeep = undefined
        ctx.reconcile(app, 'upkeep')
      },
      urgency === 'inventory' ? INVENTORY_DELAY_MS : backOffMs({}, app.upkeeps++),
    )
  }
}

/** Takes back what was asked for: a reconcile begins, or nothing more is to. */
export function dropRequests(app: AppState): void {
  clearTimeout(app.retry)
  app.retry = undefined
  clearTimeout(app.upkeep)
  app.upkeep = undefined
}

/** Something else is to be brought about: what failed before no longer counts. */
export function beginAnew(app: AppState): void {
  dropRequests(app)
  app.failures = 0
  app.retries = 0
  app.upkeeps = 0
  app.held.clear()
  app.outlook = 'through'
}

function backOffMs(
  {duration = '1s', factor = 2, maxDuration = '1m'}: NonNullable<RetryOptions['backoff']>,
  failures: number,
): number {
  return Math.min(durationMs(duration) * factor ** failures, durationMs(maxDuration))
}
