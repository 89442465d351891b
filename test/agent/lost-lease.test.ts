import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import {setTimeout as sleep} from 'node:timers/promises'
import {KubeError} from '#agent/kube/kube-error.ts'
import type {KubeRequest} from '#agent/kube/send-request.ts'
import {keys} from '#shared/model/keys.ts'
import {childObject} from '#shared/model/manifest.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {applyAs, configMap, createTestBridge, type TestAgent, types, waitUntil} from './start-test-agent.ts'

let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster.stop())

const dataOf = async (name: string): Promise<unknown> => {
  const found = await cluster.admin.get(types.configMap, {namespace: 'default', name}, 'whole')
  return found === 'absent' ? 'absent' : childObject(found, 'data')
}
const edit = (name: string) =>
  applyAs(cluster.admin, 'kubectl', types.configMap, configMap('default', name, {v: 'theirs'}))
const isRenewal = ({method, path}: KubeRequest) => method === 'PUT' && path.includes('/leases/')
const isApplyOf =
  (name: string) =>
  ({method, path}: KubeRequest) =>
    method === 'PATCH' && path.includes(`/configmaps/${name}?`) && !path.includes('dryRun')
/** What is not there yet is created, by a request that names it in its body alone. */
const isWriteOf = ({method, path, body = ''}: KubeRequest, name: string) =>
  (method === 'PATCH' && path.includes(`/${name}`)) ||
  (method === 'POST' && path.endsWith('/configmaps') && body.includes(`"name":"${name}`))
const isInventory = (request: KubeRequest) => isWriteOf(request, 'drawbridge-inventory-')
const lost = (agent: TestAgent) => agent.lines.some((line) => line.includes('could not be renewed in time'))
const unreachable = () => new KubeError('UNAVAILABLE', 'the API server cannot be reached')

test('drift at the moment when the Lease is lost is healed in the next term, and told', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  let down = false
  const agent = bridge.startAgent({
    config: {leaseSeconds: 2},
    onRequest(request) {
      if (down && (isRenewal(request) || isApplyOf('at-loss')(request))) throw unreachable()
    },
  })
  await bridge.publish({lossy: {manifests: [configMap('default', 'at-loss', {v: '1'})]}})
  await agent.waitFor({event: 'healthy', app: 'lossy'})
  await waitUntil(() => bridge.report()?.apps[0]?.ready === 'True', 'the app ready in the report')
  down = true
  const seen = agent.events.length
  await edit('at-loss')
  await agent.waitFor({event: 'drifted', app: 'lossy'}, {after: seen})
  await waitUntil(() => lost(agent), 'the Lease lost')
  down = false
  await agent.waitFor({event: 'healed', app: 'lossy'}, {after: seen})
  assert.deepEqual(await dataOf('at-loss'), {v: '1'})
})

test('is not told as healthy before the cluster remembers what was applied', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const gate = Promise.withResolvers<void>()
  let inventories = 0
  const agent = bridge.startAgent({
    async onRequest(request) {
      if (isInventory(request) && ++inventories === 2) await gate.promise
    },
  })
  t.after(async () => gate.resolve())
  await bridge.publish({durable: {manifests: [configMap('default', 'durable', {v: '1'})]}})
  await agent.waitFor({event: 'applied', app: 'durable'})
  await waitUntil(() => inventories === 2, 'the inventory on its way')
  // Gone and back again: its health changes twice meanwhile.
  const target = {namespace: 'default', name: 'durable'}
  await cluster.admin.delete(types.configMap, target, {propagation: 'Background'})
  await agent.waitFor({event: 'healed', app: 'durable'})
  await sleep(200)
  assert.equal(
    agent.events.some(({event}) => event === 'healthy'),
    false,
  )
  gate.resolve()
  await agent.waitFor({event: 'healthy', app: 'durable'})
})

test('a store that hangs keeps no term from ending, and none from beginning', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  let down = false
  const never = (signal?: AbortSignal) =>
    new Promise<never>((_, reject) => signal?.addEventListener('abort', () => reject(new Error('aborted'))))
  const {store} = bridge
  const agent = bridge.startAgent({
    config: {leaseSeconds: 2},
    ports: {
      store: {
        ...store,
        put: (...args) => (down ? never() : store.put(...args)),
        get: (key, options) => (down && key === keys.report('dev') ? never(options?.signal) : store.get(key, options)),
      },
    },
    onRequest(request) {
      if (down && !lost(agent) && isRenewal(request)) throw unreachable()
    },
  })
  await bridge.publish({hanging: {manifests: [configMap('default', 'hanging', {v: '1'})]}})
  await agent.waitFor({event: 'healthy', app: 'hanging'})
  down = true
  const seen = agent.events.length
  await waitUntil(() => lost(agent), 'the Lease lost')
  await edit('hanging')
  await agent.waitFor({event: 'healed', app: 'hanging'}, {after: seen})
  assert.deepEqual(await dataOf('hanging'), {v: '1'})
  down = false
})

test('writes no object before the version that was accepted last is remembered, however many come meanwhile', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  let saves = 0
  const agent = bridge.startAgent({
    async onRequest(request) {
      if (isWriteOf(request, 'drawbridge-accepted')) await gates[saves++]?.promise
    },
  })
  t.after(async () => {
    for (const gate of gates) gate.resolve()
  })
  const steady = {manifests: [configMap('default', 'steady', {v: '1'})]}
  await bridge.publish({steady})
  await waitUntil(() => saves === 1, 'the first version on its way')
  await bridge.publish({steady, second: {manifests: [configMap('default', 'second', {v: '2'})]}})
  await waitUntil(() => bridge.report()?.desired.version === 2, 'version 2 accepted')
  assert.equal(saves, 1, 'one write at a time')
  gates[0]?.resolve()
  await waitUntil(() => saves === 2, 'the second version on its way')
  await sleep(200)
  assert.equal(agent.requests.some(isApplyOf('steady')), false)
  gates[1]?.resolve()
  await agent.waitFor({event: 'healthy', app: 'steady'})
  const kept = await cluster.admin.get(
    types.configMap,
    {namespace: bridge.agentNamespace, name: 'drawbridge-accepted'},
    'whole',
  )
  assert.equal(kept !== 'absent' && childObject(kept, 'data')?.version, '2')
})
