import assert from 'node:assert/strict'
import {test} from 'node:test'
import {matchesMemory} from '#agent/match-memory.ts'

const labels = {'kubernetes.io/metadata.name': 'drawbridge-system', tier: 'a'}
const rule = (group: string, ...resources: string[]) => ({apiGroups: [group], apiVersions: ['*'], resources})

test('a webhook may be asked of the memory by the rules of the three kinds, and by wildcards', () => {
  const asked = [
    rule('', 'secrets', 'configmaps'),
    rule('coordination.k8s.io', 'leases'),
    rule('drawbridge.dev', 'apps'),
    rule('*', '*'),
    rule('', '*/*'),
    rule('', 'configmaps/*'),
  ]
  for (const one of asked) assert.ok(matchesMemory({rules: [one]}, labels), JSON.stringify(one))
  const not = [
    rule('', 'secrets'),
    rule('apps', '*'),
    rule('apps', 'configmaps'),
    rule('', 'configmaps/status'),
    {...rule('*', '*'), scope: 'Cluster'},
  ]
  for (const one of not) assert.ok(!matchesMemory({rules: [one]}, labels), JSON.stringify(one))
  assert.ok(matchesMemory({resourceRules: [rule('', 'configmaps')]}, labels))
  assert.ok(!matchesMemory({}, labels))
})

test('a webhook is not asked of the memory where its selector leaves the namespace out', () => {
  const matches = (namespaceSelector: object) =>
    matchesMemory({rules: [rule('*', '*')], namespaceSelector: {...namespaceSelector}}, labels)
  const expression = (key: string, operator: string, ...values: string[]) => ({
    matchExpressions: [{key, operator, ...(values.length > 0 && {values})}],
  })
  assert.ok(matches({}))
  assert.ok(matches({matchLabels: {tier: 'a'}}))
  assert.ok(!matches({matchLabels: {tier: 'b'}}))
  assert.ok(matches(expression('tier', 'In', 'a', 'b')))
  assert.ok(!matches(expression('tier', 'NotIn', 'a')))
  assert.ok(matches(expression('other', 'NotIn', 'a')))
  assert.ok(!matches(expression('other', 'In', 'a')))
  assert.ok(!matches(expression('other', 'Exists')))
  assert.ok(matches(expression('tier', 'Exists')))
  assert.ok(matches(expression('other', 'DoesNotExist')))
  assert.ok(!matches(expression('kubernetes.io/metadata.name', 'DoesNotExist')))
})
