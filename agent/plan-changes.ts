import type {AgentContext} from './agent-context.ts'
import type {AppState, LoadedBundle} from './app-state.ts'
import {type DriftKind, detectDrift} from './detect-drift.ts'
import type {PlannedObject} from './plan-objects.ts'

/** What there is to do for one object that is desired. */
export type Change =
  | {object: PlannedObject; why: 'new' | 'changed' | 'unsure'}
  | {object: PlannedObject; why: 'drifted'; drift: DriftKind}

/**
 * Decides which objects of a stage must be applied: those that the inventory does not know as applied like this, and those that
 * drifted meanwhile where the app heals drift, at a new revision, or where somebody asks for it. All others cost no request.
 */
export function planChanges(
  ctx: Pick<AgentContext, 'live'>,
  app: AppState,
  bundle: LoadedBundle,
  stage: PlannedObject[],
): Change[] {
  const {sync, revision} = bundle.app
  // A new revision is applied as a whole, whatever the policy. Where no revision is known it may be the same as before.
  const whole = app.asked || (app.revision !== undefined && app.revision !== revision)
  const heals = whole || sync.drift === 'heal'
  return stage.flatMap((object): Change[] => {
    const entry = app.inventory.get(object.key)
    if (entry === undefined) return [{object, why: 'new'}]
    if (object.rules.mode === 'once') {
      // Without a uid it was there before us. Of what is gone one more is made.
      const made = entry.applied !== '' && entry.uid !== undefined && entry.ended === undefined
      return entry.applied === '' || (made && ctx.live.get(object.key) === undefined) ? [{object, why: 'unsure'}] : []
    }
    if (entry.applied === '') return [{object, why: 'unsure'}]
    if (entry.applied !== object.digest) return [{object, why: 'changed'}]
    // What is being healed is left to that, as it may pause since somebody fights; what cannot be healed is not.
    const isHealed = app.healing.has(object.key) && !app.heals.get(object.key)?.failures && !whole
    const drift = heals && !isHealed ? detectDrift(app, entry, ctx.live.get(object.key)) : undefined
    // What is being deleted cannot be made anew before it is gone.
    return drift === undefined || drift === 'terminating' || drift === 'reapplied'
      ? []
      : [{object, why: 'drifted', drift}]
  })
}
