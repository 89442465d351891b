import {encodeInventory} from '#shared/plan/encode-inventory.ts'
import type {InventoryEntry} from '#shared/plan/inventory.ts'
import type {AgentContext} from './agent-context.ts'
import type {AppState} from './app-state.ts'

/** Writes anew what the cluster no longer remembers of an app as it is: somebody deleted or changed its inventory. */
export async function verifyInventories(ctx: AgentContext): Promise<void> {
  const before = new Map([...ctx.apps.values()].filter(isIdle).map((app) => [app, sumOf([...app.inventory.values()])]))
  if (before.size === 0) return
  const stored = await ctx.inventories.readAll()
  for (const [app, sum] of before) {
    const entries = stored.get(app.name)?.entries ?? []
    const kept = Array.isArray(entries) ? sumOf(entries) : undefined
    if (kept === sum || !isIdle(app) || sumOf([...app.inventory.values()]) !== sum) continue
    ctx.ports.log('warn', `the inventory of app ${app.name} was changed by somebody else; it is written anew`, {
      app: app.name,
    })
    app.unsaved = true
    ctx.reconcile(app, 'upkeep')
  }
}

function isIdle(app: AppState): boolean {
  const settled = app.target?.state === 'present' && app.brokenInventory === undefined && app.revision !== undefined
  return settled && app.running === undefined && !app.unsaved && app.upkeep === undefined
}

function sumOf(entries: InventoryEntry[]): string {
  return encodeInventory(entries)
    .map((chunk) => Buffer.from(chunk).toString('base64'))
    .join(' ')
}
