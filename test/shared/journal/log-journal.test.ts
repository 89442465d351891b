import assert from 'node:assert/strict'
import {test} from 'node:test'
import {createLogJournal} from '#shared/journal/log-journal.ts'

const event = {event: 'applied', at: '2026-01-01T00:00:00.000Z', message: 'two\nlines'} as const

test('writes an event as one line of JSON', () => {
  const lines: string[] = []
  createLogJournal((line) => lines.push(line)).record(event)
  assert.equal(lines.length, 1)
  assert.ok(!lines[0]?.includes('\n'))
  assert.deepEqual(JSON.parse(lines[0] ?? ''), event)
})

test('does not throw where nothing can be written', () => {
  const journal = createLogJournal(() => {
    throw new Error('the pipe is closed')
  })
  assert.doesNotThrow(() => journal.record(event))
})
