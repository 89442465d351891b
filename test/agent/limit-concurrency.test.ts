import assert from 'node:assert/strict'
import {test} from 'node:test'
import {setImmediate as turn} from 'node:timers/promises'
import {createConcurrencyLimit} from '#agent/limit-concurrency.ts'

/** Tasks that end when they are told to, and a record of which began. */
function createTasks(limit: ReturnType<typeof createConcurrencyLimit>) {
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  return {
    begun,
    run(name: string, lane?: string) {
      const {promise, resolve} = Promise.withResolvers<void>()
      ends.set(name, resolve)
      void limit.run(() => {
        begun.push(name)
        return promise
      }, lane)
    },
    async end(name: string) {
      ends.get(name)?.()
      await turn()
    },
  }
}

test('runs as many at once as it may, the others in their order', async () => {
  const {run, end, begun} = createTasks(createConcurrencyLimit(2))
  for (const name of ['a', 'b', 'c', 'd']) run(name)
  assert.deepEqual(begun, ['a', 'b'])
  await end('b')
  await end('a')
  assert.deepEqual(begun, ['a', 'b', 'c', 'd'])
})

test('a lane whose tasks hang leaves one place to each other lane, up to twice as many in all', async () => {
  const {run, end, begun} = createTasks(createConcurrencyLimit(2))
  for (const name of ['slow1', 'slow2', 'slow3']) run(name, 'slow')
  run('x1', 'x')
  run('x2', 'x')
  run('y1', 'y')
  run('z1', 'z')
  assert.deepEqual(begun, ['slow1', 'slow2', 'x1', 'y1'])
  await end('x1')
  assert.deepEqual(begun.slice(4), ['x2'], 'the next of the same lane, since slow3 has two before it')
  await end('x2')
  assert.deepEqual(begun.slice(5), ['z1'])
  for (const name of ['y1', 'z1', 'slow1']) await end(name)
  assert.deepEqual(begun.slice(6), ['slow3'])
})

test('halves when throttled, at most twice a second, and widens again with successes', async () => {
  let nowMs = 0
  const limit = createConcurrencyLimit(8, () => nowMs)
  limit.throttled()
  limit.throttled()
  assert.equal(limit.width, 4)
  nowMs = 500
  limit.throttled()
  assert.equal(limit.width, 2)
  for (let count = 0; count < 64; count++) await limit.run(async () => undefined)
  assert.equal(limit.width, 3)
})
