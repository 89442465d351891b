import assert from 'node:assert/strict'
import {test} from 'node:test'
import {memoizeAsync} from '#shared/async/memoize-async.ts'

test('makes a result once for all who ask, and keeps no failure', async () => {
  let made = 0
  const get = memoizeAsync(async () => {
    made += 1
    if (made === 1) throw new Error('not yet')
    return made
  })
  await assert.rejects(get(), /not yet/)
  assert.deepEqual(await Promise.all([get(), get()]), [2, 2])
  assert.equal(await get(), 2)
})

test('makes a result anew once it is too old', async () => {
  let made = 0
  let now = 0
  const get = memoizeAsync(async () => ++made, {ttlMilliseconds: 100, now: () => now})
  assert.equal(await get(), 1)
  now = 99
  assert.equal(await get(), 1)
  now = 100
  assert.equal(await get(), 2)
})
