import {DrawbridgeError} from '#shared/model/drawbridge-error.ts'

/**
 * Why the API server did not do it. `THROTTLED` and `UNAVAILABLE` are raised only after the client's own retries and may
 * succeed later; `CONFLICT` needs a fresh read; the others need a change of the object, of the cluster or of its rights.
 * `message` is in the API server's words, but for Secrets, where those could quote a value.
 */
export class KubeError extends DrawbridgeError<
  | 'NOT_FOUND'
  | 'CONFLICT'
  | 'INVALID'
  | 'FORBIDDEN'
  | 'UNAUTHORIZED'
  | 'EXPIRED'
  | 'THROTTLED'
  | 'UNAVAILABLE'
  | 'REJECTED'
  | 'UNKNOWN_KIND'
  | 'BAD_CREDENTIALS'
  | 'ABORTED'
> {}

/** The code that an HTTP status stands for. */
export function codeOfStatus(status: number): KubeError['code'] {
  switch (status) {
    case 401:
      return 'UNAUTHORIZED'
    case 403:
      return 'FORBIDDEN'
    case 404:
      return 'NOT_FOUND'
    case 409:
      return 'CONFLICT'
    case 410:
      return 'EXPIRED'
    case 422:
      return 'INVALID'
    case 429:
      return 'THROTTLED'
    default:
      return status >= 500 ? 'UNAVAILABLE' : 'REJECTED'
  }
}

/** Tells whether it was this kind of refusal. */
export function isKubeError(error: unknown, ...codes: KubeError['code'][]): error is KubeError {
  return error instanceof KubeError && (codes.length === 0 || codes.includes(error.code))
}

/** Tells whether the API server refused a change for nothing but fields that cannot be changed once they are set. */
export function isImmutableError(error: unknown): error is KubeError {
  return isKubeError(error, 'INVALID') && error.details.immutable === true
}

/** Tells whether a webhook kept the API server from its answer, or may have: none came in time. */
export function isHeldUp(error: unknown): error is KubeError {
  return isKubeError(error) && (error.details.webhook !== undefined || error.details.unanswered === true)
}
