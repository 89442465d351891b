import type {AgentContext} from './agent-context.ts'
import {isSuspended} from './app-orders.ts'
import type {AppState} from './app-state.ts'
import {tellEvent} from './tell-event.ts'

/** Tells that an app was suspended or resumed, unless that was told: also where its annotation changed while no agent ran. */
export function tellSuspension(ctx: AgentContext, app: AppState): void {
  const {name, target, inventory} = app
  const suspended = isSuspended(ctx, app)
  if (suspended === ctx.toldSuspended.has(name)) return
  if (target?.state !== 'present' && inventory.size === 0) return
  if (suspended) ctx.toldSuspended.add(name)
  else ctx.toldSuspended.delete(name)
  const event = suspended ? 'suspended' : 'resumed'
  tellEvent(ctx, app, {event, at: ctx.ports.clock.now(), message: `app ${name} is ${event} by its annotation`})
}
