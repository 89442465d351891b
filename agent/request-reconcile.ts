import type {AgentContext} from './agent-context.ts'
import type {AppState} from './app-state.ts'

/** How urgent another reconcile is: at once; after the app's back-off; or only to write the inventory, a little later. */
export type Urgency = 'now' | 'soon' | 'inventory'

const INVENTORY_DELAY_MS = 1_000
const FIRST_BACK_OFF_MS = 1_000
const MAX_BACK_OFF_MS = 60_000

/** Asks for another reconcile of an app; one that is asked for already comes no later. The listener is set once per term. */
export function requestReconcile(ctx: AgentContext, app: AppState, urgency: Urgency): void {
  if (ctx.signal.aborted) return
  if (urgency === 'now') {
    clearTimeout(app.retry)
    app.retry = undefined
    ctx.reconcile(app)
    return
  }
  if (app.retry !== undefined) return
  const delayMs =
    urgency === 'inventory' ? INVENTORY_DELAY_MS : Math.min(FIRST_BACK_OFF_MS * 2 ** app.failures, MAX_BACK_OFF_MS)
  if (urgency === 'soon') app.failures++
  app.retry = setTimeout(() => {
    app.retry = undefined
    ctx.reconcile(app)
  }, delayMs)
}
