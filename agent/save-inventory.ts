import type {AppState} from './app-state.ts'
import type {InventoryStore} from './inventory-store.ts'

interface Means {
  inventories: Pick<InventoryStore, 'save'>
}

/** Forgets an app's inventory, when what is being written of it has landed: that would bring it back. */
export async function removeInventory(
  {inventories}: {inventories: Pick<InventoryStore, 'remove'>},
  app: AppState,
): Promise<void> {
  await (app.nextSave ?? app.saving).catch(() => undefined)
  app.saving = inventories.remove(app.name)
  await app.saving
}

/**
 * Writes an app's inventory to the cluster as it is when the write begins. Writes of one app never overlap, so that none is overtaken by an
 * older one; who asks while one is under way shares the next.
 */
export function saveInventory(ctx: Means, app: AppState): Promise<void> {
  app.nextSave ??= saveAfter(ctx, app, app.saving)
  return app.nextSave
}

async function saveAfter(ctx: Means, app: AppState, before: Promise<void>): Promise<void> {
  // Whoever waits for that one hears of its failure.
  await before.catch(() => undefined)
  app.nextSave = undefined
  app.saving = write(ctx, app)
  await app.saving
}

async function write(ctx: Means, app: AppState): Promise<void> {
  app.unsaved = false
  const noted = app.unnoted
  app.unnoted = new Set()
  try {
    await ctx.inventories.save(app.name, [...app.inventory.values()], app.serviceAccount, app.firstInstall)
  } catch (error) {
    app.unsaved = true
    for (const key of noted) app.unnoted.add(key)
    throw error
  }
}
