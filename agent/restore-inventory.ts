import {refKey} from '#shared/model/object-ref.ts'
import {type AgentContext, noteOwner} from './agent-context.ts'
import {AppFailure} from './app-failure.ts'
import type {AppState} from './app-state.ts'
import type {StoredInventory} from './inventory-store.ts'

/** Makes what the cluster holds of an app's inventory its own; one that cannot be read leaves it empty and broken. */
export function restoreInventory(
  ctx: Pick<AgentContext, 'owners'>,
  app: AppState,
  {entries, serviceAccount, firstInstall}: StoredInventory,
): void {
  app.serviceAccount = serviceAccount
  app.firstInstall = firstInstall
  if (!Array.isArray(entries)) {
    app.brokenInventory = entries
    return
  }
  app.brokenInventory = undefined
  for (const entry of entries) {
    app.inventory.set(refKey(entry.ref), entry)
    noteOwner(ctx, app, refKey(entry.ref))
  }
}

/** Reads a broken inventory again, since somebody may have put it right or deleted it. Throws `AppFailure` INVENTORY_BROKEN where not. */
export async function requireInventory(ctx: AgentContext, app: AppState): Promise<void> {
  if (app.brokenInventory === undefined) return
  const gone: StoredInventory = {entries: [], serviceAccount: undefined, firstInstall: 'past'}
  restoreInventory(ctx, app, (await ctx.inventories.load(app.name)) ?? gone)
  const broken: Error | undefined = app.brokenInventory
  if (broken === undefined) return
  throw new AppFailure(
    'INVENTORY_BROKEN',
    `${broken.message}; delete the ConfigMaps drawbridge-inventory-${app.name}-* to let it be made anew (nothing is pruned then)`,
  )
}
