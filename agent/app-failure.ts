import {DrawbridgeError} from '#shared/model/drawbridge-error.ts'
import {isKubeError} from './kube/kube-error.ts'

/**
 * Why an app could not be brought to its desired state. `REFUSED` and `POLICY` need something new to be published, or another policy, and
 * `PRUNE_LIMIT`, `OWNED_BY_OTHER` and `DEPENDENCY_CYCLE` somebody who acts; all are tried again with a growing pause, and only what `blamesRevision` names is ever given up.
 */
export class AppFailure extends DrawbridgeError<
  | 'REFUSED'
  | 'POLICY'
  | 'UNREACHABLE'
  | 'CLUSTER_UNAVAILABLE'
  | 'APPLY_FAILED'
  | 'HEAL_FAILED'
  | 'OWNED_BY_OTHER'
  | 'INVENTORY_BROKEN'
  | 'NOT_ESTABLISHED'
  | 'UNHEALTHY'
  | 'HOOK_FAILED'
  | 'PREFLIGHT_FAILED'
  | 'PRUNE_LIMIT'
  | 'DEPENDENCY_CYCLE'
> {}

/**
 * Tells whether a revision failed by itself, so that it counts for `sync.retry.limit` and may be rolled back. An outage, somebody else's
 * claim or a limit says nothing of the revision: what was not tried must not be banned.
 */
export function blamesRevision(error: unknown): boolean {
  return isAppFailure(error, 'APPLY_FAILED', 'PREFLIGHT_FAILED', 'NOT_ESTABLISHED', 'UNHEALTHY', 'HOOK_FAILED')
}

export function isAppFailure(error: unknown, ...codes: AppFailure['code'][]): error is AppFailure {
  return error instanceof AppFailure && codes.includes(error.code)
}

/** Tells whether the API server, or what it asks, was not able to answer: no word about what was sent. */
export function isOutage(error: unknown): boolean {
  return isKubeError(error, 'UNAVAILABLE', 'THROTTLED')
}

/** What the API server refused of an app by itself, as its failure; anything else stays what it is. */
export function asApplyFailure(error: unknown): unknown {
  return isKubeError(error, 'INVALID', 'FORBIDDEN', 'NOT_FOUND', 'REJECTED', 'UNKNOWN_KIND')
    ? new AppFailure('APPLY_FAILED', 'the API server refused it', {code: error.code}, {cause: error})
    : error
}
