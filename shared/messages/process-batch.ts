import * as z from 'zod'
import {mapBounded} from '../async/map-bounded.ts'
import {describeError} from '../model/drawbridge-error.ts'
import type {Clock} from '../ports/clock.ts'
import type {Journal} from '../ports/journal.ts'
import type {QueueSender} from '../ports/queue.ts'
import {MessageError} from './message-error.ts'
import {unpackBody} from './pack-body.ts'

/** What is looked at of a Lambda SQS event. */
const sqsEventSchema = z.object({
  Records: z.array(
    z.object({
      messageId: z.string(),
      body: z.string(),
      eventSourceARN: z.string().default(''),
      attributes: z.object({ApproximateReceiveCount: z.coerce.number().int().catch(1).optional()}).default({}),
    }),
  ),
})

/** One message of a batch, its body parsed as JSON. */
export interface IncomingMessage {
  body: unknown
  /** ARN of the queue that it came from; '' where the event names none. */
  queueArn: string
  /** More than one: this or another run took it before and may have done part of the work. */
  receiveCount: number
}

export interface BatchPorts {
  deadLetters: QueueSender
  clock: Clock
  journal: Journal
}

/** What a Lambda function tells SQS: the messages to deliver again (ReportBatchItemFailures). */
export interface BatchResponse {
  batchItemFailures: {itemIdentifier: string}[]
}

/**
 * Runs `process` on every message of a Lambda SQS event, a few at a time and each on its own. One that rejects with
 * `MessageError` can never succeed: it goes to the dead-letter queue with the reason and is done. Whatever else is thrown
 * makes SQS deliver that one message again.
 */
export async function processBatch(
  ports: BatchPorts,
  event: unknown,
  process: (message: IncomingMessage) => Promise<void>,
): Promise<BatchResponse> {
  const {Records} = sqsEventSchema.parse(event)
  const failures = await mapBounded(Records, 10, async ({messageId, body, eventSourceARN, attributes}) => {
    try {
      try {
        const receiveCount = attributes.ApproximateReceiveCount ?? 1
        await process({body: unpackBody(body), queueArn: eventSourceARN, receiveCount})
      } catch (error) {
        if (!(error instanceof MessageError)) throw error
        await ports.deadLetters.send(body, {reason: error.message})
        record(ports, error.code, `dead letter: ${error.message}`)
      }
      return []
    } catch (error) {
      record(ports, codeOf(error), `will be tried again: ${describeError(error)}`)
      return [{itemIdentifier: messageId}]
    }
  })
  return {batchItemFailures: failures.flat()}
}

function record({journal, clock}: BatchPorts, code: string, message: string): void {
  journal.record({event: 'failed', at: clock.now().toISOString(), code, message})
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'UNEXPECTED'
}
