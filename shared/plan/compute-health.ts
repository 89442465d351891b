import type {Health} from '../model/cluster-report.ts'
import type {JsonObject} from '../model/manifest.ts'

/** An object's health in kstatus's words, with the reason in words that someone on call can act on. Never empty, never a Secret value. */
export interface ObjectHealth {
  health: Health
  reason: string
}

/**
 * Computes the health of one live object from the object alone, by kstatus's rules (kubernetes-sigs/cli-utils, pkg/kstatus). Never throws: what is
 * malformed counts as absent. `now` matters only to a pod that can't be scheduled (in progress for its first 15 seconds, failed after);
 * without it the pod counts as old. `NotFound` is never returned: it is the caller's to say.
 */
export function computeHealth(object: JsonObject, now?: Date): ObjectHealth {
  void now
  return {health: object.status === undefined ? 'Current' : 'Unknown', reason: 'not computed yet'}
}
