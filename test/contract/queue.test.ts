import assert from 'node:assert/strict'
import {randomUUID} from 'node:crypto'
import {after, before, test} from 'node:test'
import {type LocalQueues, startQueues} from '#infra/local/start-queues.ts'
import {type AwsClients, createAwsClients} from '#shared/aws/aws-clients.ts'
import {createSqsClusterQueues} from '#shared/aws/sqs-cluster-queues.ts'
import {createSqsReceiver} from '#shared/aws/sqs-receiver.ts'
import {createSqsSender} from '#shared/aws/sqs-sender.ts'
import {createMemoryQueue} from '#test/fakes/memory-queue.ts'
import {testQueue} from './queue-contract.ts'

testQueue('memory', async () => {
  const queue = createMemoryQueue()
  return {sender: queue, receiver: queue}
})

let queues: LocalQueues
let clients: AwsClients

before(async () => {
  queues = await startQueues()
  clients = createAwsClients({
    sqsEndpoint: queues.endpoint,
    credentials: {accessKeyId: 'contract', secretAccessKey: 'contract'},
  })
})

after(async () => {
  clients.sqs.destroy()
  clients.s3.destroy()
  await queues.stop()
})

testQueue('SQS', async () => {
  const queueUrl = await queues.createQueue(`contract-${randomUUID()}`, {visibilityTimeoutSeconds: 30})
  const options = {client: clients.sqs, queueUrl}
  return {sender: createSqsSender(options), receiver: createSqsReceiver(options)}
})

test('SQS: notifies the queue of a cluster, and tells where there is none yet', async () => {
  const prefix = `notify-${randomUUID()}-`
  const clusterQueues = createSqsClusterQueues({client: clients.sqs, prefix})
  assert.equal(await clusterQueues.notify('dev', 'early'), 'no-queue')
  const queueUrl = await queues.createQueue(`${prefix}dev`, {visibilityTimeoutSeconds: 30})
  assert.equal(await clusterQueues.notify('dev', 'hello'), 'sent')
  assert.equal(await clusterQueues.notify('dev', 'again'), 'sent')
  const receiver = createSqsReceiver({client: clients.sqs, queueUrl})
  const bodies: string[] = []
  for (let polls = 0; polls < 10 && bodies.length < 2; polls++) {
    bodies.push(...(await receiver.receive({waitSeconds: 1})).map(({body}) => body))
  }
  assert.deepEqual(bodies.sort(), ['again', 'hello'])
})
