import assert from 'node:assert/strict'
import {test} from 'node:test'
import {maskedChanges} from '#shared/plan/mask-fields.ts'

const secret = {group: '', kind: 'Secret'}

test("tells a Secret's fields by their paths, whatever is left of the two sides", () => {
  const live = {data: {password: 'aHVudGVyMg=='}, stringData: {token: 'hunter2'}, metadata: {labels: {a: '1'}}}
  for (const kind of [{}, {kind: 'ConfigMap'}, {apiVersion: 'v2', kind: 'Secret'}]) {
    const changes = maskedChanges(secret, {...live, ...kind}, {...kind, data: {password: 'b3RoZXI='}, metadata: {}})
    assert.deepEqual(changes, [
      {path: '/data/password', difference: 'changed', masked: true},
      {path: '/metadata/labels', difference: 'extra', from: {a: '1'}},
      {path: '/stringData/token', difference: 'extra', masked: true},
    ])
  }
})

test('shows the values of any other kind', () => {
  assert.deepEqual(maskedChanges({group: 'example.com', kind: 'Secret'}, {data: {a: '1'}}, {data: {a: '2'}}), [
    {path: '/data/a', difference: 'changed', from: '1', to: '2'},
  ])
})
