import {SendMessageCommand, type SQSClient} from '@aws-sdk/client-sqs'
import {limits} from '../model/limits.ts'
import type {QueueSender} from '../ports/queue.ts'
import {QueueError} from '../ports/queue-error.ts'
import {queueError} from './queue-failure.ts'

const MAX_REASON_LENGTH = 1_000

/**
 * Sends JSON text to one SQS queue. Characters that a queue may refuse travel as JSON escapes, so a message means the same and
 * always passes. A `reason` travels as the message attribute `reason`, cut to 1,000 characters.
 */
export function createSqsSender({client, queueUrl}: {client: SQSClient; queueUrl: string}): QueueSender {
  return {
    send: async (text, {reason} = {}) => {
      const body = escapeUnsafe(text)
      const bytes = Buffer.byteLength(body)
      if (bytes > limits.maxMessageBytes) {
        throw new QueueError(
          'TOO_LARGE',
          `a message of ${bytes} bytes does not fit into queue ${queueUrl}; at most ${limits.maxMessageBytes} do`,
          {queue: queueUrl, bytes},
        )
      }
      // SQS counts attributes into the same limit, so a message at the limit goes without its reason.
      const fits = reason !== undefined && bytes + MAX_REASON_LENGTH * 4 <= limits.maxMessageBytes
      const attributes = fits ? {MessageAttributes: {reason: {DataType: 'String', StringValue: printable(reason)}}} : {}
      try {
        await client.send(new SendMessageCommand({QueueUrl: queueUrl, MessageBody: body, ...attributes}))
      } catch (error) {
        throw queueError('send to', queueUrl, error)
      }
    },
  }
}

// SQS takes what XML 1.0 can hold, and not every implementation takes characters above U+FFFF; inside JSON strings, the only
// place for them, an escape is the same character.
function escapeUnsafe(json: string): string {
  return json.replace(/[\uD800-\uDFFF\uFFFE\uFFFF]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16)}`)
}

// SQS refuses attribute values that are empty or hold what XML 1.0 cannot.
function printable(reason: string): string {
  const text = reason
    .slice(0, MAX_REASON_LENGTH)
    .toWellFormed()
    .replace(/[^\t\n\r\x20-\uD7FF\uE000-\uFFFD]/gu, ' ')
  return text === '' ? 'unknown' : text
}
