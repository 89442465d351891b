import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import {createHealthyStore} from '#agent/healthy-store.ts'
import {createInventoryStore} from '#agent/inventory-store.ts'
import {HEALTHY_LABEL, INVENTORY_LABEL} from '#agent/marks.ts'
import type {JsonObject, Manifest} from '#shared/model/manifest.ts'
import {encodeInventory} from '#shared/plan/encode-inventory.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {applyAs, configMap, createTestBridge, deployment, namespace, types} from './start-test-agent.ts'

let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster.stop())

test("lets no app write the agent's own state, whatever it is called, and whether it names the namespace or inherits it", async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const own = bridge.agentNamespace
  const crd = 'apiextensions.k8s.io/v1'
  const forged: Record<string, Manifest> = {
    forger: configMap(own, 'drawbridge-accepted'),
    'forger-by-label': {
      ...configMap(own, 'notes'),
      metadata: {name: 'notes', namespace: own, labels: {'drawbridge.dev/inventory': 'victim'}},
    },
    'forger-of-secrets': {apiVersion: 'v1', kind: 'Secret', metadata: {name: 'credentials', namespace: own}},
    'forger-of-leases': {apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: {name: 'drawbridge-agent'}},
    suspender: {apiVersion: 'drawbridge.dev/v1alpha1', kind: 'App', metadata: {name: 'victim', namespace: own}},
    definer: {apiVersion: crd, kind: 'CustomResourceDefinition', metadata: {name: 'apps.drawbridge.dev'}},
    'forger-of-all': namespace(own),
  }
  await bridge.publish(
    Object.fromEntries(
      Object.entries(forged).map(([name, manifest]) => [name, {manifests: [manifest], namespace: own}]),
    ),
  )
  for (const app of Object.keys(forged)) {
    const refused = await agent.waitFor({event: 'refused', app, code: 'POLICY'})
    assert.match(refused.message ?? '', /own state, which no app may write/)
  }
  // What the agent runs as may be managed like anything else, where RBAC lets the app.
  await bridge.publish({neighbour: {manifests: [deployment(own, 'neighbour', 0)]}})
  await agent.waitFor({event: 'applied', app: 'neighbour'})
})

/** An inventory of an app that names one ConfigMap, as the agent would write it but for its name. */
async function forgeInventory(own: string, name: string, app: string, foreign: {space: string; name: string}) {
  const target = {namespace: foreign.space, name: foreign.name}
  const found = await cluster.admin.get(types.configMap, target, 'metadata')
  assert.ok(found !== 'absent')
  const ref = {group: '', kind: 'ConfigMap', ...target}
  const [chunk = Buffer.alloc(0)] = encodeInventory([
    {ref, version: 'v1', applied: '', fields: '', uid: found.metadata.uid},
  ])
  const forged: Manifest & {binaryData: JsonObject} = {
    ...configMap(own, name, {serviceAccount: 'kube-system/almighty'}),
    metadata: {name, namespace: own, labels: {[INVENTORY_LABEL]: app}},
    binaryData: {chunk: Buffer.from(chunk).toString('base64')},
  }
  await applyAs(cluster.admin, 'somebody', types.configMap, forged)
}

test("deletes nothing by what only carries the label of another app's inventory", async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const first = bridge.startAgent()
  const space = 'forged-inventory'
  const app = (v: string) => ({[space]: {manifests: [configMap(space, 'own', {v})]}})
  await applyAs(cluster.admin, 'somebody', types.namespace, namespace(space))
  await bridge.publish(app('1'))
  await first.waitFor({event: 'healthy', app: space})
  await first.stop()
  await applyAs(cluster.admin, 'somebody', types.configMap, {
    ...configMap(space, 'foreign'),
    metadata: {name: 'foreign', namespace: space, labels: {'drawbridge.dev/app': space}},
  })
  await forgeInventory(bridge.agentNamespace, 'a-notes', space, {space, name: 'foreign'})
  await forgeInventory(bridge.agentNamespace, `drawbridge-inventory-other-0`, space, {space, name: 'foreign'})
  const next = bridge.startAgent()
  await bridge.publish(app('2'))
  await next.waitFor({event: 'healthy', app: space})
  await bridge.publish({}, {removed: {[space]: 'Delete'}})
  await next.waitFor({event: 'removed', app: space})
  const left = await cluster.admin.get(types.configMap, {namespace: space, name: 'foreign'}, 'metadata')
  assert.notEqual(left, 'absent')
  assert.equal(await cluster.admin.get(types.configMap, {namespace: space, name: 'own'}, 'metadata'), 'absent')
})

test('an inventory and a record of health are read by their very names, the ServiceAccount from the first chunk', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const own = bridge.agentNamespace
  await applyAs(cluster.admin, 'somebody', types.namespace, namespace(own))
  const write = (name: string, labels: JsonObject, data: JsonObject) =>
    applyAs(cluster.admin, 'somebody', types.configMap, {
      ...configMap(own, name),
      metadata: {name, namespace: own, labels},
      data,
    } as Manifest)
  const inventories = createInventoryStore(cluster.admin, own)
  const entry = {
    ref: {group: '', kind: 'ConfigMap', namespace: 'web', name: 'x'},
    version: 'v1',
    applied: 'a'.repeat(16),
    fields: '',
  }
  await inventories.save('web', [entry], 'web/deployer')
  for (const name of [
    'a-notes',
    'drawbridge-inventory-web',
    'drawbridge-inventory-web-00',
    'drawbridge-inventory-web-1-0',
  ])
    await write(name, {[INVENTORY_LABEL]: 'web'}, {serviceAccount: 'kube-system/almighty'})
  const expected = {entries: [entry], serviceAccount: 'web/deployer'}
  for (const found of [(await inventories.loadAll()).get('web'), await inventories.load('web')])
    assert.deepEqual({entries: found?.entries, serviceAccount: found?.serviceAccount}, expected)

  const [app] = (await bridge.publish({web: {manifests: []}})).apps
  assert.ok(app?.state === 'present')
  const {revision, source, inputs, bundle, trace} = app
  const healthy = {revision, source, inputs, bundle, trace}
  const record = JSON.stringify({healthy: {...healthy, revision: 'forged'}})
  await write('a-record', {[HEALTHY_LABEL]: 'web'}, {record})
  const records = createHealthyStore(cluster.admin, own)
  assert.deepEqual(await records.loadAll(), new Map())
  await records.save('web', {healthy})
  assert.deepEqual(await createHealthyStore(cluster.admin, own).loadAll(), new Map([['web', {healthy}]]))
})
