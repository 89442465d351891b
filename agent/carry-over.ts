import {refKey} from '#shared/model/object-ref.ts'
import type {InventoryEntry} from '#shared/plan/inventory.ts'
import {type AgentContext, keepEntry} from './agent-context.ts'
import {createAppState} from './app-state.ts'

/** What a term wrote to the cluster and could not note there, since another agent wrote the inventory: by app. */
export type CarryOver = Map<string, InventoryEntry[]>

/** Remembers for the next term of this process what this one wrote and no inventory tells of: nobody would ever prune it. */
export function carryOver(ctx: Pick<AgentContext, 'apps'>, carried: CarryOver): void {
  for (const app of ctx.apps.values()) {
    const entries = [...app.unnoted].flatMap((key) => app.inventory.get(key) ?? [])
    if (entries.length > 0) carried.set(app.name, entries)
  }
}

/** Adds what was carried over to what the cluster remembers. It counts as not certain, and is applied, pruned or forgotten like anything else. */
export function takeOver(ctx: Pick<AgentContext, 'apps' | 'owners' | 'ports'>, carried: CarryOver): void {
  for (const [name, entries] of carried) {
    const app = ctx.apps.get(name) ?? createAppState(name, ctx.ports.clock.now())
    ctx.apps.set(name, app)
    for (const entry of entries) {
      const key = refKey(entry.ref)
      if (!app.inventory.has(key)) keepEntry(ctx, app, key, {...entry, applied: '', fields: ''})
    }
  }
  carried.clear()
}
