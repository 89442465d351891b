import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import type {ResourceType} from '#agent/kube/kube-client.ts'
import {keys} from '#shared/model/keys.ts'
import {childObject} from '#shared/model/manifest.ts'
import {addTenant, adminBinding, rbacTypes} from './add-tenant.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import type {TestApp} from './publish-state.ts'
import {annotateApp, applyAs, configMap, createTestBridge, namespace, types, waitUntil} from './start-test-agent.ts'

let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster.stop())

async function uidOf(type: ResourceType, inNamespace: string, name: string): Promise<string> {
  const found = await cluster.admin.get(type, {namespace: inNamespace, name}, 'metadata')
  return found === 'absent' ? 'absent' : found.metadata.uid
}

const bindingUid = (name: string) => uidOf(rbacTypes.clusterRoleBinding, '', name)
const mapUid = (inNamespace: string, name: string) => uidOf(types.configMap, inNamespace, name)

for (const order of ['claim-a', 'claim-z']) {
  test(`a revoked ClusterRoleBinding goes, though a tenant without rights declares it (${order})`, async (t) => {
    const bridge = await createTestBridge(cluster, t)
    const serviceAccount = await addTenant(cluster, order)
    const given = adminBinding(`${order}-given`, 'somebody-else')
    const kept = configMap(order, 'kept-by-admin')
    const tenant: TestApp = {manifests: [configMap(order, 'own'), given], serviceAccount}
    const agent = bridge.startAgent()
    await bridge.publish({'claim-m': {manifests: [kept, given]}, [`${order}-tenant`]: tenant})
    await agent.waitFor({event: 'healthy', app: 'claim-m'})
    await bridge.publish({'claim-m': {manifests: [kept]}, [`${order}-tenant`]: tenant})
    const pruned = await agent.waitFor({event: 'pruned', app: 'claim-m'})
    assert.match(pruned.message ?? '', /ClusterRoleBinding/)
    assert.equal(await bindingUid(`${order}-given`), 'absent')
    const failed = await agent.waitFor({event: 'failed', app: `${order}-tenant`})
    assert.match(failed.message ?? '', /forbidden/i)
    assert.equal(await bindingUid(`${order}-given`), 'absent')
  })
}

test('a removed app takes its objects with it, though tenants without rights declare them, are refused or cannot be read', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const serviceAccount = await addTenant(cluster, 'claim-many')
  let hidden = ''
  const get: typeof bridge.store.get = async (key, options) =>
    key === hidden ? 'absent' : bridge.store.get(key, options)
  const agent = bridge.startAgent({ports: {store: {...bridge.store, get}}})
  const binding = adminBinding('claim-many', 'nobody')
  await bridge.publish({'claim-many-admin': {manifests: [binding]}})
  await agent.waitFor({event: 'healthy', app: 'claim-many-admin'})
  const refused = configMap(bridge.agentNamespace, 'drawbridge-accepted')
  const published = await bridge.publish(
    {
      'claim-many-plain': {manifests: [binding], serviceAccount},
      'claim-many-refused': {manifests: [binding, refused], serviceAccount},
      'claim-many-unread': {manifests: [binding], serviceAccount, rendererVersion: '2'},
    },
    {removed: {'claim-many-admin': 'Delete'}, notify: false},
  )
  for (const app of published.apps)
    if (app.state === 'present' && app.name === 'claim-many-unread') hidden = keys.bundle(app.bundle.digest)
  await agent.waitFor({event: 'removed', app: 'claim-many-admin'})
  assert.equal(await bindingUid('claim-many'), 'absent')
})

for (const name of ['claim-first-b', 'claim-first-z']) {
  test(`a tenant that declares an object and may not write it does not keep app ${name} from applying`, async (t) => {
    const bridge = await createTestBridge(cluster, t)
    const serviceAccount = await addTenant(cluster, name)
    const binding = adminBinding(name, 'nobody')
    const agent = bridge.startAgent()
    const tenants = {
      'claim-first-a': {manifests: [binding], serviceAccount},
      'claim-first-c': {manifests: [binding], serviceAccount},
    }
    await bridge.publish(tenants)
    await agent.waitFor({event: 'failed', app: 'claim-first-a'})
    await bridge.publish({...tenants, [name]: {manifests: [binding, configMap('default', name)]}})
    await agent.waitFor({event: 'healthy', app: name})
    assert.notEqual(await bindingUid(name), 'absent')
    assert.equal(
      agent.events.some(({app, event}) => app === name && event === 'failed'),
      false,
    )
  })
}

test('moves an object between two tenants that may both write it, and back, with the same uid', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const shared = configMap('claim-shared', 'moved')
  await addTenant(cluster, 'claim-shared')
  const one = await addTenant(cluster, 'claim-one', [{namespace: 'claim-one'}, {namespace: 'claim-shared'}])
  const two = await addTenant(cluster, 'claim-two', [{namespace: 'claim-two'}, {namespace: 'claim-shared'}])
  const agent = bridge.startAgent()
  const publish = (inOne: boolean, v: string) =>
    bridge.publish({
      one: {manifests: [configMap('claim-one', 'own', {v}), ...(inOne ? [shared] : [])], serviceAccount: one},
      two: {manifests: [configMap('claim-two', 'own', {v}), ...(inOne ? [] : [shared])], serviceAccount: two},
    })
  await publish(true, '1')
  for (const app of ['one', 'two']) await agent.waitFor({event: 'healthy', app})
  const uid = await mapUid('claim-shared', 'moved')
  for (const [inOne, v] of [
    [false, '2'],
    [true, '3'],
  ] as const) {
    const seen = agent.events.length
    await publish(inOne, v)
    for (const app of ['one', 'two']) await agent.waitFor({event: 'healthy', app}, {after: seen})
    assert.equal(await mapUid('claim-shared', 'moved'), uid)
    assert.deepEqual(
      agent.events.slice(seen).filter(({event}) => event === 'pruned' || event === 'failed'),
      [],
    )
  }
})

test('what may move stays and is told until it has moved, and goes when the app that wants it gives up', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const serviceAccount = await addTenant(cluster, 'claim-late')
  const agent = bridge.startAgent()
  const wanted = configMap('claim-late', 'wanted')
  const keeps = {manifests: [configMap('default', 'claim-late-keeps')]}
  await bridge.publish({'claim-late-a': {manifests: [...keeps.manifests, wanted]}})
  await agent.waitFor({event: 'healthy', app: 'claim-late-a'})
  const uid = await mapUid('claim-late', 'wanted')
  const report = () => bridge.report()?.apps.find(({name}) => name === 'claim-late-a')
  // It cannot come to the object: what it applies before is refused.
  const invalid = configMap('claim-late', 'wrong', {'no key': ''})
  const blocked = {
    ...invalid,
    metadata: {...invalid.metadata, annotations: {'argocd.argoproj.io/sync-wave': '-1'}},
  }
  const claimant = (retry: object): TestApp => ({
    manifests: [blocked, wanted] as TestApp['manifests'],
    serviceAccount,
    sync: retry,
  })
  await bridge.publish({'claim-late-a': keeps, 'claim-late-b': claimant({})})
  const told = await agent.waitFor({event: 'failed', app: 'claim-late-a', code: 'WAITS'})
  assert.match(told.message ?? '', /ConfigMap claim-late\/wanted: app claim-late-b declares it and may take it over/)
  await waitUntil(() => /claim-late-b declares it/.test(report()?.message ?? ''), 'Ready says what stays')
  assert.equal(await mapUid('claim-late', 'wanted'), uid)
  await bridge.publish({'claim-late-a': keeps, 'claim-late-b': claimant({retry: {limit: 0}})})
  await agent.waitFor({event: 'pruned', app: 'claim-late-a', object: '/ConfigMap/claim-late/wanted'})
  assert.equal(await mapUid('claim-late', 'wanted'), 'absent')
})

test('what may move to a suspended app is told, and moves when that is resumed', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const serviceAccount = await addTenant(cluster, 'claim-paused')
  const agent = bridge.startAgent()
  const wanted = configMap('claim-paused', 'wanted')
  const keeps = {manifests: [configMap('default', 'claim-paused-keeps')]}
  const before = {manifests: [configMap('claim-paused', 'own')], serviceAccount}
  await bridge.publish({'paused-a': {manifests: [...keeps.manifests, wanted]}, 'paused-b': before})
  for (const app of ['paused-a', 'paused-b']) await agent.waitFor({event: 'healthy', app})
  const uid = await mapUid('claim-paused', 'wanted')
  await annotateApp(cluster.admin, bridge, 'paused-b', {'drawbridge.dev/suspend': 'true'})
  await agent.waitFor({event: 'suspended', app: 'paused-b'})
  await bridge.publish({'paused-a': keeps, 'paused-b': {...before, manifests: [...before.manifests, wanted]}})
  await agent.waitFor({event: 'failed', app: 'paused-a', code: 'WAITS'})
  await annotateApp(cluster.admin, bridge, 'paused-b', {'drawbridge.dev/suspend': 'false'})
  await agent.waitFor({event: 'applied', app: 'paused-b'}, {after: agent.events.length - 1})
  const report = () => bridge.report()?.apps.find(({name}) => name === 'paused-a')
  await waitUntil(
    () => report()?.ready === 'True' && !/not pruned/.test(report()?.message ?? ''),
    () => JSON.stringify(report()),
    5_000,
  )
  assert.equal(await mapUid('claim-paused', 'wanted'), uid)
})

test('what a tenant only declares does not count as moved for the prune limit', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const serviceAccount = await addTenant(cluster, 'claim-limit')
  const agent = bridge.startAgent()
  const maps = ['1', '2', '3'].map((name) => configMap('default', `claim-limit-${name}`))
  const admin = (count: number): TestApp => ({manifests: maps.slice(0, count), sync: {pruneLimit: {objects: 1}}})
  await bridge.publish({'limit-admin': admin(3)})
  await agent.waitFor({event: 'healthy', app: 'limit-admin'})
  await bridge.publish({'limit-admin': admin(1), 'limit-tenant': {manifests: maps, serviceAccount}})
  await agent.waitFor({event: 'failed', app: 'limit-admin', code: 'PRUNE_LIMIT'})
})

test('heals what an app owns after a restart, though a tenant without rights declares it too', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const serviceAccount = await addTenant(cluster, 'claim-drift')
  const first = bridge.startAgent()
  const owned = configMap('default', 'claim-drift', {v: '1'})
  const tenant = {'drift-z': {manifests: [owned, configMap('claim-drift', 'own')], serviceAccount}}
  await bridge.publish(tenant)
  await first.waitFor({event: 'failed', app: 'drift-z'})
  await bridge.publish({...tenant, 'drift-a': {manifests: [namespace('claim-drift'), owned]}})
  await first.waitFor({event: 'healthy', app: 'drift-a'})
  await waitUntil(() => bridge.report()?.apps.find(({name}) => name === 'drift-a')?.ready === 'True', 'drift-a ready')
  await first.stop()
  const second = bridge.startAgent()
  await waitUntil(
    () => second.requests.some(({path}) => /^\/api\/v1\/configmaps\?.*labelSelector/.test(path)),
    'ConfigMaps are watched',
  )
  await applyAs(cluster.admin, 'somebody', types.configMap, {...owned, data: {v: '2'}} as typeof owned)
  await second.waitFor({event: 'healed', app: 'drift-a'})
  const found = await cluster.admin.get(types.configMap, {namespace: 'default', name: 'claim-drift'}, 'whole')
  assert.deepEqual(found === 'absent' ? found : childObject(found, 'data'), {v: '1'})
})
