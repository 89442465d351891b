import type {AgentContext} from './agent-context.ts'
import type {AppState} from './app-state.ts'

/** Writes an app's inventory to the cluster. */
export async function saveInventory(ctx: AgentContext, app: AppState): Promise<void> {
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
