import {type ObjectRef, refKey} from '#shared/model/object-ref.ts'
import type {InventoryEntry} from '#shared/plan/inventory.ts'
import {orderPrune} from '#shared/plan/order-prune.ts'
import type {AgentContext} from './agent-context.ts'

/** Splits entries of an inventory into the stages of their deletion, by what is known of the live objects. */
export function orderEntries(
  ctx: Pick<AgentContext, 'live' | 'discovery'>,
  entries: readonly InventoryEntry[],
): ObjectRef[][] {
  return orderPrune(
    entries.map(({ref, version}) => ({
      ref,
      annotations: ctx.live.get(refKey(ref))?.keep ?? {},
      definition: `${ctx.discovery.known(version, ref.kind)?.plural}.${ref.group}`,
    })),
  )
}
