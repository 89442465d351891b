import assert from 'node:assert/strict'
import {mock, test} from 'node:test'
import {formatLogLine} from '#cli/format-log-line.ts'
import {createEventOrder, orderEvents} from '#cli/order-events.ts'
import type {JournalEvent} from '#shared/model/journal-event.ts'

const told = (event: JournalEvent['event'], ms: number): JournalEvent => ({
  event,
  at: new Date(1_700_000_000_000 + ms).toISOString(),
})

test('prints what happened first before what came first, each event once', (t) => {
  mock.timers.enable({apis: ['setTimeout', 'Date']})
  t.after(() => mock.timers.reset())
  const printed: string[] = []
  const order = createEventOrder(({event}) => printed.push(event), 100)
  order.add(told('rendered', 20))
  mock.timers.tick(60)
  order.add(told('published', 40))
  order.add(told('signed', 30))
  order.add(told('received', 10))
  assert.deepEqual(printed, [])
  mock.timers.tick(40)
  assert.deepEqual(printed, ['received', 'rendered'])
  mock.timers.tick(60)
  assert.deepEqual(printed, ['received', 'rendered', 'signed', 'published'])
  order.add(told('healthy', 50))
  order.add(told('applied', 40))
  order.end()
  assert.deepEqual(printed.slice(4), ['applied', 'healthy'])
  mock.timers.tick(1_000)
  assert.equal(printed.length, 6)
})

test('an agent that was quicker than the answer to the publisher comes after it all the same', () => {
  const about = {app: 'web', cluster: 'dev', revision: 'main@sha1:1'}
  const events = [{...told('pulled', 10), ...about}, told('skipped', 15), {...told('published', 20), ...about}]
  assert.deepEqual(
    orderEvents(events).map(({event}) => event),
    ['published', 'skipped', 'pulled'],
  )
})

test("shows an agent's log as words, and leaves alone what is none", () => {
  const line = 'agent dev: {"level":"warn","at":"2026-01-01T00:00:00.000Z","app":"web","message":"it waits"}'
  assert.equal(formatLogLine(line), 'agent dev: warn: it waits')
  assert.equal(formatLogLine(line.replace('warn', 'info')), 'agent dev: it waits')
  const forged = 'agent dev: {"level":"error","message":"refused\\npublished web"}'
  assert.equal(formatLogLine(forged), String.raw`agent dev: error: refused\u000apublished web`)
  for (const other of ['agent dev: {"a":1}', 'agent dev: {broken', 'etcd of cluster dev ended'])
    assert.equal(formatLogLine(other), other)
})
