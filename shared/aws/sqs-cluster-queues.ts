import {GetQueueUrlCommand, SendMessageCommand, type SQSClient} from '@aws-sdk/client-sqs'
import type {ClusterQueues} from '../ports/queue.ts'
import {isQueueAbsent, queueError} from './queue-failure.ts'

/** Notifies clusters on SQS queues named `<prefix><cluster>`. The URL of each queue is asked for once and remembered. */
export function createSqsClusterQueues({client, prefix}: {client: SQSClient; prefix: string}): ClusterQueues {
  const urls = new Map<string, string>()
  const findUrl = async (cluster: string, queue: string): Promise<string> => {
    const known = urls.get(cluster)
    if (known !== undefined) return known
    const {QueueUrl = ''} = await client.send(new GetQueueUrlCommand({QueueName: queue}))
    urls.set(cluster, QueueUrl)
    return QueueUrl
  }
  return {
    notify: async (cluster, body) => {
      const queue = `${prefix}${cluster}`
      try {
        const QueueUrl = await findUrl(cluster, queue)
        await client.send(new SendMessageCommand({QueueUrl, MessageBody: body}))
        return 'sent'
      } catch (error) {
        if (!isQueueAbsent(error)) throw queueError('send to', queue, error)
        urls.delete(cluster)
        return 'no-queue'
      }
    },
  }
}
