import assert from 'node:assert/strict'
import {test} from 'node:test'
import {createHealRecord, isOutdated, noteFailure, noteHeal} from '#agent/pace-heals.ts'

const minutes = (count: number): number => count * 60_000

test('an object that is changed now and then is healed at once', () => {
  const record = createHealRecord()
  for (let minute = 0; minute < 30; minute++) assert.equal(noteHeal(record, minutes(minute) / 4), 0)
})

test('whoever changes it back at once waits twice as long each time, up to ten minutes', () => {
  const record = createHealRecord()
  let now = 0
  const pauses: number[] = []
  for (let heal = 0; heal < 14; heal++) {
    const pause = noteHeal(record, now)
    pauses.push(pause / 1_000)
    now += pause + 100
  }
  assert.deepEqual(pauses, [0, 0, 0, 0, 0, 30, 60, 120, 240, 480, 600, 600, 600, 600])
})

test('after peace as long as the last pause it is healed at once again', () => {
  const record = createHealRecord()
  let now = 0
  for (let heal = 0; heal < 8; heal++) now += noteHeal(record, now) + 100
  assert.equal(record.pauseMs, 120_000)
  assert.equal(isOutdated(record, now + minutes(1)), false)
  assert.equal(isOutdated(record, now + minutes(3)), true)
  assert.equal(noteHeal(record, now + minutes(3)), 0)
})

test('a heal that fails is tried again later and later, and for ever', () => {
  const record = createHealRecord()
  const waits = Array.from({length: 12}, () => noteFailure(record) / 1_000)
  assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300])
  assert.equal(isOutdated(record, minutes(600)), false)
})
