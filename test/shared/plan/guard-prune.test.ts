import assert from 'node:assert/strict'
import {test} from 'node:test'
import type {ObjectRef} from '#shared/model/object-ref.ts'
import {countsAsHeld, guardPrune, type LiveFacts, type PruneDecision} from '#shared/plan/guard-prune.ts'

const configMap: ObjectRef = {group: '', kind: 'ConfigMap', namespace: 'web', name: 'settings'}
const namespace: ObjectRef = {group: '', kind: 'Namespace', namespace: '', name: 'web'}
const definition: ObjectRef = {
  group: 'apiextensions.k8s.io',
  kind: 'CustomResourceDefinition',
  namespace: '',
  name: 'widgets.example.com',
}
const claim: ObjectRef = {group: '', kind: 'PersistentVolumeClaim', namespace: 'web', name: 'data'}

function decide(ref: ObjectRef, live: Partial<LiveFacts> = {}, appliedUid = 'u1'): PruneDecision {
  const facts = {uid: 'u1', owner: 'shop', annotations: {}, deleting: false, held: 0, ...live}
  return guardPrune({ref, app: 'shop', appliedUid, live: facts}, ['drawbridge-system'])
}

function outcome(decision: PruneDecision): string {
  return decision.action === 'delete' ? 'delete' : `${decision.action} ${decision.code}`
}

test('deletes what the app applied and still owns', () => {
  assert.equal(outcome(decide(configMap)), 'delete')
  for (const ref of [namespace, definition, claim]) assert.equal(outcome(decide(ref, {held: 0})), 'delete')
})

test('forgets what is gone already', () => {
  assert.equal(outcome(guardPrune({ref: configMap, app: 'shop', live: 'absent'})), 'forget GONE')
})

test('keeps an object that another app owns', () => {
  const decision = decide(configMap, {owner: 'billing'})
  assert.equal(outcome(decision), 'forget OTHER_OWNER')
  assert.match(decision.action === 'forget' ? decision.reason : '', /billing/)
})

test("keeps somebody's new object of the same name", () => {
  assert.equal(outcome(decide(configMap, {owner: undefined, uid: 'u2'})), 'forget REPLACED')
  assert.equal(
    outcome(guardPrune({ref: configMap, app: 'shop', live: {uid: 'u1', annotations: {}, deleting: false, held: 0}})),
    'forget REPLACED',
  )
})

test('deletes its own object from which someone took our label', () => {
  assert.equal(outcome(decide(configMap, {owner: undefined})), 'delete')
})

test('keeps what an annotation of Drawbridge, Flux, Argo CD or Helm asks to keep', () => {
  for (const [name, value] of [
    ['drawbridge.dev/prune', 'disabled'],
    ['kustomize.toolkit.fluxcd.io/prune', 'Disabled'],
    ['argocd.argoproj.io/sync-options', 'ServerSideApply=true, Prune=false'],
    ['helm.sh/resource-policy', 'keep'],
  ] as const) {
    const decision = decide(configMap, {annotations: {[name]: value}})
    assert.equal(outcome(decision), 'forget KEEP_ASKED', name)
    assert.ok(decision.action === 'forget' && decision.reason.includes(name))
  }
  const unrelated = {'argocd.argoproj.io/sync-options': 'Prune=true', 'drawbridge.dev/prune': 'enabled'}
  assert.equal(outcome(decide(configMap, {annotations: unrelated})), 'delete')
})

test("keeps a namespace, definition or claim that holds what is not this app's to lose, and says how to force it", () => {
  for (const ref of [namespace, definition, claim]) {
    for (const held of [1, {unknown: 'the API discovery.example is down'}]) {
      const decision = decide(ref, {held})
      assert.equal(outcome(decision), 'retain HOLDS_OTHERS')
      assert.match(decision.action === 'retain' ? decision.reason : '', /drawbridge\.dev\/prune=force/)
    }
    assert.equal(outcome(decide(ref, {held: 3, annotations: {'drawbridge.dev/prune': 'force'}})), 'delete')
  }
})

test("does not let force delete another app's object or a protected namespace", () => {
  const annotations = {'drawbridge.dev/prune': 'force'}
  assert.equal(outcome(decide(namespace, {owner: 'billing', annotations})), 'forget OTHER_OWNER')
  for (const name of ['kube-system', 'default', 'drawbridge-system']) {
    assert.equal(outcome(decide({...namespace, name}, {annotations})), 'forget PROTECTED')
  }
  assert.equal(outcome(decide({...configMap, name: 'kube-system'}, {annotations})), 'delete')
})

test('remembers what is still being deleted', () => {
  assert.equal(outcome(decide(configMap, {deleting: true})), 'retain DELETING')
})

test('counts what somebody made in a namespace, not what Kubernetes puts there', () => {
  assert.equal(countsAsHeld(configMap, undefined), true)
  assert.equal(countsAsHeld({...configMap, kind: 'ServiceAccount', name: 'builder'}, []), true)
  assert.equal(countsAsHeld({...configMap, name: 'kube-root-ca.crt'}, undefined), false)
  assert.equal(countsAsHeld({...configMap, kind: 'ServiceAccount', name: 'default'}, undefined), false)
  assert.equal(countsAsHeld({...configMap, kind: 'Event', name: 'x'}, undefined), false)
  assert.equal(countsAsHeld({...configMap, kind: 'Pod', name: 'web-1'}, [{kind: 'ReplicaSet', name: 'web'}]), false)
  assert.equal(
    countsAsHeld({...configMap, group: 'discovery.k8s.io', kind: 'EndpointSlice', name: 'web-x'}, undefined),
    false,
  )
})
