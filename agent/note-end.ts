import type {AgentContext} from './agent-context.ts'
import type {AppState} from './app-state.ts'
import {isGoing} from './detect-drift.ts'
import type {SeenHealth} from './live-index.ts'
import {requestReconcile} from './request-reconcile.ts'
import {saveInventory} from './save-inventory.ts'

/**
 * Notes in the inventory that what was applied has come to its end and goes by its own rule: gone, it is as desired, and is not made again
 * before it is declared otherwise.
 */
export function noteEnd(ctx: AgentContext, app: AppState, key: string): void {
  const entry = app.inventory.get(key)
  // What is removed is not made again.
  if (app.target?.state === 'removed') return
  if (entry?.uid === undefined || entry.applied === '' || entry.hook !== undefined || entry.ended !== undefined) return
  const end = ctx.live.endOf(entry.uid)
  if (end?.goes !== true) return
  entry.ended = end.state
  app.unnoted.add(key)
  app.unsaved = true
  // At once: a stop before it is written would have it run again.
  if (!ctx.signal.aborted) saveInventory(ctx, app).catch(() => requestReconcile(ctx, app, 'inventory'))
}

/** Tells whether an app's object came to its end and goes by its own rule: declared otherwise, it is made anew. */
export function hasEnded({live}: Pick<AgentContext, 'live'>, {name}: Pick<AppState, 'name'>, key: string): boolean {
  const seen = live.get(key)
  return seen !== undefined && seen.app === name && live.endOf(seen.uid)?.goes === true
}

/** The health of an object as it is seen, or as it was when it ended; undefined where it is not there. */
export function healthSeen(ctx: Pick<AgentContext, 'live'>, app: AppState, key: string): SeenHealth | undefined {
  const live = ctx.live.get(key)
  const entry = app.inventory.get(key)
  const goes = live !== undefined && entry !== undefined && isGoing(entry, live)
  // Of what another app owns nothing is told, not even that it is there.
  if (live !== undefined && !goes) return live.app === app.name ? live : undefined
  switch (entry?.ended) {
    case 'Succeeded':
      return {health: 'Current', healthReason: 'came to its end and was removed by its own rule'}
    case 'Failed': {
      const {reason = 'it failed'} = (entry.uid === undefined ? undefined : ctx.live.endOf(entry.uid)) ?? {}
      return {health: 'Failed', healthReason: `${reason}; it was removed by its own rule`}
    }
    default:
      return undefined
  }
}
