import assert from 'node:assert/strict'
import {test} from 'node:test'
import {createEventThinner, MAX_ALIKE} from '#agent/thin-events.ts'
import type {ReportEvent} from '#shared/model/cluster-report.ts'

const events = (count: number, app = 'web', event: ReportEvent['event'] = 'drifted'): ReportEvent[] =>
  Array.from({length: count}, (_, index) => ({
    id: `${index}`,
    event,
    at: '2026-01-01T00:00:00.000Z',
    app,
    message: `c${index}`,
    object: {group: '', kind: 'ConfigMap', namespace: 'x', name: `c${index}`},
  }))

test('tells a few of a sort a minute, and one for the rest', () => {
  const thinner = createEventThinner()
  let told = 0
  // Ten minutes of a hundred a second.
  for (let second = 0; second < 600; second++) told += thinner.admit(events(100), second * 1_000).length
  told += thinner.release().length
  assert.equal(told, 10 * (MAX_ALIKE + 1))
  assert.equal(thinner.holds(), false)
})

test('keeps sorts and apps apart, and loses nothing of what is rare', () => {
  const thinner = createEventThinner()
  const rare = [...events(1, 'shop'), ...events(2, 'web', 'failed')]
  const admitted = thinner.admit([...events(30), ...rare], 0)
  assert.deepEqual(admitted.slice(MAX_ALIKE), rare)
  assert.equal(thinner.holds(), true)
  const [rest, ...none] = thinner.release()
  assert.deepEqual([rest?.message, rest?.object, none], ['20 more like it; the last: c29', undefined, []])
})

test('a single one that was held back is told as it is', () => {
  const thinner = createEventThinner()
  const all = events(MAX_ALIKE + 1)
  thinner.admit(all, 0)
  assert.deepEqual(thinner.admit([], 59_999), [])
  assert.deepEqual(thinner.admit([], 60_000), all.slice(-1))
})
