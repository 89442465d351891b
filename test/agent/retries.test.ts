import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import {KubeError} from '#agent/kube/kube-error.ts'
import type {KubeRequest} from '#agent/kube/send-request.ts'
import {childObject, type Manifest} from '#shared/model/manifest.ts'
import {ObjectStoreError} from '#shared/ports/object-store-error.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {applyAs, configMap, createTestBridge, namespace, types, waitUntil} from './start-test-agent.ts'

let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster.stop())

const dataOf = async (space: string) => {
  const found = await cluster.admin.get(types.configMap, {namespace: space, name: 'x'}, 'whole')
  return found === 'absent' ? undefined : childObject(found, 'data')
}
const app = (space: string, v: string, ...more: Manifest[]): Manifest[] => [
  namespace(space),
  configMap(space, 'x', {v}),
  ...more,
]
/** Refused by the API server, whenever it is tried. */
const refused = (space: string): Manifest => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {name: 'no-ports', namespace: space},
  spec: {ports: []},
})
const isApply = ({method, path}: KubeRequest, space: string) =>
  method === 'PATCH' && path.includes(`/namespaces/${space}/configmaps/x?`) && !path.includes('dryRun')
const backoff = {duration: '20ms', factor: 1, maxDuration: '20ms'}

test('an object store that cannot be reached spends no retry: the revision comes when it is back, and nothing is rolled back', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'retry-store'
  let down = false
  let failures = 0
  const get: typeof bridge.store.get = async (key, options) => {
    if (!down || !key.startsWith('bundles/')) return bridge.store.get(key, options)
    failures++
    throw new ObjectStoreError('UNAVAILABLE', 'the store is down')
  }
  const agent = bridge.startAgent({ports: {store: {...bridge.store, get}}})
  const sync = {rollback: true, retry: {limit: 2, backoff}}
  await bridge.publish({[space]: {manifests: app(space, '1'), sync}})
  await agent.waitFor({event: 'healthy', app: space})
  down = true
  await bridge.publish({[space]: {manifests: app(space, '2'), sync}})
  await waitUntil(() => failures > 6, 'more tries than its limit')
  down = false
  await waitUntil(async () => (await dataOf(space))?.v === '2', 'the new revision')
  assert.equal(agent.events.filter(({event}) => event === 'rolledback').length, 0)
})

test('an API server that cannot answer spends no retry either', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'retry-server'
  let down = false
  let failures = 0
  const agent = bridge.startAgent({
    onRequest(request) {
      if (!down || !isApply(request, space)) return
      failures++
      throw new KubeError('UNAVAILABLE', 'apply: the server is down')
    },
  })
  const sync = {rollback: true, retry: {limit: 0, backoff}}
  await bridge.publish({[space]: {manifests: app(space, '1'), sync}})
  await agent.waitFor({event: 'healthy', app: space})
  down = true
  await bridge.publish({[space]: {manifests: app(space, '2'), sync}})
  await waitUntil(() => failures > 3, 'more tries than its limit')
  down = false
  await waitUntil(async () => (await dataOf(space))?.v === '2', 'the new revision')
  assert.equal(agent.events.filter(({event}) => event === 'rolledback').length, 0)
})

test('what failed after something newer was published does not count against the newer', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'retry-overtaken'
  const gate = Promise.withResolvers<void>()
  t.after(async () => gate.resolve())
  const fails = {older: 0, newer: 0}
  const agent = bridge.startAgent({
    async onRequest(request) {
      if (!isApply(request, space)) return
      const refusal = new KubeError('INVALID', 'apply: refused')
      if (request.body?.includes('"older"') && fails.older++ === 0) {
        await gate.promise
        throw refusal
      }
      if (request.body?.includes('"newer"') && fails.newer++ === 0) throw refusal
    },
  })
  const sync = {retry: {limit: 1, backoff}, preflight: 'never' as const}
  const publish = (v: string) => bridge.publish({[space]: {manifests: app(space, v), sync}})
  await publish('1')
  await agent.waitFor({event: 'healthy', app: space})
  await publish('older')
  await waitUntil(() => fails.older > 0, 'the apply of the older')
  const {apps} = await publish('newer')
  const [newer] = apps
  assert.ok(newer?.state === 'present')
  await agent.waitFor({event: 'pulled', app: space, revision: newer.revision})
  gate.resolve()
  await agent.waitFor({event: 'healthy', app: space, revision: newer.revision})
  assert.deepEqual([fails, await dataOf(space)], [{older: 1, newer: 2}, {v: 'newer'}])
})

test('a heal that failed is tried again, however few retries a revision has', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'retry-heal'
  let faults = 0
  const agent = bridge.startAgent({
    onRequest(request) {
      if (isApply(request, space) && faults-- > 0) throw new KubeError('UNAVAILABLE', 'apply: the server is down')
    },
  })
  const sync = {retry: {limit: 0}}
  await bridge.publish({[space]: {manifests: app(space, '1'), sync}})
  await agent.waitFor({event: 'healthy', app: space})
  faults = 2
  await applyAs(cluster.admin, 'kubectl', types.configMap, configMap(space, 'x', {v: 'theirs'}))
  await waitUntil(async () => (await dataOf(space))?.v === '1', 'healed')
  await waitUntil(() => bridge.report()?.apps[0]?.ready === 'True', 'ready in the report')
})

test('heals what is applied of a revision that was given up, again and again, and does not try that revision for it', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'retry-never'
  let faults = 0
  const agent = bridge.startAgent({
    onRequest(request) {
      if (isApply(request, space) && faults-- > 0) throw new KubeError('UNAVAILABLE', 'apply: the server is down')
    },
  })
  const sync = {retry: {limit: 0}, preflight: 'never' as const}
  await bridge.publish({[space]: {manifests: app(space, '1', refused(space)), sync}})
  const message = () => bridge.report()?.apps[0]?.message ?? ''
  await waitUntil(() => message().includes('given up after 0 retries'), message)
  const attempts = () => agent.requests.filter(({path}) => path.includes('/services/no-ports')).length
  assert.equal(attempts(), 1)
  faults = 2
  await applyAs(cluster.admin, 'kubectl', types.configMap, configMap(space, 'x', {v: 'theirs'}))
  await waitUntil(async () => (await dataOf(space))?.v === '1', 'healed')
  // The inventory is written after a heal, without a try of what was given up.
  const saved = () =>
    agent.requests.findLastIndex(({path}) => path.includes(`drawbridge-inventory-${space}`)) >
    agent.requests.findLastIndex((request) => isApply(request, space))
  await waitUntil(saved, 'the inventory written')
  assert.equal(attempts(), 1)
  assert.match(message(), /given up after 0 retries/)
})
