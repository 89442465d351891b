/** What kinds without a rule of their own say in condition types, reasons and one-word fields. All in lower case, one word each. */

/** Condition types that sum up an object, in the order in which they are asked where there is no `Ready`. */
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

/** The last word of a condition type that is bad news when it is True: `Failed`, `InvalidSpec`'s kin, `SubmissionError`, … */
export const failureTypeWords: ReadonlySet<string> = new Set([
  'failed',
  'failure',
  'degraded',
  'error',
  'invalid',
  'unhealthy',
  'terminal',
  'errored',
])

/** Words of a reason or a message that tell of a failure rather than of work under way. */
export const failureWords: ReadonlySet<string> = new Set([
  'abort',
  'aborted',
  'broken',
  'cannot',
  'crashed',
  'degraded',
  'denied',
  'err',
  'error',
  'errored',
  'errors',
  'exceeded',
  'fail',
  'failed',
  'failing',
  'fails',
  'failure',
  'forbidden',
  'incorrect',
  'invalid',
  'misconfigured',
  'rejected',
  'stalled',
  'terminal',
  'unable',
  'unauthorized',
  'unreachable',
  'unsupported',
])

/** Fields of `status` that sum an object up in one word, in the order in which they are asked. */
export const wordFields: readonly string[] = ['phase', 'state', 'health', 'status', 'currentStatus']

export const failedPhases: ReadonlySet<string> = new Set([
  ...failureWords,
  'configerror',
  'lost',
  'noncompliant',
  'red',
  'stopped',
  'unhealthy',
])

export const progressPhases: ReadonlySet<string> = new Set([
  'applyingchanges',
  'creating',
  'deleting',
  'deploying',
  'importing',
  'initializing',
  'initialising',
  'inprogress',
  'migrating',
  'new',
  'notready',
  'pending',
  'processing',
  'progressing',
  'provisioning',
  'queued',
  'reconciling',
  'restarting',
  'rolling',
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
