import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import {createInventoryStore} from '#agent/inventory-store.ts'
import {createKubeClient} from '#agent/kube/create-kube-client.ts'
import type {KubeClient, ResourceType} from '#agent/kube/kube-client.ts'
import type {KubeObject, NewObject} from '#agent/kube/kube-object.ts'
import type {KubeRequest} from '#agent/kube/send-request.ts'
import {stateTypes} from '#agent/state-types.ts'
import {childObject} from '#shared/model/manifest.ts'
import {refKey} from '#shared/model/object-ref.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {recordChanges} from './record-changes.ts'
import {
  configMap,
  createTestBridge,
  namespace,
  type TestAgent,
  type TestBridge,
  types,
  waitUntil,
} from './start-test-agent.ts'

let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster?.stop())

/** Whoever comes first makes the namespace of the Lease. */
const isWrite = ({method, path}: KubeRequest) =>
  method !== 'GET' && !path.includes('/leases') && path !== '/api/v1/namespaces'
const isLease = (type: ResourceType) => type.kind === 'Lease'
const leaseOf = (bridge: TestBridge) => ({namespace: bridge.agentNamespace, name: 'drawbridge-agent'})
const holderOf = async (bridge: TestBridge) => {
  const lease = await cluster.admin.get(stateTypes.lease, leaseOf(bridge), 'whole')
  return lease === 'absent' ? undefined : childObject(lease, 'spec')?.holderIdentity
}
const stands = (agent: TestAgent) => agent.lines.some((line) => line.includes('holds the Lease'))
const dataOf = async (space: string, name: string) => {
  const found = await cluster.admin.get(types.configMap, {namespace: space, name}, 'whole')
  return found === 'absent' ? undefined : childObject(found, 'data')?.v
}
const names = async (space: string) => {
  const {items} = await cluster.admin.list(types.configMap, {
    detail: 'metadata',
    namespace: space,
    labelSelector: 'drawbridge.dev/app',
  })
  return items.map(({metadata}) => metadata.name).toSorted()
}
const app = (space: string, objects: Record<string, string>) => ({
  [space]: {
    manifests: [namespace(space), ...Object.entries(objects).map(([name, v]) => configMap(space, name, {v}))],
  },
})
const inventoryOf = async (bridge: TestBridge, name: string) => {
  const found = await createInventoryStore(cluster.admin, bridge.agentNamespace).load(name)
  assert.ok(Array.isArray(found?.entries), 'an inventory that can be read')
  return found.entries.map(({ref}) => refKey(ref)).toSorted()
}
const inventoryFor = (space: string, objects: string[]) =>
  [`/Namespace//${space}`, ...objects.map((name) => `/ConfigMap/${space}/${name}`)].toSorted()

/** A client to which the Lease is always its own, as to a process that was stopped for a while and does not know. */
function believingToLead(): KubeClient {
  const kube = createKubeClient(cluster.transport)
  const granted = (object: NewObject): KubeObject => ({
    ...object,
    metadata: {...object.metadata, uid: 'own', resourceVersion: '1'},
  })
  return {
    ...kube,
    get: async (type, target, detail) => (isLease(type) ? 'absent' : kube.get(type, target, detail)),
    create: async (type, object, user) => (isLease(type) ? granted(object) : kube.create(type, object, user)),
    replace: async (type, object, user) => (isLease(type) ? granted(object) : kube.replace(type, object, user)),
  }
}

test('of two agents that start together one leads; the other takes over when it is killed without a word', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  let killed: TestAgent | undefined
  const start = (): TestAgent => {
    const agent: TestAgent = bridge.startAgent({
      config: {leaseSeconds: 2},
      onRequest: () => {
        if (killed === agent) throw new Error('the process is gone')
      },
    })
    return agent
  }
  const agents = [start(), start()]
  await bridge.publish(app('pair', {x: '1'}))
  await waitUntil(() => agents.some((agent) => agent.events.some(({event}) => event === 'healthy')), 'one that leads')
  await waitUntil(() => agents.some(stands), 'one that stands by')
  const [leader, other] = agents.toSorted((a, b) => Number(stands(a)) - Number(stands(b)))
  assert.ok(leader !== undefined && other !== undefined)
  assert.deepEqual([stands(leader), other.requests.filter(isWrite), other.events], [false, [], []])
  const before = await holderOf(bridge)
  killed = leader
  await bridge.publish(app('pair', {x: '2'}))
  await other.waitFor({event: 'healthy', app: 'pair'})
  assert.equal(await dataOf('pair', 'x'), '2')
  assert.notEqual(await holderOf(bridge), before)
})

test('a Lease that somebody deletes is made anew by its holder, and nobody else takes it meanwhile', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const config = {leaseSeconds: 3}
  const first = bridge.startAgent({config})
  await bridge.publish(app('unleased', {x: '1'}))
  await first.waitFor({event: 'healthy', app: 'unleased'})
  const second = bridge.startAgent({config})
  await waitUntil(() => stands(second), 'the second one waiting')
  const holder = await holderOf(bridge)
  await cluster.admin.delete(stateTypes.lease, leaseOf(bridge), {propagation: 'Background'})
  await waitUntil(async () => (await holderOf(bridge)) !== undefined, 'a Lease again')
  assert.equal(await holderOf(bridge), holder)
  await bridge.publish(app('unleased', {x: '2'}))
  await waitUntil(async () => (await dataOf('unleased', 'x')) === '2', 'version 2')
  assert.deepEqual(second.requests.filter(isWrite), [])
})

test('an agent that led before and does not know that another leads now writes over none of its memory', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'overtaken'
  let asleep = false
  const {store} = bridge
  const old = bridge.startAgent({
    ports: {
      kube: believingToLead(),
      // It sees nothing newer than what it knows: whoever reads from there may be late.
      store: {
        ...store,
        get: async (key, options) => (asleep ? 'not-modified' : store.get(key, options)),
        put: async () => ({etag: ''}) as never,
      },
    },
  })
  await bridge.publish(app(space, {keep: '1', drop: '1'}))
  await old.waitFor({event: 'healthy', app: space})
  await waitUntil(async () => (await inventoryOf(bridge, space)).length === 3, 'its inventory')
  asleep = true
  const recent = bridge.startAgent()
  await bridge.publish(app(space, {keep: '2', more: '2'}))
  await recent.waitFor({event: 'healthy', app: space})
  await waitUntil(async () => (await names(space)).join() === 'keep,more', 'what version 2 wants')
  // The old one takes what the new one did for drift, and would write what it knows of.
  await waitUntil(
    () => old.lines.some((line) => line.includes('another agent wrote')),
    () => old.lines.join('\n'),
  )
  await old.stop()
  await waitUntil(async () => (await dataOf(space, 'keep')) === '2', 'version 2 again')
  assert.deepEqual(await names(space), ['keep', 'more'])
  await waitUntil(
    async () =>
      JSON.stringify(await inventoryOf(bridge, space)) === JSON.stringify(inventoryFor(space, ['keep', 'more'])),
    'the inventory of version 2',
  )
  const accepted = await cluster.admin.get(
    stateTypes.configMap,
    {namespace: bridge.agentNamespace, name: 'drawbridge-accepted'},
    'whole',
  )
  assert.equal(accepted !== 'absent' && childObject(accepted, 'data')?.version, '2')
})

test('two agents that both believe to lead, with clocks apart, end at what is desired, and delete nothing of it', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'twice'
  const recorder = recordChanges(cluster.admin, () => true)
  t.after(async () => recorder.stop())
  await recorder.follow(types.configMap)
  const start = (minutes: number) =>
    bridge.startAgent({
      ports: {kube: believingToLead(), clock: {now: () => new Date(Date.now() + minutes * 60_000)}},
    })
  const agents = [start(-7), start(7)]
  const stay = {s1: 'stays', s2: 'stays', s3: 'stays'}
  for (let round = 1; round <= 6; round++) {
    const v = String(round)
    await bridge.publish(app(space, {...stay, changes: v, [`of-${v}`]: v}))
    await waitUntil(
      async () => (await dataOf(space, 'changes')) === v,
      () => `round ${v}: ${agents.map(({lines}) => lines.slice(-5).join('\n')).join('\n--\n')}`,
      60_000,
    )
  }
  const wanted = ['changes', 'of-6', 's1', 's2', 's3']
  await waitUntil(
    async () => (await names(space)).join() === wanted.join(),
    'the objects of the last version, and no other',
    60_000,
  )
  await waitUntil(
    async () => JSON.stringify(await inventoryOf(bridge, space)) === JSON.stringify(inventoryFor(space, wanted)),
    'the inventory of the last version',
    60_000,
  )
  for (const name of ['changes', 's1', 's2', 's3']) {
    const history = recorder.of(`ConfigMap/${space}/${name}`)
    assert.deepEqual([history.creations, history.deletedAt], [1, undefined], name)
  }
})
