import type {AgentContext} from './agent-context.ts'
import {type AppState, impersonatedUser, type LoadedBundle} from './app-state.ts'
import {type ApplyFailure, asFailure} from './apply-objects.ts'
import {isTrimmedLater} from './exempt-memory.ts'
import {objectToSend} from './ignored-fields.ts'
import {isImmutableError, isKubeError} from './kube/kube-error.ts'
import {FIELD_MANAGER} from './marks.ts'
import {hasEnded} from './note-end.ts'
import type {Change} from './plan-changes.ts'
import {type PlannedObject, parseBody} from './plan-objects.ts'
import {readerAs} from './read-as.ts'

/**
 * Tells whether a stage is dry-run before any of it is written. `auto`: where it changes something that runs already, and more than one
 * object; a single request is all or nothing by itself, and of a new app nothing runs that half an apply could break.
 */
export function needsPreflight(app: AppState, bundle: LoadedBundle, changes: readonly Change[]): boolean {
  const mode = bundle.app.sync.preflight ?? 'auto'
  if (mode !== 'auto') return mode === 'always' && changes.length > 0
  const fresh = changes.filter(({why}) => why !== 'drifted')
  return fresh.length > 1 && fresh.some(({object}) => app.inventory.get(object.key)?.uid !== undefined)
}

/** Dry-runs all changes of a stage and returns what the API server would refuse. Writes nothing. */
export async function preflightStage(
  ctx: AgentContext,
  app: AppState,
  bundle: LoadedBundle,
  changes: readonly Change[],
  signal: AbortSignal,
): Promise<ApplyFailure[]> {
  const failures: ApplyFailure[] = []
  await Promise.all(
    changes.map(({object}) =>
      ctx.ports.limit.run(async () => {
        if (signal.aborted || ctx.signal.aborted || object.rules.mode === 'once') return
        try {
          await dryRun(ctx, app, bundle, object)
        } catch (error) {
          if (isKubeError(error, 'ABORTED') || isAllowed(ctx, app, object, error)) return
          const reader = readerAs(ctx, app, bundle.app)
          if (await isTrimmedLater(reader, object.ref, parseBody(object), error).catch(() => false)) return
          failures.push(asFailure(object, error))
        }
      }, bundle.app.name),
    ),
  )
  return failures
}

async function dryRun(ctx: AgentContext, state: AppState, {app}: LoadedBundle, object: PlannedObject): Promise<void> {
  if (object.type === undefined) return
  const {body} = await objectToSend(readerAs(ctx, state, app), app, object.type, object)
  await ctx.ports.kube.apply(object.type, object.ref, body, {
    fieldManager: FIELD_MANAGER,
    force: true,
    dryRun: true,
    detail: 'metadata',
    lastTry: ctx.signal,
    ...impersonatedUser(app),
  })
}

/** What says nothing of the apply itself: it is made anew then; a webhook with side effects; a definition that is served in a moment. */
function isAllowed(ctx: AgentContext, app: AppState, {key, rules, defined}: PlannedObject, error: unknown): boolean {
  if (isImmutableError(error) && (rules.force || hasEnded(ctx, app, key))) return true
  if (isKubeError(error) && error.details.leftover === true) return true
  if (isKubeError(error, 'CONFLICT') || (defined && isKubeError(error, 'NOT_FOUND'))) return true
  return isKubeError(error, 'REJECTED') && error.message.includes('does not support dry run')
}
