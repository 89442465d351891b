import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import type {QueueReceiver} from '../ports/queue.ts'
import {queueError} from './queue-failure.ts'

/** Receives from one SQS queue by long polling. An abort may leave a message invisible until its visibility timeout. */
export function createSqsReceiver({client, queueUrl}: {client: SQSClient; queueUrl: string}): QueueReceiver {
  return {
    receive: async ({waitSeconds, maxMessages = 10, signal}) => {
      if (signal?.aborted) return []
      try {
        const {Messages = []} = await client.send(
          new ReceiveMessageCommand({
            QueueUrl: queueUrl,
            WaitTimeSeconds: waitSeconds,
            MaxNumberOfMessages: maxMessages,
            MessageSystemAttributeNames: ['ApproximateReceiveCount'],
          }),
          {requestTimeout: (waitSeconds + 10) * 1_000, ...(signal !== undefined && {abortSignal: signal})},
        )
        return Messages.flatMap(({MessageId, Body, ReceiptHandle, Attributes}) => {
          if (MessageId === undefined || ReceiptHandle === undefined) return []
          const receiveCount = Number(Attributes?.ApproximateReceiveCount ?? 1)
          return [{id: MessageId, body: Body ?? '', receiveCount, receipt: ReceiptHandle}]
        })
      } catch (error) {
        if (signal?.aborted) return []
        throw queueError('receive from', queueUrl, error)
      }
    },
    delete: async ({receipt}) => {
      try {
        await client.send(new DeleteMessageCommand({QueueUrl: queueUrl, ReceiptHandle: receipt}))
      } catch (error) {
        throw queueError('delete from', queueUrl, error)
      }
    },
    release: async ({receipt}, delaySeconds) => {
      try {
        await client.send(
          new ChangeMessageVisibilityCommand({
            QueueUrl: queueUrl,
            ReceiptHandle: receipt,
            VisibilityTimeout: delaySeconds,
          }),
        )
      } catch (error) {
        throw queueError('release to', queueUrl, error)
      }
    },
  }
}
