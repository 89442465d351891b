import assert from 'node:assert/strict'
import {test} from 'node:test'
import type {Manifest} from '#shared/model/manifest.ts'
import {builtInScope, defaultNamespaces} from '#shared/plan/scope.ts'

function manifest(apiVersion: string, kind: string, namespace?: string): Manifest {
  return {apiVersion, kind, metadata: namespace === undefined ? {name: 'web'} : {name: 'web', namespace}}
}

function definition(kind: string, scope: string): Manifest {
  return {
    ...manifest('apiextensions.k8s.io/v1', 'CustomResourceDefinition'),
    spec: {group: 'example.com', scope, names: {kind}},
  }
}

function namespacesOf(manifests: Manifest[]): (string | undefined)[] {
  return manifests.map((item) => item.metadata.namespace)
}

test('knows the scope of built-in kinds by group and kind, and of no other', () => {
  assert.equal(builtInScope('', 'ConfigMap'), 'Namespaced')
  assert.equal(builtInScope('apps', 'Deployment'), 'Namespaced')
  assert.equal(builtInScope('rbac.authorization.k8s.io', 'ClusterRole'), 'Cluster')
  assert.equal(builtInScope('events.k8s.io', 'Event'), 'Namespaced')
  assert.equal(builtInScope('apps', 'ConfigMap'), 'unknown')
  assert.equal(builtInScope('example.com', 'Deployment'), 'unknown')
  assert.equal(builtInScope('', 'toString'), 'unknown')
})

test('gives namespaced objects the default namespace and leaves a named one', () => {
  const given = [manifest('v1', 'ConfigMap'), manifest('v1', 'Secret', 'other'), manifest('v1', 'Service', '')]
  assert.deepEqual(namespacesOf(defaultNamespaces(given, 'web')), ['web', 'other', 'web'])
})

test('takes the namespace from cluster-scoped objects', () => {
  const [namespace, role] = defaultNamespaces(
    [manifest('v1', 'Namespace', 'x'), manifest('rbac.authorization.k8s.io/v1', 'ClusterRole', 'x')],
    'web',
  )
  assert.deepEqual(namespace?.metadata, {name: 'web'})
  assert.deepEqual(role?.metadata, {name: 'web'})
})

test('learns the scope of custom kinds from definitions in the same set, wherever they stand', () => {
  const given = [
    manifest('example.com/v1', 'Widget'),
    manifest('example.com/v1', 'Fleet', 'x'),
    definition('Widget', 'Namespaced'),
    definition('Fleet', 'Cluster'),
  ]
  assert.deepEqual(namespacesOf(defaultNamespaces(given, 'web')).slice(0, 2), ['web', undefined])
})

test('leaves kinds of unknown scope alone', () => {
  const given = [manifest('example.com/v1', 'Widget'), manifest('example.com/v1', 'Widget', 'x')]
  assert.deepEqual(defaultNamespaces(given, 'web'), given)
})

test('adds no namespace where none is given, and changes nothing in place', () => {
  const given = [manifest('v1', 'ConfigMap'), manifest('v1', 'Namespace', 'x')]
  const before = structuredClone(given)
  assert.deepEqual(namespacesOf(defaultNamespaces(given)), [undefined, undefined])
  defaultNamespaces(given, 'web')
  assert.deepEqual(given, before)
})
