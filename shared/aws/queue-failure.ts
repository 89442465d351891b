import {QueueError} from '../ports/queue-error.ts'
import {isDenied, readServiceFailure} from './service-failure.ts'

/** Tells whether the queue is not there: by either of the names that SQS's two protocols give it. */
export function isQueueAbsent(error: unknown): boolean {
  const {name} = readServiceFailure(error)
  return name === 'QueueDoesNotExist' || name === 'AWS.SimpleQueueService.NonExistentQueue'
}

/** Turns what the SDK threw into a `QueueError`. `queue` is a name or URL for the message. */
export function queueError(
  verb: 'send to' | 'receive from' | 'delete from' | 'release to',
  queue: string,
  error: unknown,
): QueueError {
  const failure = readServiceFailure(error)
  const details = {queue, status: failure.status, service: failure.name}
  if (isDenied(failure)) {
    return new QueueError(
      'ACCESS_DENIED',
      `not allowed to ${verb} queue ${queue}; check the policy of these credentials`,
      details,
      {cause: error},
    )
  }
  return new QueueError('UNAVAILABLE', `could not ${verb} queue ${queue}`, details, {cause: error})
}
