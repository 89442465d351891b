import {setTimeout as sleep} from 'node:timers/promises'
import type {SQSBatchResponse, SQSEvent} from 'aws-lambda'
import {describeError} from '#shared/model/drawbridge-error.ts'
import type {QueueReceiver, ReceivedMessage} from '#shared/ports/queue.ts'

export interface PollQueueOptions {
  receiver: QueueReceiver
  /** Stands in `eventSourceARN` of each record. */
  queueArn: string
  handler: (event: SQSEvent) => Promise<SQSBatchResponse | undefined>
  /** How many batches may be in the handler at once, as MaximumConcurrency of an event source mapping. */
  concurrency: number
  /** After a failure, how long until the message is tried again; grows with each receive, at most 30 s. */
  retryBaseMilliseconds?: number
  log: (line: string) => void
}

const waitSeconds = 20
const pauseAfterErrorMilliseconds = 250
const maxRetryMilliseconds = 30_000

/**
 * Feeds a handler from a queue in the way of a Lambda event source mapping with ReportBatchItemFailures: what succeeded is
 * deleted, what failed comes again, at first soon, and goes to the dead-letter queue in the end.
 */
export function pollQueue(options: PollQueueOptions): {stop(): Promise<void>} {
  const stopping = new AbortController()
  const pollers = Array.from({length: options.concurrency}, () => poll(options, stopping.signal))
  return {
    async stop() {
      stopping.abort()
      await Promise.all(pollers)
    },
  }
}

async function poll(options: PollQueueOptions, signal: AbortSignal): Promise<void> {
  const {receiver, log, queueArn} = options
  while (!signal.aborted) {
    try {
      const messages = await receiver.receive({waitSeconds, maxMessages: 1, signal})
      await Promise.all(messages.map((message) => handle(options, message)))
    } catch (error) {
      if (signal.aborted) return
      log(`queue ${queueArn}: ${describeError(error)}`)
      await sleep(pauseAfterErrorMilliseconds, undefined, {signal}).catch(() => undefined)
    }
  }
}

async function handle(
  {receiver, handler, queueArn, retryBaseMilliseconds = 500, log}: PollQueueOptions,
  message: ReceivedMessage,
): Promise<void> {
  const failed = await invoke(handler, queueArn, message).catch((error: unknown) => {
    log(`function on ${queueArn} failed: ${describeError(error)}`)
    return true
  })
  if (!failed) return receiver.delete(message)
  const delay = Math.min(maxRetryMilliseconds, retryBaseMilliseconds * 2 ** (message.receiveCount - 1))
  await receiver.release(message, Math.ceil(delay / 1000))
}

async function invoke(
  handler: PollQueueOptions['handler'],
  queueArn: string,
  message: ReceivedMessage,
): Promise<boolean> {
  const response = await handler({
    Records: [
      {
        messageId: message.id,
        receiptHandle: message.receipt,
        body: message.body,
        attributes: {
          ApproximateReceiveCount: String(message.receiveCount),
          SentTimestamp: '0',
          SenderId: 'local',
          ApproximateFirstReceiveTimestamp: '0',
        },
        messageAttributes: {},
        md5OfBody: '',
        eventSource: 'aws:sqs',
        eventSourceARN: queueArn,
        awsRegion: 'local',
      },
    ],
  })
  return (response?.batchItemFailures.length ?? 0) > 0
}
