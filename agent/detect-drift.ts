import type {AgentContext} from './agent-context.ts'
import {isSuspended} from './app-orders.ts'
import type {AppliedEntry, AppState, LoadedBundle} from './app-state.ts'
import type {LiveObject} from './live-index.ts'
import {declares, type PlannedObject} from './plan-objects.ts'

/** How a live object may differ from what was applied, as far as its metadata tells. */
export type DriftKind = 'missing' | 'terminating' | 'other-owner' | 'fields' | 'reapplied'

/**
 * Compares what is known of a live object with the inventory. Undefined: nothing points to drift. `missing`: gone, or without the
 * owner mark. `reapplied`: somebody applied under our name, so the values may differ though the fields are the same.
 */
export function detectDrift(app: AppState, entry: AppliedEntry, live: LiveObject | undefined): DriftKind | undefined {
  if (live === undefined) return entry.ended === undefined ? 'missing' : undefined
  if (live.terminating) return isGoing(entry, live) ? undefined : 'terminating'
  if (live.app !== app.name) return 'other-owner'
  if (live.fields !== entry.fields) return 'fields'
  if (entry.appliedAt === undefined) entry.appliedAt = live.appliedAt
  return entry.appliedAt === live.appliedAt ? undefined : 'reapplied'
}

/** Tells whether what is being deleted is an object that came to its end, and goes by its own rule. */
export function isGoing({ended, uid}: AppliedEntry, live: LiveObject): boolean {
  return live.terminating && ended !== undefined && live.uid === uid
}

/** Tells whether a reconcile of an app changes its objects right now. */
export function isWriting({applying, awaiting}: Pick<AppState, 'applying' | 'awaiting'>): boolean {
  return applying && !awaiting
}

/** The same for an object by key; undefined also where drift is none of our business: not applied yet, or under our own hands. */
export function driftOf(ctx: Pick<AgentContext, 'live' | 'orders'>, app: AppState, key: string): DriftKind | undefined {
  const entry = app.inventory.get(key)
  if (entry === undefined || entry.applied === '' || isWriting(app) || app.busy.has(key)) return undefined
  return isCompared(ctx, app, key) ? detectDrift(app, entry, ctx.live.get(key)) : undefined
}

/**
 * Finds an object as it was applied last; undefined where no bundle at hand holds it so. For an app that is suspended, what was applied
 * counts, whatever is wanted by now.
 */
export function appliedAs(
  ctx: Pick<AgentContext, 'orders'>,
  app: AppState,
  key: string,
): {bundle: LoadedBundle; object: PlannedObject} | undefined {
  const digest = app.inventory.get(key)?.applied
  for (const bundle of isSuspended(ctx, app) ? [app.bundle, app.left] : [app.bundle]) {
    const object = bundle?.objects.get(key)
    if (bundle !== undefined && object !== undefined && object.digest === digest) return {bundle, object}
  }
  return undefined
}

/** What is not applied as its bundle has it is the reconcile's business, but there is none while the app is suspended. */
function isCompared(ctx: Pick<AgentContext, 'orders'>, app: AppState, key: string): boolean {
  if (app.target?.state !== 'present') return false
  if (appliedAs(ctx, app, key) !== undefined) return true
  const isKept = [app.bundle, app.left].every(
    (bundle) => bundle === undefined || !declares(bundle, key) || bundle.objects.has(key),
  )
  return isSuspended(ctx, app) && isKept && app.inventory.get(key)?.hook === undefined
}
