import assert from 'node:assert/strict'
import {test} from 'node:test'
import fc from 'fast-check'
import {mapBounded} from '#shared/async/map-bounded.ts'

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('keeps the order, and never runs more than it may', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(3)), fc.integer({min: 1, max: 5}), async (turns, concurrency) => {
      let running = 0
      let most = 0
      const result = await mapBounded(turns, concurrency, async (count, index) => {
        running += 1
        most = Math.max(most, running)
        for (let turn = 0; turn < count; turn++) await nextTurn()
        running -= 1
        return index
      })
      assert.deepEqual(result, [...turns.keys()])
      assert.ok(most <= concurrency)
    }),
    {numRuns: 50},
  )
})

test('begins nothing more after a failure', async () => {
  const begun: number[] = []
  const mapping = mapBounded([0, 1, 2, 3, 4, 5], 2, async (item) => {
    begun.push(item)
    await nextTurn()
    if (item === 1) throw new Error('one failed')
  })
  await assert.rejects(mapping, /one failed/)
  for (let turn = 0; turn < 10; turn++) await nextTurn()
  assert.ok(begun.length <= 3, `began ${begun.join(', ')}`)
})
