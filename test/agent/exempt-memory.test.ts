import assert from 'node:assert/strict'
import {test} from 'node:test'
import {isExempt} from '#agent/exempt-memory.ts'

const labels = {'kubernetes.io/metadata.name': 'drawbridge-system'}
const applied = (manager: string, time: string) => ({manager, operation: 'Apply', time})

/** A configuration that its app applied after the memory was left out of it. */
const live = (operator: string) => ({
  metadata: {
    name: 'guard',
    uid: 'u',
    resourceVersion: '1',
    managedFields: [
      applied('drawbridge-exemption', '2026-01-01T00:00:00Z'),
      applied('drawbridge', '2026-01-01T00:01:00Z'),
    ],
  },
  webhooks: [
    {
      name: 'guard.example',
      rules: [{apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps']}],
      namespaceSelector: {
        matchExpressions: [{key: 'kubernetes.io/metadata.name', operator, values: ['drawbridge-system']}],
      },
      matchConditions: [{name: 'memory.drawbridge.dev', expression: 'true'}],
    },
  ],
})

test('a webhook counts as exempt for as long as it matches the memory, however often its app is applied', () => {
  assert.ok(isExempt(live('In'), labels))
})

test('a webhook counts as exempt no longer once its selector leaves the namespace out', () => {
  assert.ok(!isExempt(live('NotIn'), labels))
})
