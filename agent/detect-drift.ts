import type {AgentContext} from './agent-context.ts'
import type {AppliedEntry, AppState} from './app-state.ts'
import type {LiveObject} from './live-index.ts'

/** How a live object may differ from what was applied, as far as its metadata tells. */
export type DriftKind = 'missing' | 'terminating' | 'other-owner' | 'fields' | 'reapplied'

/**
 * Compares what is known of a live object with the inventory. Undefined: nothing points to drift. `missing`: gone, or without the
 * owner mark. `reapplied`: somebody applied under our name, so the values may differ though the fields are the same.
 */
export function detectDrift(app: AppState, entry: AppliedEntry, live: LiveObject | undefined): DriftKind | undefined {
  if (live === undefined) return 'missing'
  if (live.terminating) return 'terminating'
  if (live.app !== app.name) return 'other-owner'
  if (live.fields !== entry.fields) return 'fields'
  if (entry.appliedAt === undefined) entry.appliedAt = live.appliedAt
  return entry.appliedAt === live.appliedAt ? undefined : 'reapplied'
}

/** Tells whether a reconcile of an app changes its objects right now. */
export function isWriting({applying, awaiting}: Pick<AppState, 'applying' | 'awaiting'>): boolean {
  return applying && !awaiting
}

/** The same for an object by key; undefined also where drift is none of our business: not applied yet, or under our own hands. */
export function driftOf(ctx: Pick<AgentContext, 'live'>, app: AppState, key: string): DriftKind | undefined {
  const entry = app.inventory.get(key)
  // What is not applied as this bundle has it is the reconcile's business.
  const wanted = app.target?.state === 'present' && app.bundle?.objects.get(key)?.digest === entry?.applied
  if (entry === undefined || !wanted || entry.applied === '' || isWriting(app) || app.busy.has(key)) return undefined
  return detectDrift(app, entry, ctx.live.get(key))
}
