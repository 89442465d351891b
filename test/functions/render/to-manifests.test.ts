import assert from 'node:assert/strict'
import {test} from 'node:test'
import {RenderError} from '#functions/render/render-error.ts'
import {toManifests} from '#functions/render/to-manifests.ts'
import type {Json, JsonObject} from '#shared/model/manifest.ts'

const found = (size: Json) => [
  {
    value: {apiVersion: 'v1', kind: 'Box', metadata: {name: 'a'}, spec: [{size}]},
    place: {file: 'a.yaml', line: 3},
    position: 1,
  },
]

for (const [what, size] of [
  ["int64's bounds", [-(2n ** 63n), 2n ** 63n - 1n]],
  ["uint64's bound", 2n ** 64n - 1n],
  ['what every number holds', [2 ** 53 - 1, 0.5, -1]],
  ['what kubectl reads as a float too', [2 ** 64, 1e21, -1e300, -(2 ** 63)]],
] as const) {
  test(`takes ${what}`, () => {
    assert.deepEqual(toManifests(found(size as Json))[0]?.manifest.spec, [{size}])
  })
}

for (const [what, size, reason] of [
  ['infinity', Number.POSITIVE_INFINITY, /\.inf or \.nan/],
  ['no number', Number.NaN, /\.inf or \.nan/],
  ['a whole number whose digits are lost by now', 2 ** 53, /above 2\^53/],
  ['a whole number that no reader in the cluster keeps', 2n ** 64n, /neither int64 nor uint64/],
] as const) {
  test(`refuses ${what}, and says where it is`, () => {
    assert.throws(
      () => toManifests(found(size)),
      (error) =>
        error instanceof RenderError &&
        error.code === 'OBJECT_INVALID' &&
        reason.test(error.message) &&
        error.message.includes('document 1 ') &&
        error.place.line === 3,
    )
  })
}

const named = (metadata: JsonObject, kind: Json = 'Job') => [
  {value: {apiVersion: 'batch/v1', kind, metadata}, place: {file: 'a.yaml', line: 3}, position: 1},
]

for (const [what, metadata, message] of [
  ['a number as a name', {name: 123}, '(Job) has the number 123 as metadata.name: quote it'],
  ['zero as a name', {name: 0}, '(Job) has the number 0 as metadata.name: quote it'],
  ['a boolean as a name', {name: false}, '(Job) has the boolean false as metadata.name: quote it'],
  ['a big number as a name', {name: 2n ** 60n}, `has the number ${2n ** 60n} as metadata.name: quote it`],
  ['a list as a name', {name: ['a']}, '(Job) has a list as metadata.name, where a text belongs'],
  ['no name', {name: ''}, '(Job) has no metadata.name'],
  ['a number as generateName', {generateName: 7}, '(Job) has the number 7 as metadata.generateName: quote it'],
  ['a number as a namespace', {name: 'a', namespace: 1}, '(Job a) has the number 1 as metadata.namespace: quote it'],
  ['a number as a label', {name: 'a', labels: {zone: 42}}, '(Job a) has a number as metadata.labels["zone"]: quote it'],
  [
    'a boolean as an annotation',
    {name: 'a', annotations: {'a/b': true}},
    '(Job a) has a boolean as metadata.annotations["a/b"]: quote it',
  ],
  [
    'an object as an annotation',
    {name: 'a', annotations: {a: {b: 'c'}}},
    '(Job a) has an object as metadata.annotations["a"], where a text belongs',
  ],
  ['generateName without a hook', {generateName: 'a-'}, 'has generateName and is no hook'],
] as const) {
  test(`says what is wrong with ${what}, and what to do`, () => {
    assert.throws(
      () => toManifests(named(metadata as unknown as JsonObject)),
      (error) => {
        assert.ok(error instanceof RenderError && error.code === 'OBJECT_INVALID')
        assert.ok(error.message.startsWith('document 1 '), error.message)
        assert.ok(error.message.includes(message), error.message)
        return true
      },
    )
  })
}

test('says that a kind is a number', () => {
  assert.throws(() => toManifests(named({name: 'a'}, 5)), /has the number 5 as kind: quote it/)
})

test('a hook with generateName gets a name by its content, the same every time', () => {
  const hook = (annotations: JsonObject, generateName = 'migrate-') =>
    toManifests(named({generateName, annotations}))[0]?.manifest.metadata
  const [first, second] = [hook({'argocd.argoproj.io/hook': 'PreSync'}), hook({'argocd.argoproj.io/hook': 'PreSync'})]
  assert.deepEqual(first, second)
  assert.match(first?.name ?? '', /^migrate-[0-9a-f]{10}$/)
  assert.equal(first?.generateName, 'migrate-', 'by which the agent knows that each run has a name of its own')
  assert.notEqual(hook({'helm.sh/hook': 'pre-install'})?.name, first?.name)
  assert.ok((hook({'helm.sh/hook': 'pre-install'}, 'a'.repeat(80))?.name.length ?? 99) <= 63)
})
