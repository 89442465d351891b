import assert from 'node:assert/strict'
import {test} from 'node:test'
import {MessageError} from '#shared/messages/message-error.ts'
import {processBatch} from '#shared/messages/process-batch.ts'
import type {JournalEvent} from '#shared/model/journal-event.ts'
import {QueueError} from '#shared/ports/queue-error.ts'
import {createMemoryQueue} from '#test/fakes/memory-queue.ts'

function createKit() {
  const deadLetters = createMemoryQueue()
  const events: JournalEvent[] = []
  const clock = {now: () => new Date('2026-01-01T00:00:00Z')}
  return {
    deadLetters,
    events,
    ports: {deadLetters, clock, journal: {record: (event: JournalEvent) => events.push(event)}},
  }
}

const record = (messageId: string, body: string, more: object = {}) => ({messageId, body, ...more})

test('asks for exactly those messages again that failed for now', async () => {
  const {ports, events, deadLetters} = createKit()
  const Records = ['a', 'b', 'c'].map((id) => record(id, JSON.stringify(id)))
  const response = await processBatch(ports, {Records}, async ({body}) => {
    if (body === 'b') throw new QueueError('UNAVAILABLE', 'the queue is down')
  })
  assert.deepEqual(response, {batchItemFailures: [{itemIdentifier: 'b'}]})
  assert.deepEqual(
    events.map(({event, code, message}) => [event, code, message]),
    [['failed', 'UNAVAILABLE', 'will be tried again: the queue is down']],
  )
  assert.equal(deadLetters.sent.length, 0)
})

test('puts what can never succeed aside, as it came and with the reason', async () => {
  const {ports, deadLetters} = createKit()
  const Records = [record('a', '{broken'), record('b', '{"kind":"?"}')]
  const response = await processBatch(ports, {Records}, async () => {
    throw new MessageError('UNKNOWN_KIND', 'no such kind')
  })
  assert.deepEqual(response, {batchItemFailures: []})
  assert.deepEqual(deadLetters.sent, [
    {body: '{broken', reason: 'the message is not JSON'},
    {body: '{"kind":"?"}', reason: 'no such kind'},
  ])
})

test('asks for a poisonous message again where even the dead-letter queue is down', async () => {
  const {ports} = createKit()
  const deadLetters = {
    send: async () => {
      throw new QueueError('UNAVAILABLE', 'down')
    },
  }
  const response = await processBatch({...ports, deadLetters}, {Records: [record('a', 'x')]}, async () => undefined)
  assert.deepEqual(response, {batchItemFailures: [{itemIdentifier: 'a'}]})
})

test('tells how often a message was received and from which queue', async () => {
  const {ports} = createKit()
  const seen: [number, string][] = []
  const Records = [
    record('a', '1', {attributes: {ApproximateReceiveCount: '3'}, eventSourceARN: 'arn:x'}),
    record('b', '2', {attributes: {}}),
    record('c', '3', {attributes: {ApproximateReceiveCount: 'many'}}),
  ]
  await processBatch(ports, {Records}, async ({receiveCount, queueArn}) => {
    seen.push([receiveCount, queueArn])
  })
  assert.deepEqual(seen, [
    [3, 'arn:x'],
    [1, ''],
    [1, ''],
  ])
})
