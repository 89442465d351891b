import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'

import {DeleteMessageCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient} from '@aws-sdk/client-sqs'

import {type LocalQueues, startQueues} from '#infra/local/start-queues.ts'
import {waitUntil} from '#infra/local/wait-until.ts'
import {startFaultProxy} from '#test/fault-proxy.ts'

let queues: LocalQueues
let client: SQSClient
const log: string[] = []

const newClient = (endpoint: string) =>
  new SQSClient({endpoint, region: queues.region, credentials: {accessKeyId: 'any', secretAccessKey: 'any'}})

before(async () => {
  queues = await startQueues({log: (line) => log.push(line)})
  client = newClient(queues.endpoint)
})

after(async () => {
  client?.destroy()
  await queues?.stop()
})

const send = (QueueUrl: string, MessageBody: string) => client.send(new SendMessageCommand({QueueUrl, MessageBody}))
const receive = async (QueueUrl: string, WaitTimeSeconds = 0, abortSignal = AbortSignal.timeout(30_000)) =>
  (await client.send(new ReceiveMessageCommand({QueueUrl, WaitTimeSeconds}), {abortSignal})).Messages?.[0]

test('answers a waiting poll when a message comes', async () => {
  const url = await queues.createQueue('polled', {visibilityTimeoutSeconds: 30})
  const poll = receive(url, 10)
  await send(url, 'hello')
  assert.equal((await poll)?.Body, 'hello')
})

test('shows a received message again after its visibility timeout, unless it was deleted', async () => {
  const url = await queues.createQueue('hiding', {visibilityTimeoutSeconds: 1})
  await send(url, 'again')
  assert.equal((await receive(url))?.Body, 'again')
  assert.equal(await receive(url), undefined)
  const second = await receive(url, 5)
  assert.equal(second?.Body, 'again')
  await client.send(new DeleteMessageCommand({QueueUrl: url, ReceiptHandle: second?.ReceiptHandle}))
  assert.equal(await receive(url, 2), undefined)
})

test('moves a message that was received too often to the dead-letter queue', async () => {
  const dead = await queues.createQueue('dead', {visibilityTimeoutSeconds: 30})
  const url = await queues.createQueue('poisoned', {
    visibilityTimeoutSeconds: 0,
    deadLetterAfter: {queue: 'dead', receives: 2},
  })
  await send(url, 'poison')
  assert.equal((await receive(url))?.Body, 'poison')
  assert.equal((await receive(url))?.Body, 'poison')
  assert.equal(await receive(url), undefined)
  assert.equal((await receive(dead))?.Body, 'poison')
})

test('gives a message to the next poll when the one before was given up', async () => {
  const url = await queues.createQueue('aborted', {visibilityTimeoutSeconds: 300})
  const aborting = new AbortController()
  const poll = assert.rejects(receive(url, 20, aborting.signal), {name: 'AbortError'})
  const before = log.length
  // The poll must have reached the server before it is given up, or this would show nothing.
  await waitUntil(async () => (await pollArrived()) || undefined, {timeoutMilliseconds: 2_000})
  aborting.abort()
  await poll
  await send(url, 'kept')
  assert.equal((await receive(url, 5))?.Body, 'kept')
  assert.match(log.slice(before).join(), /put back a message/)
})

// Another request over the same server that is answered after the poll was sent.
async function pollArrived(): Promise<boolean> {
  await queues.createQueue('probe', {visibilityTimeoutSeconds: 1})
  return true
}

test('refuses a message over 1 MiB', async () => {
  const url = await queues.createQueue('large', {visibilityTimeoutSeconds: 30})
  await send(url, 'x'.repeat(1024 * 1024))
  await assert.rejects(send(url, 'x'.repeat(1024 * 1024 + 1)), /shorter than 1048576 bytes/)
})

test('restarts at the same address with the same queues and no messages, ending polls that wait', async () => {
  const own = await startQueues()
  const ownClient = newClient(own.endpoint)
  try {
    const url = await own.createQueue('kept', {visibilityTimeoutSeconds: 30})
    await ownClient.send(new SendMessageCommand({QueueUrl: url, MessageBody: 'lost'}))
    await own.restart()
    assert.equal((await ownClient.send(new ReceiveMessageCommand({QueueUrl: url}))).Messages, undefined)
    await ownClient.send(new SendMessageCommand({QueueUrl: url, MessageBody: 'new'}))
    const {Messages} = await ownClient.send(new ReceiveMessageCommand({QueueUrl: url}))
    assert.equal(Messages?.[0]?.Body, 'new')
  } finally {
    ownClient.destroy()
    await own.stop()
  }
})

test('is reached through a proxy that fails a request, which the client repeats', async (t) => {
  const proxy = await startFaultProxy(queues.endpoint)
  const proxied = newClient(proxy.endpoint)
  t.after(async () => {
    proxied.destroy()
    await proxy.stop()
  })
  const url = await queues.createQueue('proxied', {visibilityTimeoutSeconds: 30})
  proxy.failNext(1, 503)
  await proxied.send(new SendMessageCommand({QueueUrl: url, MessageBody: 'through'}))
  assert.equal(proxy.faults(), 1)
  assert.equal((await receive(url))?.Body, 'through')
})
