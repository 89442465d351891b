import assert from 'node:assert/strict'
import {test} from 'node:test'
import {limits} from '#shared/model/limits.ts'
import type {QueueReceiver, QueueSender} from '#shared/ports/queue.ts'
import {QueueError} from '#shared/ports/queue-error.ts'

export interface OpenQueue {
  sender: QueueSender
  receiver: QueueReceiver
}

/** What every queue must do. `open` makes a fresh queue whose messages stay hidden for 30 seconds once received. */
export function testQueue(name: string, open: () => Promise<OpenQueue>): void {
  test(`${name}: delivers the JSON that was sent, whatever characters it holds, and counts its receipts`, async () => {
    const {sender, receiver} = await open()
    const value = {text: 'ü 😀 \u0001 \uFFFF \uFFFE <&>', list: [1, 2]}
    await sender.send(JSON.stringify(value), {reason: 'a reason with ü, 😀 and \u0001'})
    const [message] = await receiver.receive({waitSeconds: 2})
    assert.deepEqual(JSON.parse(message?.body ?? ''), value)
    assert.equal(message?.receiveCount, 1)
  })

  test(`${name}: hides a received message until it is released`, async () => {
    const {sender, receiver} = await open()
    await sender.send('one')
    const [message] = await receiver.receive({waitSeconds: 2})
    assert.ok(message !== undefined)
    assert.deepEqual(await receiver.receive({waitSeconds: 0}), [])
    await receiver.release(message, 0)
    const [again] = await receiver.receive({waitSeconds: 2})
    assert.equal(again?.body, 'one')
    assert.equal(again?.id, message.id)
    assert.equal(again?.receiveCount, 2)
  })

  test(`${name}: delivers a deleted message no more`, async () => {
    const {sender, receiver} = await open()
    await sender.send('one')
    const [message] = await receiver.receive({waitSeconds: 2})
    assert.ok(message !== undefined)
    await receiver.delete(message)
    assert.deepEqual(await receiver.receive({waitSeconds: 0}), [])
  })

  test(`${name}: gives at most as many messages as asked for, and loses none`, async () => {
    const {sender, receiver} = await open()
    const bodies = Array.from({length: 7}, (_, index) => `message ${index}`)
    await Promise.all(bodies.map((body) => sender.send(body)))
    const received: string[] = []
    for (let polls = 0; polls < 20 && received.length < bodies.length; polls++) {
      const messages = await receiver.receive({waitSeconds: 1, maxMessages: 3})
      assert.ok(messages.length <= 3)
      for (const message of messages) {
        received.push(message.body)
        await receiver.delete(message)
      }
    }
    assert.deepEqual(received.sort(), bodies)
  })

  test(`${name}: wakes a waiting receiver when a message comes`, async () => {
    const {sender, receiver} = await open()
    const begun = performance.now()
    const receiving = receiver.receive({waitSeconds: 20})
    await sender.send('wake up')
    const [message] = await receiving
    assert.equal(message?.body, 'wake up')
    assert.ok(performance.now() - begun < 10_000)
  })

  test(`${name}: resolves an aborted receive to nothing`, async () => {
    const {receiver} = await open()
    const abort = new AbortController()
    const receiving = receiver.receive({waitSeconds: 20, signal: abort.signal})
    abort.abort()
    assert.deepEqual(await receiving, [])
    assert.deepEqual(await receiver.receive({waitSeconds: 20, signal: abort.signal}), [])
  })

  test(`${name}: refuses a message over the limit, and takes one of exactly that size`, async () => {
    const {sender, receiver} = await open()
    await sender.send('x'.repeat(limits.maxMessageBytes))
    await assert.rejects(
      sender.send(`ü${'x'.repeat(limits.maxMessageBytes - 1)}`),
      (error) => error instanceof QueueError && error.code === 'TOO_LARGE',
    )
    const [message] = await receiver.receive({waitSeconds: 2})
    assert.equal(message?.body.length, limits.maxMessageBytes)
  })
}
