// What kinds without a rule of their own say in condition types, reasons and one-word fields. Single words are in lower case.

/** Condition types that sum up an object, in the order in which they speak for it where there is no `Ready`. */
export const summaryConditions: readonly string[] = [
  'Healthy',
  'Available',
  'Succeeded',
  'Completed',
  'Complete',
  'Synced',
  'Valid',
  'Programmed',
  'Accepted',
  'ResolvedRefs',
  'Deployed',
  'Established',
  'Compliant',
  'Admitted',
  'Active',
  'Bound',
  'Initialized',
]

/** The last word of other condition types that an object waits for: `AllReplicasReady`, `ReconcileSuccess`, … */
export const summaryTypeWords: ReadonlySet<string> = new Set([
  'ready',
  'available',
  'healthy',
  'success',
  'successful',
  'discoverable',
  'synchronized',
  'reconciled',
  'provisioned',
  'installed',
  'deployed',
  'applied',
])

/** The first or last word of a condition type that is bad news when it is True: `InstallFailed`, `InvalidSpec`, … */
export const failureTypeWords: ReadonlySet<string> = new Set([
  'conflicted',
  'crashed',
  'degraded',
  'error',
  'errored',
  'errors',
  'exception',
  'failed',
  'failing',
  'failure',
  'invalid',
  'irreconcilable',
  'misconfigured',
  'rejected',
  'stalled',
  'terminal',
  'unhealthy',
])

/** Words of a reason or a message that tell of a failure rather than of work under way. */
export const failureWords: ReadonlySet<string> = new Set([
  'abort',
  'aborted',
  'broken',
  'cannot',
  'conflict',
  'conflicted',
  'crashed',
  'degraded',
  'denied',
  'err',
  'error',
  'errored',
  'errors',
  'exceeded',
  'exception',
  'fail',
  'failed',
  'failing',
  'fails',
  'failure',
  'forbidden',
  'incorrect',
  'invalid',
  'misconfigured',
  'missing',
  'refused',
  'rejected',
  'stalled',
  'terminal',
  'unable',
  'unauthorized',
  'unreachable',
  'unsupported',
])

/** Words of the reason of a True `Progressing` condition by which its controller says that it is through. */
export const doneWords: ReadonlySet<string> = new Set(['available', 'complete', 'completed', 'done', 'succeeded'])

// What is missing may be so because someone wants it (a suspended job's pods).
export const failedPhases: ReadonlySet<string> = new Set([
  ...[...failureWords].filter((word) => word !== 'missing'),
  'configerror',
  'faulty',
  'lost',
  'noncompliant',
  'red',
  'unavailable',
  'unhealthy',
])

export const progressPhases: ReadonlySet<string> = new Set([
  'applying',
  'connecting',
  'creating',
  'deleting',
  'deploying',
  'importing',
  'finalizing',
  'initialising',
  'initializing',
  'inprogress',
  'installing',
  'migrating',
  'new',
  'notfound',
  'notreconciled',
  'notready',
  'pending',
  'processing',
  'progress',
  'progressing',
  'provisioning',
  'queued',
  'reconciling',
  'restarting',
  'rolling',
  'restoring',
  'scaling',
  'scheduled',
  'scheduling',
  'starting',
  'stopping',
  'submitted',
  'updating',
  'upgrading',
  'waiting',
  'yellow',
])

export const unknownPhases: ReadonlySet<string> = new Set(['unknown'])

/** Splits what is written as `CreateFailed`, `ERR_TIMEOUT` or `could not` into words in lower case. */
export function splitWords(text: string): string[] {
  return text
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((word) => word !== '')
}

/** Tells whether one of the words is in a text. */
export function hasWord(text: string, words: ReadonlySet<string>): boolean {
  return splitWords(text).some((word) => words.has(word))
}
