import assert from 'node:assert/strict'
import {test} from 'node:test'
import fc from 'fast-check'
import {nearestName} from '#shared/plan/nearest-name.ts'

const known = ['namespace', 'createNamespace', 'clusters', 'source', 'sync', 'helm', 'kustomize', 'path', 'ref']

test('finds the name that was meant', () => {
  for (const [typed, meant] of [
    ['namepsace', 'namespace'],
    ['namespaces', 'namespace'],
    ['Namespace', 'namespace'],
    ['createnamespace', 'createNamespace'],
    ['cluster', 'clusters'],
    ['sorce', 'source'],
    ['hlem', 'helm'],
    ['kustomise', 'kustomize'],
  ] as const) {
    assert.equal(nearestName(typed, known), meant, typed)
  }
})

test('finds none where nothing is near', () => {
  for (const typed of ['replicas', 'pa', 'fer', '', 'x', 'values'])
    assert.equal(nearestName(typed, known), undefined, typed)
  assert.equal(nearestName('namespace', []), undefined)
})

test('prefers the nearest to the first', () => {
  assert.equal(nearestName('valueFile', ['values', 'valuesFile', 'valueFiles']), 'valuesFile')
  assert.equal(nearestName('valueFiles', ['valuesFile', 'valueFiles']), 'valueFiles')
})

test('always finds a known name itself, and one letter away from a long one', () => {
  fc.assert(
    fc.property(fc.constantFrom('createNamespace', 'kustomize'), fc.nat({max: 8}), (name, place) => {
      assert.equal(nearestName(name, known), name)
      assert.equal(nearestName(name.slice(0, place) + name.slice(place + 1), known), name)
      assert.equal(nearestName(`${name.slice(0, place)}é${name.slice(place)}`, known), name)
    }),
  )
})
