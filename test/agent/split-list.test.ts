import assert from 'node:assert/strict'
import {test} from 'node:test'
import fc from 'fast-check'
import {createListSplitter} from '#agent/kube/split-list.ts'

function split(text: string, cuts: readonly number[], maxLength = 1_000_000) {
  const items: unknown[] = []
  let tooLong = 0
  const splitter = createListSplitter(maxLength, {
    onItem: (json) => void items.push(JSON.parse(json)),
    onTooLong: () => void tooLong++,
  })
  let start = 0
  for (const cut of [...cuts].sort((a, b) => a - b).filter((at) => at < text.length)) {
    splitter.push(text.slice(start, cut))
    start = cut
  }
  splitter.push(text.slice(start))
  return {items, rest: JSON.parse(splitter.rest()), tooLong}
}

const text = fc.string({unit: fc.constantFrom('a', '"', '\\', '{', '}', '[', ']', ',', ':', 'items', 'ü', '\n')})
const value = fc.jsonValue({depthSize: 'small'})
const item = fc.dictionary(text, value)

test('a list comes apart into the items that it has, wherever its text is cut', () => {
  fc.assert(
    fc.property(
      fc.array(item, {maxLength: 5}),
      fc.dictionary(text, value),
      fc.array(fc.nat(2_000)),
      fc.constantFrom(undefined, 1),
      (items, metadata, cuts, space) => {
        const list = {kind: 'items', metadata, items, apiVersion: 'v1'}
        const {items: found, rest} = split(JSON.stringify(list, undefined, space), cuts)
        assert.deepEqual(found, JSON.parse(JSON.stringify(items)))
        assert.deepEqual(rest, JSON.parse(JSON.stringify({...list, items: []})))
      },
    ),
  )
})

test('a list without items is a list', () => {
  const list = {kind: 'ConfigMapList', metadata: {resourceVersion: '7'}, items: null}
  assert.deepEqual(split(JSON.stringify(list), []), {items: [], rest: list, tooLong: 0})
})

test('an item that is too long is told and left out, and the others are not', () => {
  const items = [{a: 1}, {long: 'x'.repeat(100)}, {b: 2}]
  const {items: found, tooLong} = split(JSON.stringify({metadata: {}, items}), [10, 20, 30, 40, 60, 80], 60)
  assert.deepEqual([found, tooLong], [[{a: 1}, {b: 2}], 1])
})
