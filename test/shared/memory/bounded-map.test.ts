import assert from 'node:assert/strict'
import {test} from 'node:test'
import {createBoundedMap} from '#shared/memory/bounded-map.ts'

test('forgets what was not used for longest once it is full', () => {
  const map = createBoundedMap<string, number>(10, (weight) => weight)
  map.set('a', 4)
  map.set('b', 4)
  assert.equal(map.get('a'), 4)
  map.set('c', 4)
  assert.deepEqual(
    ['a', 'b', 'c'].map((key) => map.get(key)),
    [4, undefined, 4],
  )
  map.set('a', 1)
  map.set('d', 5)
  assert.deepEqual(
    ['a', 'c', 'd'].map((key) => map.get(key)),
    [1, 4, 5],
  )
})

test('keeps nothing that is larger than the bound, nor what was there before it', () => {
  const map = createBoundedMap<string, number>(10, (weight) => weight)
  map.set('a', 2)
  map.set('b', 3)
  map.set('a', 11)
  assert.equal(map.get('a'), undefined)
  assert.equal(map.get('b'), 3)
  map.delete('b')
  map.set('c', 10)
  assert.equal(map.get('c'), 10)
})
