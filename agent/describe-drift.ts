import {describeError} from '#shared/model/drawbridge-error.ts'
import {managersOf} from '#shared/plan/fingerprint-fields.ts'
import type {AgentContext} from './agent-context.ts'
import {type AppliedEntry, type AppState, type Drift, impersonatedUser, type LoadedBundle} from './app-state.ts'
import type {DriftKind} from './detect-drift.ts'
import {ignoredFields} from './ignored-fields.ts'
import {isKubeError} from './kube/kube-error.ts'
import {labelOf, metaText} from './kube/kube-object.ts'
import {APP_LABEL, FIELD_MANAGER} from './marks.ts'
import type {PlannedObject} from './plan-objects.ts'
import {readAs} from './read-as.ts'
import {MAX_SHOWN_FIELDS, shownFields} from './shown-fields.ts'

/** Says in words what differs: fields by their paths (never values), and who changed them. */
export async function describeDrift(
  ctx: AgentContext,
  app: AppState,
  bundle: LoadedBundle,
  object: PlannedObject,
  kind: DriftKind,
): Promise<Drift | 'no-difference'> {
  const {ref, type} = object
  const since = ctx.ports.clock.now().toISOString()
  const live = type === undefined ? 'absent' : await readAs(ctx, app, bundle.app, type, ref, 'whole')
  if (live === 'absent' || type === undefined) return {ref, what: 'deleted', since}
  if (metaText(live, 'deletionTimestamp') !== '') return {ref, what: 'is being deleted', since}
  const wanted = await ctx.ports.kube.apply(type, ref, object.body, {
    fieldManager: FIELD_MANAGER,
    force: true,
    dryRun: true,
    detail: 'whole',
    ...impersonatedUser(bundle.app),
  })
  const ignored = ignoredFields(bundle.app, ref)
  const fields =
    ignored === undefined
      ? shownFields(ref, live, wanted)
      : shownFields(ref, ignored.without(live, live), ignored.without(wanted, live))
  const paths = fields.map(({path}) => path)
  const label = labelOf(live, APP_LABEL)
  if (paths.length === 0 && kind !== 'other-owner') return 'no-difference'
  const manager = managersOf(undefined, live.metadata.managedFields, FIELD_MANAGER)[0]?.manager
  const shown = paths.slice(0, MAX_SHOWN_FIELDS).join(', ')
  const more = paths.length > MAX_SHOWN_FIELDS ? ` and ${paths.length - MAX_SHOWN_FIELDS} more fields` : ''
  const what =
    label === undefined
      ? `lost its owner label: ${shown}${more}`
      : kind === 'other-owner'
        ? `is marked as owned by app ${label}`
        : `changed: ${shown}${more}`
  return {
    ref,
    what,
    since,
    ...(manager === undefined ? {} : {manager}),
    ...(fields.length === 0 ? {} : {fields: fields.slice(0, MAX_SHOWN_FIELDS)}),
  }
}

/** The same for what a suspended app applied and no bundle at hand holds any more: its metadata alone tells. */
export async function describeUnread(
  ctx: AgentContext,
  app: AppState,
  {ref, version}: AppliedEntry,
  kind: DriftKind,
): Promise<Drift> {
  const since = ctx.ports.clock.now().toISOString()
  const type = await ctx.discovery.find(version, ref.kind)
  const live = type === undefined ? 'absent' : await readAs(ctx, app, app, type, ref, 'metadata')
  if (live === 'absent') return {ref, what: 'deleted', since}
  if (metaText(live, 'deletionTimestamp') !== '') return {ref, what: 'is being deleted', since}
  const label = labelOf(live, APP_LABEL)
  const manager = managersOf(undefined, live.metadata.managedFields, FIELD_MANAGER)[0]?.manager
  const what =
    label === undefined
      ? 'lost its owner label'
      : kind === 'other-owner'
        ? `is marked as owned by app ${label}`
        : 'changed since it was applied; which fields cannot be told, since a newer revision is published'
  return {ref, what, since, ...(manager === undefined ? {} : {manager})}
}

/** What is told where the API server refuses a dry run: what changed cannot be told, that something did can. */
export function undescribed(ctx: AgentContext, {ref}: Pick<AppliedEntry, 'ref'>, error: unknown): Drift {
  if (!isKubeError(error) || isKubeError(error, 'ABORTED', 'UNAVAILABLE', 'THROTTLED')) throw error
  const what = `changed; which fields cannot be told: ${describeError(error)}`
  return {ref, what, since: ctx.ports.clock.now().toISOString()}
}
