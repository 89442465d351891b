import assert from 'node:assert/strict'
import {test} from 'node:test'
import type {JsonObject} from '#shared/model/manifest.ts'
import {fingerprintFields, managersOf} from '#shared/plan/fingerprint-fields.ts'

const ours = 'drawbridge'
const owned = {'f:data': {'f:color': {}, 'f:size': {}}, 'f:metadata': {'f:labels': {'f:app': {}}}}

function written(manager: string, operation: string, fieldsV1: JsonObject, rest: JsonObject = {}): JsonObject {
  return {manager, operation, apiVersion: 'v1', fieldsType: 'FieldsV1', time: '2026-01-01T00:00:00Z', fieldsV1, ...rest}
}

const applied = [written(ours, 'Apply', owned)]
const expected = fingerprintFields(applied, ours) ?? ''

test('is 16 hex characters that no later apply of the same fields changes', () => {
  assert.match(expected, /^[0-9a-f]{16}$/)
  const later = [written(ours, 'Apply', owned, {time: '2026-02-02T00:00:00Z'})]
  assert.equal(fingerprintFields(later, ours), expected)
  const reordered = {'f:metadata': owned['f:metadata'], 'f:data': {'f:size': {}, 'f:color': {}}}
  assert.equal(fingerprintFields([written(ours, 'Apply', reordered)], ours), expected)
})

test('changes when someone takes one of our fields', () => {
  const taken = [
    written(ours, 'Apply', {...owned, 'f:data': {'f:size': {}}}),
    written('kubectl-edit', 'Update', {'f:data': {'f:color': {}}}),
  ]
  assert.notEqual(fingerprintFields(taken, ours), expected)
})

test('does not change when others write fields of their own, or the status', () => {
  const others = [
    ...applied,
    written('kubectl', 'Update', {'f:metadata': {'f:annotations': {'f:note': {}}}}),
    written('controller', 'Update', {'f:status': {}}, {subresource: 'status'}),
    written(ours, 'Apply', {'f:status': {}}, {subresource: 'status'}),
  ]
  assert.equal(fingerprintFields(others, ours), expected)
})

test('is missing where our entry was stripped, never applied or is malformed', () => {
  for (const managedFields of [
    undefined,
    null,
    [],
    'x',
    [null],
    [written('kubectl', 'Apply', owned)],
    [written(ours, 'Update', owned)],
  ]) {
    assert.equal(fingerprintFields(managedFields, ours), undefined)
  }
})

test('names who changed the object, newest first, and nobody who did not', () => {
  const before = [...applied, written('helm', 'Update', {'f:data': {}})]
  const after = [
    ...before,
    written('kubectl-edit', 'Update', {'f:data': {'f:color': {}}}, {time: '2026-01-02T00:00:00Z'}),
    written('kubectl', 'Update', {'f:spec': {'f:replicas': {}}}, {time: '2026-01-03T00:00:00Z', subresource: 'scale'}),
    written(
      'kube-controller-manager',
      'Update',
      {'f:status': {}},
      {time: '2026-01-04T00:00:00Z', subresource: 'status'},
    ),
  ]
  assert.deepEqual(managersOf(before, after, ours), [
    {manager: 'kubectl', operation: 'Update', subresource: 'scale', time: '2026-01-03T00:00:00Z'},
    {manager: 'kubectl-edit', operation: 'Update', subresource: '', time: '2026-01-02T00:00:00Z'},
  ])
  assert.deepEqual(managersOf(before, before, ours), [])
})

test('names every other manager where nothing is known of before, and an Update under our own name', () => {
  const after = [...applied, written(ours, 'Update', {'f:data': {'f:color': {}}}), written('helm', 'Update', {})]
  assert.deepEqual(
    managersOf(undefined, after, ours).map(({manager, operation}) => `${manager} ${operation}`),
    [`${ours} Update`, 'helm Update'],
  )
})
