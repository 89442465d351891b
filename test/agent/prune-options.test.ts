import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import type {ResourceType} from '#agent/kube/kube-client.ts'
import type {Json, Manifest} from '#shared/model/manifest.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {
  annotated,
  configMap,
  createTestBridge,
  deployment,
  namespace,
  type TestBridge,
  types,
  waitUntil,
} from './start-test-agent.ts'

let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster.stop())

const argo = 'argocd.argoproj.io'

const asks = (manifest: Manifest, options: string) => annotated(manifest, {[`${argo}/sync-options`]: options})
const exists = async (type: ResourceType, inNamespace: string, name: string): Promise<boolean> =>
  (await cluster.admin.get(type, {namespace: inNamespace, name}, 'metadata')) !== 'absent'
const message = (bridge: TestBridge, app: string) => bridge.report()?.apps.find(({name}) => name === app)?.message ?? ''

async function patchMetadata(inNamespace: string, name: string, metadata: Record<string, Json>): Promise<void> {
  await cluster.transport.send({
    method: 'PATCH',
    path: `/api/v1/namespaces/${inNamespace}/configmaps/${name}`,
    contentType: 'application/merge-patch+json',
    body: JSON.stringify({metadata}),
    what: `patch ${name}`,
  })
}

const objects = (own: string, count: number) => Array.from({length: count}, (_, index) => configMap(own, `c${index}`))

for (const [limit, allowed] of [
  [{objects: 2}, 2],
  [{percent: 20}, 2],
  [{objects: 1, percent: 90}, 1],
] as const) {
  test(`stops before its first change where it would prune more than ${JSON.stringify(limit)}`, async (t) => {
    const bridge = await createTestBridge(cluster, t)
    const agent = bridge.startAgent()
    const own = `limit-${Object.values(limit).join('-')}`
    const all = [namespace(own), ...objects(own, 9)]
    await bridge.publish({[own]: {manifests: all, sync: {pruneLimit: limit}}})
    await agent.waitFor({event: 'healthy', app: own})
    const fewer = [...all.slice(0, 9 - allowed), configMap(own, 'new')]
    await bridge.publish({[own]: {manifests: fewer, sync: {pruneLimit: limit}}})
    const failed = await agent.waitFor({event: 'failed', app: own})
    assert.equal(failed.code, 'PRUNE_LIMIT')
    assert.match(failed.message ?? '', new RegExp(`delete ${allowed + 1} of its 10 .* allows ${allowed};`))
    assert.equal(await exists(types.configMap, own, 'new'), false, 'nothing is changed')
    await bridge.publish({[own]: {manifests: all.slice(0, 10 - allowed), sync: {pruneLimit: limit}}})
    await agent.waitFor({event: 'pruned', app: own})
  })
}

test('what moves to another app does not count for the prune limit', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const sync = {pruneLimit: {objects: 0}}
  const [first, ...rest] = [namespace('moving'), ...objects('moving', 3)]
  assert.ok(first)
  await bridge.publish({from: {manifests: [first, ...rest], sync}})
  await agent.waitFor({event: 'healthy', app: 'from'})
  await bridge.publish({from: {manifests: [first], sync}, to: {manifests: rest}})
  await agent.waitFor({event: 'healthy', app: 'to'})
  assert.equal(agent.events.filter(({event}) => event === 'failed').length, 0)
})

test('keeps what asks for Prune=confirm until it is confirmed', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const own = 'confirm'
  await bridge.publish({
    [own]: {manifests: [namespace(own), asks(configMap(own, 'a'), 'Prune=confirm'), configMap(own, 'b')]},
  })
  await agent.waitFor({event: 'healthy', app: own})
  await bridge.publish({[own]: {manifests: [namespace(own), configMap(own, 'b')]}})
  const kept = await agent.waitFor({event: 'failed', app: own})
  assert.equal(kept.code, 'CONFIRM')
  assert.match(kept.message ?? '', /annotate it drawbridge.dev\/prune=confirmed/)
  await patchMetadata(own, 'a', {annotations: {'drawbridge.dev/prune': 'confirmed'}})
  await agent.waitFor({event: 'pruned', app: own, object: `/ConfigMap/${own}/a`})
})

test('names the finalizers that keep what was pruned', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const own = 'finalized'
  const held: Manifest = {
    ...configMap(own, 'a'),
    metadata: {name: 'a', namespace: own, finalizers: ['example.com/hold']},
  }
  await bridge.publish({[own]: {manifests: [namespace(own), held]}})
  await agent.waitFor({event: 'healthy', app: own})
  await bridge.publish({[own]: {manifests: [namespace(own)]}})
  const stuck = await agent.waitFor({event: 'failed', app: own})
  assert.match(stuck.message ?? '', /it waits for the controller\(s\) of its finalizers example.com\/hold/)
  await waitUntil(() => message(bridge, own).includes('example.com/hold'), 'the finalizer in the status')
  await patchMetadata(own, 'a', {finalizers: null})
  await waitUntil(() => !message(bridge, own).includes('example.com/hold'), 'a status without it')
})

test('prunes in the reverse of the waves, and what asks for PruneLast when all else is healthy', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const own = 'reversed'
  const deleted: string[] = []
  const agent = bridge.startAgent({
    onRequest: ({method, path}) => {
      if (method === 'DELETE' && path.includes(`/namespaces/${own}/`)) deleted.push(path.split('/').at(-1) ?? '')
    },
  })
  const inWave = (name: string, wave: string) => annotated(configMap(own, name), {[`${argo}/sync-wave`]: wave})
  const waves = [inWave('first', '-1'), configMap(own, 'second'), inWave('third', '1')]
  const last = asks(configMap(own, 'last'), 'PruneLast=true')
  await bridge.publish({[own]: {manifests: [namespace(own), last, ...waves]}})
  await agent.waitFor({event: 'healthy', app: own})
  // Without a controller it does not become healthy.
  await bridge.publish({[own]: {manifests: [namespace(own), deployment(own, 'web')]}})
  await waitUntil(() => /PruneLast waits for Deployment/.test(message(bridge, own)), 'the wait')
  assert.deepEqual(deleted, ['third', 'second', 'first'])
  assert.equal(await exists(types.configMap, own, 'last'), true)
  await bridge.publish({[own]: {manifests: [namespace(own), configMap(own, 'other')]}})
  await waitUntil(async () => !(await exists(types.configMap, own, 'last')), 'the last to be pruned')
  assert.deepEqual(deleted.slice(3), ['web', 'last'])
})

test('deletes with the propagation that the app asks for', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const bodies: string[] = []
  const agent = bridge.startAgent({
    onRequest: ({method, body}) => {
      if (method === 'DELETE') bodies.push(body ?? '')
    },
  })
  const sync = {prunePropagation: 'Foreground'} as const
  await bridge.publish({propagated: {manifests: objects('default', 2), sync}})
  await agent.waitFor({event: 'healthy', app: 'propagated'})
  await bridge.publish({propagated: {manifests: objects('default', 1), sync}})
  await agent.waitFor({event: 'pruned', app: 'propagated'})
  assert.match(bodies[0] ?? '', /"propagationPolicy":"Foreground"/)
})

test('a removed app that waits for termination is gone only when its objects are', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const finalizers = ['example.com/hold']
  const held: Manifest = {...configMap('default', 'hold'), metadata: {name: 'hold', namespace: 'default', finalizers}}
  const kept = asks(configMap('default', 'stays'), 'Delete=false')
  await bridge.publish({leaving: {manifests: [held, kept, configMap('default', 'goes')]}})
  await agent.waitFor({event: 'healthy', app: 'leaving'})
  await bridge.publish({}, {removed: {leaving: 'WaitForTermination'}})
  await waitUntil(async () => !(await exists(types.configMap, 'default', 'goes')), 'the deletion of the other')
  assert.equal(agent.events.filter(({event}) => event === 'removed').length, 0)
  await patchMetadata('default', 'hold', {finalizers: null})
  await agent.waitFor({event: 'removed', app: 'leaving'})
  assert.deepEqual(
    [await exists(types.configMap, 'default', 'hold'), await exists(types.configMap, 'default', 'stays')],
    [false, true],
  )
})
