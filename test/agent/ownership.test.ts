import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {applyAs, configMap, createTestBridge, namespace, types, waitUntil} from './start-test-agent.ts'

let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster.stop())

const find = (inNamespace: string, name: string) =>
  cluster.admin.get(types.configMap, {namespace: inNamespace, name}, 'metadata')
const uidOf = async (inNamespace: string, name: string) => {
  const found = await find(inNamespace, name)
  return found === 'absent' ? 'absent' : found.metadata.uid
}

test('moves an object from one app to another without deleting it in between', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const shared = configMap('moves', 'shared', {x: '1'})
  const first = {manifests: [namespace('moves'), shared]}
  await bridge.publish({a: first})
  await agent.waitFor({event: 'healthy', app: 'a'})
  await bridge.publish({a: first, z: {manifests: [configMap('moves', 'z')]}})
  await agent.waitFor({event: 'healthy', app: 'z'})
  const uid = await uidOf('moves', 'shared')
  const seen = agent.events.length
  await bridge.publish({
    a: {manifests: [namespace('moves')]},
    z: {manifests: [configMap('moves', 'z'), shared]},
  })
  await agent.waitFor({event: 'healthy', app: 'a'}, {after: seen})
  await agent.waitFor({event: 'healthy', app: 'z'}, {after: seen})
  assert.equal(await uidOf('moves', 'shared'), uid)
  const found = await find('moves', 'shared')
  assert.ok(found !== 'absent')
  assert.deepEqual(found.metadata.labels, {'drawbridge.dev/app': 'z'})
  assert.equal(
    agent.events.slice(seen).some(({event}) => event === 'pruned' || event === 'failed' || event === 'drifted'),
    false,
    JSON.stringify(agent.events),
  )

  // And back, by the renaming of an app.
  await bridge.publish(
    {a: {manifests: [namespace('moves'), configMap('moves', 'z'), shared]}},
    {removed: {z: 'Delete'}},
  )
  await agent.waitFor({event: 'removed', app: 'z'})
  await agent.waitFor({event: 'healthy', app: 'a'}, {after: agent.events.length - 3})
  assert.equal(await uidOf('moves', 'shared'), uid)
})

test('keeps an object that another app owns, and says whose it is', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  await bridge.publish({owner: {manifests: [namespace('owned'), configMap('owned', 'x', {by: 'owner'})]}})
  await agent.waitFor({event: 'healthy', app: 'owner'})
  await bridge.publish({
    owner: {manifests: [namespace('owned'), configMap('owned', 'x', {by: 'owner'})]},
    claimant: {manifests: [configMap('owned', 'x', {by: 'claimant'})]},
  })
  const failed = await agent.waitFor({event: 'failed', app: 'claimant'})
  assert.match(failed.message ?? '', /ConfigMap owned\/x: app owner owns it/)
  const found = await find('owned', 'x')
  assert.ok(found !== 'absent')
  assert.deepEqual(found.metadata.labels, {'drawbridge.dev/app': 'owner'})
})

test('deletes a removed app, and only it', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  await bridge.publish({
    keep: {manifests: [namespace('removals'), configMap('removals', 'keep')]},
    drop: {manifests: [configMap('removals', 'drop'), configMap('removals', 'annotated')]},
    leave: {manifests: [configMap('removals', 'leave')]},
  })
  for (const app of ['keep', 'drop', 'leave']) await agent.waitFor({event: 'healthy', app})
  await applyAs(cluster.admin, 'somebody', types.configMap, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {name: 'annotated', namespace: 'removals', annotations: {'helm.sh/resource-policy': 'keep'}},
  })
  await bridge.publish(
    {keep: {manifests: [namespace('removals'), configMap('removals', 'keep')]}},
    {removed: {drop: 'Delete', leave: 'Orphan'}},
  )
  await agent.waitFor({event: 'removed', app: 'drop'})
  await agent.waitFor({event: 'removed', app: 'leave'})
  assert.equal(await uidOf('removals', 'drop'), 'absent')
  for (const name of ['keep', 'annotated', 'leave']) assert.notEqual(await uidOf('removals', name), 'absent', name)
  await waitUntil(() => bridge.report()?.apps.length === 1, 'only one app in the report')
  // The tombstone stays; it does nothing any more.
  const seen = agent.events.length
  await bridge.publish(
    {keep: {manifests: [namespace('removals'), configMap('removals', 'keep', {now: 'changed'})]}},
    {removed: {drop: 'Delete', leave: 'Orphan'}},
  )
  await agent.waitFor({event: 'healthy', app: 'keep'}, {after: seen})
  assert.equal(
    agent.events.slice(seen).some(({event}) => event === 'removed'),
    false,
  )
})

test('leaves an app alone that is absent without having been removed', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  await bridge.publish({lost: {manifests: [namespace('lost'), configMap('lost', 'x')]}})
  await agent.waitFor({event: 'healthy', app: 'lost'})
  await bridge.publish({})
  await waitUntil(() => bridge.report()?.apps[0]?.reason === 'Orphaned', 'the orphan in the report')
  assert.notEqual(await uidOf('lost', 'x'), 'absent')
})

test('an app that renders to nothing prunes nothing, unless it says so', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  await bridge.publish({hollow: {manifests: [configMap('default', 'hollow')]}})
  await agent.waitFor({event: 'healthy', app: 'hollow'})
  await bridge.publish({hollow: {manifests: []}})
  await agent.waitFor({event: 'failed', app: 'hollow', code: 'EMPTY'})
  assert.notEqual(await uidOf('default', 'hollow'), 'absent')
  await bridge.publish({hollow: {manifests: [], sync: {allowEmpty: true}}})
  await agent.waitFor({event: 'pruned', app: 'hollow'})
  assert.equal(await uidOf('default', 'hollow'), 'absent')
})

test('never prunes a namespace that holds what is not its own', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  await bridge.publish({
    tenant: {manifests: [namespace('shared-space'), configMap('shared-space', 'ours'), configMap('default', 'tenant')]},
  })
  await agent.waitFor({event: 'healthy', app: 'tenant'})
  await applyAs(cluster.admin, 'somebody', types.configMap, configMap('shared-space', 'theirs'))
  await bridge.publish({tenant: {manifests: [configMap('default', 'tenant')]}})
  const kept = await agent.waitFor({event: 'failed', app: 'tenant', code: 'HOLDS_OTHERS'})
  assert.match(kept.message ?? '', /Namespace shared-space/)
  assert.equal(await uidOf('shared-space', 'ours'), 'absent')
  assert.notEqual(await uidOf('shared-space', 'theirs'), 'absent')
  const space = await cluster.admin.get(types.namespace, {namespace: '', name: 'shared-space'}, 'metadata')
  assert.ok(space !== 'absent' && space.metadata.deletionTimestamp === undefined)
})
