import {DrawbridgeError} from '#shared/model/drawbridge-error.ts'

/**
 * Why an app could not be brought to its desired state. `REFUSED` and `POLICY` need something new to be published; the others are
 * tried again with a growing pause.
 */
export class AppFailure extends DrawbridgeError<
  | 'REFUSED'
  | 'POLICY'
  | 'UNREACHABLE'
  | 'APPLY_FAILED'
  | 'OWNED_BY_OTHER'
  | 'INVENTORY_BROKEN'
  | 'NOT_ESTABLISHED'
  | 'UNHEALTHY'
  | 'HOOK_FAILED'
  | 'PREFLIGHT_FAILED'
  | 'PRUNE_LIMIT'
  | 'DEPENDENCY_CYCLE'
> {}
