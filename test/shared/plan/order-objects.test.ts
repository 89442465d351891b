import assert from 'node:assert/strict'
import {test} from 'node:test'
import fc from 'fast-check'
import type {Manifest} from '#shared/model/manifest.ts'
import {formatRef, refOf} from '#shared/model/object-ref.ts'
import {APPLY_STAGES, applyStageOf, orderObjects, pruneOrder} from '#shared/plan/order-objects.ts'

const kinds: [apiVersion: string, kind: string][] = [
  ['v1', 'Namespace'],
  ['v1', 'Secret'],
  ['v1', 'ConfigMap'],
  ['v1', 'Service'],
  ['v1', 'ServiceAccount'],
  ['v1', 'PersistentVolumeClaim'],
  ['apps/v1', 'Deployment'],
  ['batch/v1', 'Job'],
  ['networking.k8s.io/v1', 'Ingress'],
  ['networking.k8s.io/v1', 'IngressClass'],
  ['storage.k8s.io/v1', 'StorageClass'],
  ['scheduling.k8s.io/v1', 'PriorityClass'],
  ['rbac.authorization.k8s.io/v1', 'ClusterRole'],
  ['rbac.authorization.k8s.io/v1', 'ClusterRoleBinding'],
  ['rbac.authorization.k8s.io/v1', 'Role'],
  ['rbac.authorization.k8s.io/v1', 'RoleBinding'],
  ['apiextensions.k8s.io/v1', 'CustomResourceDefinition'],
  ['apiregistration.k8s.io/v1', 'APIService'],
  ['admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration'],
  ['gateway.networking.k8s.io/v1', 'GatewayClass'],
  ['gateway.networking.k8s.io/v1', 'Gateway'],
  ['example.com/v1', 'Deployment'],
]

function manifest(apiVersion: string, kind: string, name = 'web'): Manifest {
  return {apiVersion, kind, metadata: {name}}
}

const all = kinds.map(([apiVersion, kind]) => manifest(apiVersion, kind))

function stageIndex(stages: Manifest[][], kind: string, group = ''): number {
  return stages.findIndex((stage) =>
    stage.some((item) => item.kind === kind && (group === '' || item.apiVersion.startsWith(group))),
  )
}

test('applies what others need before those others', () => {
  const stages = orderObjects(all.toReversed())
  for (const [earlier, later] of [
    ['CustomResourceDefinition', 'GatewayClass'],
    ['GatewayClass', 'Gateway'],
    ['Namespace', 'ServiceAccount'],
    ['ClusterRole', 'ClusterRoleBinding'],
    ['Role', 'RoleBinding'],
    ['ServiceAccount', 'Job'],
    ['Secret', 'Job'],
    ['StorageClass', 'PersistentVolumeClaim'],
    ['PriorityClass', 'Job'],
    ['Job', 'ValidatingWebhookConfiguration'],
    ['Gateway', 'APIService'],
  ] as const) {
    assert.ok(stageIndex(stages, earlier) < stageIndex(stages, later), `${earlier} before ${later}`)
  }
})

test('does not take a custom kind for the built-in one of the same name', () => {
  assert.equal(applyStageOf({group: 'apps', kind: 'Deployment'}), 'workloads')
  assert.equal(applyStageOf({group: 'example.com', kind: 'Deployment'}), 'extensions')
  assert.equal(applyStageOf({group: 'example.com', kind: 'Namespace'}), 'extensions')
})

test('has at most as many stages as there are names for them, and none that is empty', () => {
  assert.equal(orderObjects(all).length, APPLY_STAGES.length)
  assert.deepEqual(orderObjects([]), [])
  assert.equal(orderObjects([manifest('v1', 'ConfigMap', 'a'), manifest('v1', 'Secret', 'b')]).length, 1)
})

test('sorts a stage by kind and keeps the given order within a kind', () => {
  const stages = orderObjects([
    manifest('v1', 'Service', 'z'),
    manifest('v1', 'ConfigMap', 'z'),
    manifest('v1', 'Secret', 'z'),
    manifest('v1', 'ConfigMap', 'a'),
  ])
  assert.deepEqual(
    stages.flat().map((item) => formatRef(refOf(item))),
    ['Secret z', 'ConfigMap z', 'ConfigMap a', 'Service z'],
  )
})

test('keeps every object exactly once, and prunes in the exact reverse', () => {
  const some = fc.array(fc.tuple(fc.constantFrom(...kinds), fc.stringMatching(/^[a-z]{1,4}$/)), {maxLength: 60})
  fc.assert(
    fc.property(some, (picked) => {
      const manifests = picked.map(([[apiVersion, kind], name]) => manifest(apiVersion, kind, name))
      const stages = orderObjects(manifests)
      assert.deepEqual(new Set(stages.flat()), new Set(manifests))
      assert.equal(stages.flat().length, manifests.length)
      const pruned = pruneOrder(manifests.map(refOf))
      assert.deepEqual(pruned, stages.map((stage) => stage.map(refOf).toReversed()).toReversed())
    }),
  )
})
