import assert from 'node:assert/strict'
import {test} from 'node:test'
import fc from 'fast-check'
import {isJsonObject, type JsonObject} from '#shared/model/manifest.ts'
import {diffValues} from '#shared/plan/diff-fields.ts'

function difference(live: JsonObject, desired: JsonObject): string[] {
  return diffValues(live, desired).map((found) => `${found.difference} ${found.path}`)
}

const container = (name: string, image: string): JsonObject => ({name, image, ports: [{containerPort: 80}]})
const deployment = (...containers: JsonObject[]): JsonObject => ({spec: {template: {spec: {containers}}}})

test('tells what is missing, extra and changed, by path', () => {
  assert.deepEqual(difference({spec: {a: 1, b: 2}}, {spec: {b: 3, c: [1]}}), [
    'extra /spec/a',
    'changed /spec/b',
    'missing /spec/c',
  ])
})

test('tells apart numbers that are one beyond 2^53, and finds items that they name', () => {
  const even = 2n ** 53n
  assert.deepEqual(diffValues({a: even}, {a: even + 1n}), [
    {path: '/a', difference: 'changed', from: even, to: even + 1n},
  ])
  assert.deepEqual(difference({a: even + 1n}, {a: even + 1n}), [])
  const [first, second] = [{key: even}, {key: even + 1n}]
  assert.deepEqual(difference({l: [first, second]}, {l: [{...second, size: 1}]}), [
    `extra /l[key=${even}]`,
    `missing /l[key=${even + 1n}]/size`,
  ])
})

test('finds the items of a list by their names, wherever they stand', () => {
  const live = deployment(container('proxy', 'p:1'), container('web', 'w:2'))
  const desired = deployment(container('web', 'w:1'), container('log', 'l:1'))
  assert.deepEqual(
    difference(live, desired),
    [
      'changed /spec/template/spec/containers[name=web]/image',
      'extra /spec/template/spec/containers[name=proxy]',
      'missing /spec/template/spec/containers[name=log]',
    ].sort((a, b) => ((a.split(' ')[1] ?? '') < (b.split(' ')[1] ?? '') ? -1 : 1)),
  )
})

test('tells that named items were put into another order', () => {
  const live = deployment(container('a', 'a:1'), container('b', 'b:1'))
  const desired = deployment(container('b', 'b:1'), container('a', 'a:1'))
  assert.deepEqual(difference(live, desired), ['changed /spec/template/spec/containers'])
})

test('compares lists without names by position, also where names repeat', () => {
  assert.deepEqual(difference({args: ['a', 'b']}, {args: ['a', 'c', 'd']}), ['changed /args/1', 'missing /args/2'])
  const twice = [
    {port: 53, protocol: 'UDP'},
    {port: 53, protocol: 'TCP'},
  ]
  assert.deepEqual(difference({ports: twice}, {ports: twice.slice(0, 1)}), ['extra /ports/1'])
})

test('ignores the status and what the API server sets', () => {
  const metadata = {name: 'a', labels: {x: '1'}}
  const server = {
    resourceVersion: '9',
    generation: 3,
    uid: 'u',
    creationTimestamp: 't',
    managedFields: [{manager: 'x'}],
  }
  assert.deepEqual(difference({metadata: {...metadata, ...server}, status: {a: 1}}, {metadata}), [])
  assert.deepEqual(difference({metadata: {name: 'a'}}, {metadata}), ['missing /metadata/labels'])
})

test('escapes keys as JSON pointers do', () => {
  assert.deepEqual(difference({metadata: {annotations: {'a/b~c': '1'}}}, {metadata: {annotations: {'a/b~c': '2'}}}), [
    'changed /metadata/annotations/a~1b~0c',
  ])
})

test('finds nothing between equal objects and something between others', () => {
  const json = fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), fc.jsonValue({maxDepth: 3}))
  const parse = (value: unknown): JsonObject => {
    const parsed: unknown = JSON.parse(JSON.stringify({spec: value}))
    return isJsonObject(parsed) ? parsed : {}
  }
  fc.assert(
    fc.property(json, json, (a, b) => {
      const [live, desired] = [parse(a), parse(b)]
      assert.deepEqual(diffValues(live, structuredClone(live)), [])
      let equal = true
      try {
        assert.deepStrictEqual(live, desired)
      } catch {
        equal = false
      }
      assert.equal(diffValues(live, desired).length === 0, equal)
    }),
  )
})
