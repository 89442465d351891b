import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import type {KubeObject} from '#agent/kube/kube-object.ts'
import {childObject, type JsonObject, type Manifest} from '#shared/model/manifest.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {
  applyAs,
  configMap,
  createTestBridge,
  deployment,
  namespace,
  types,
  waitUntil,
  writesOf,
} from './start-test-agent.ts'

let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster.stop())

const dataOf = async (inNamespace: string, name: string): Promise<unknown> => {
  const found = await cluster.admin.get(types.configMap, {namespace: inNamespace, name}, 'whole')
  return found === 'absent' ? 'absent' : childObject(found, 'data')
}
const labelsOf = (object: KubeObject | 'absent') => (object === 'absent' ? undefined : object.metadata.labels)

test('applies what is published, changes what changed, prunes what is gone', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  await bridge.publish({web: {manifests: [namespace('web'), configMap('web', 'a', {x: '1'}), configMap('web', 'b')]}})
  await agent.waitFor({event: 'healthy', app: 'web'})
  assert.deepEqual(await dataOf('web', 'a'), {x: '1'})
  assert.deepEqual(labelsOf(await cluster.admin.get(types.configMap, {namespace: 'web', name: 'b'}, 'metadata')), {
    'drawbridge.dev/app': 'web',
  })
  assert.deepEqual(
    agent.events.map(({event}) => event),
    ['pulled', 'verified', 'applied', 'healthy'],
  )

  const before = agent.requests.length
  await bridge.publish({web: {manifests: [namespace('web'), configMap('web', 'a', {x: '2'}), configMap('web', 'b')]}})
  await agent.waitFor({event: 'healthy'}, {after: 4})
  assert.deepEqual(await dataOf('web', 'a'), {x: '2'})
  assert.equal(writesOf(agent.requests.slice(before)).length, 4, 'accepted, inventory, the object, inventory')

  await bridge.publish({web: {manifests: [namespace('web'), configMap('web', 'a', {x: '2'})]}})
  await agent.waitFor({event: 'pruned', app: 'web', object: '/ConfigMap/web/b'})
  assert.equal(await dataOf('web', 'b'), 'absent')
  await waitUntil(() => bridge.report()?.apps[0]?.ready === 'True', 'a report that the app is ready')
})

test('applies definitions before what they define, in one go', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const group = 'parts.example'
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {name: `gears.${group}`},
    spec: {
      group,
      scope: 'Namespaced',
      names: {kind: 'Gear', plural: 'gears', singular: 'gear'},
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: {openAPIV3Schema: {type: 'object', 'x-kubernetes-preserve-unknown-fields': true}},
        },
      ],
    },
  }
  const gear = (name: string): Manifest => ({
    apiVersion: `${group}/v1`,
    kind: 'Gear',
    metadata: {name, namespace: 'gears'},
    spec: {teeth: 12},
  })
  const type = {group, version: 'v1', kind: 'Gear', plural: 'gears', namespaced: true}
  await bridge.publish({gears: {manifests: [gear('one'), gear('two'), namespace('gears'), definition]}})
  await agent.waitFor({event: 'healthy', app: 'gears'})
  assert.equal(agent.events.filter(({event}) => event === 'failed').length, 0)
  assert.notEqual(await cluster.admin.get(type, {namespace: 'gears', name: 'two'}, 'metadata'), 'absent')

  await cluster.admin.delete(type, {namespace: 'gears', name: 'one'}, {propagation: 'Background'})
  await agent.waitFor({event: 'healed', object: `${group}/Gear/gears/one`})

  await bridge.publish({gears: {manifests: [gear('one'), namespace('gears'), definition]}})
  await agent.waitFor({event: 'pruned', object: `${group}/Gear/gears/two`})
})

test('makes no write and no dry run where nothing changed, nor after a restart', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const first = bridge.startAgent()
  const app = {manifests: [namespace('still'), ...Array.from({length: 30}, (_, i) => configMap('still', `c${i}`))]}
  await bridge.publish({still: app})
  await first.waitFor({event: 'healthy', app: 'still'})
  const before = first.requests.length
  await bridge.publish({still: app})
  await waitUntil(() => bridge.report()?.desired.version === 2, 'version 2 in the report')
  assert.deepEqual(
    writesOf(first.requests.slice(before)).filter((write) => !write.includes('drawbridge-accepted')),
    [],
  )
  await first.stop()
  const instance = bridge.report()?.agent.instance

  const second = bridge.startAgent()
  await waitUntil(() => bridge.report()?.agent.instance !== instance, 'the report of the second agent')
  await waitUntil(() => bridge.report()?.apps[0]?.ready === 'True', 'the app ready again')
  assert.deepEqual(writesOf(second.requests), [])
  assert.deepEqual(
    second.events.map(({event}) => event),
    [],
    'nothing is told twice',
  )
  const [space, ...rest] = app.manifests
  assert.ok(space !== undefined)
  await bridge.publish({still: {manifests: [space, configMap('still', 'c0', {v: '2'}), ...rest.slice(1)]}})
  await second.waitFor({event: 'healthy', app: 'still'})
  const touched = second.requests.filter(({path}) => path.includes('/namespaces/still/'))
  assert.equal(touched.length, 1, 'by then only what changed was asked for')
})

test('one failing app does not stop the others, and is put right by the next publication', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const bad: Manifest = {apiVersion: 'v1', kind: 'Service', metadata: {name: 's', namespace: 'fine'}, spec: {ports: []}}
  await bridge.publish({
    broken: {manifests: [configMap('nowhere-to-be-found', 'x')]},
    fine: {manifests: [namespace('fine'), configMap('fine', 'x')]},
    worse: {manifests: [bad]},
    unknown: {manifests: [{apiVersion: 'nobody.example/v1', kind: 'Thing', metadata: {name: 'x'}}]},
  })
  await agent.waitFor({event: 'healthy', app: 'fine'})
  const failed = await agent.waitFor({event: 'failed', app: 'broken'})
  assert.match(failed.message ?? '', /nowhere-to-be-found/)
  const unknown = await agent.waitFor({event: 'failed', app: 'unknown'})
  assert.match(unknown.message ?? '', /serves no Thing in nobody.example\/v1/)
  await agent.waitFor({event: 'failed', app: 'worse'})
  await bridge.publish({
    broken: {manifests: [configMap('fine', 'y')]},
    fine: {manifests: [namespace('fine'), configMap('fine', 'x')]},
  })
  await agent.waitFor({event: 'healthy', app: 'broken'})
})

test('never tells a Secret value, even when the API server does', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const secret = (data: JsonObject): Manifest => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {name: 's', namespace: 'secrets'},
    type: 'Opaque',
    ...data,
  })
  await bridge.publish({secrets: {manifests: [namespace('secrets'), secret({stringData: {password: 7_777_777}})]}})
  await agent.waitFor({event: 'failed', app: 'secrets'})
  await bridge.publish({
    secrets: {manifests: [namespace('secrets'), secret({stringData: {password: 'hunter2hunter2'}})]},
  })
  await agent.waitFor({event: 'healthy', app: 'secrets'})
  await applyAs(
    cluster.admin,
    'intruder',
    types.secret,
    secret({data: {password: Buffer.from('stolen1234').toString('base64')}}),
  )
  await agent.waitFor({event: 'healed', app: 'secrets'})
  const told = JSON.stringify([agent.events, agent.lines, bridge.report()])
  for (const value of ['7777777', 'hunter2', 'stolen', Buffer.from('hunter2hunter2').toString('base64').slice(0, 8)]) {
    assert.ok(!told.includes(value), value)
  }
})

test('applies as the ServiceAccount that the app names, and may no more than it', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  await bridge.publish({
    tenant: {manifests: [configMap('default', 'not-allowed')], serviceAccount: 'default/nobody'},
  })
  const failed = await agent.waitFor({event: 'failed', app: 'tenant'})
  assert.match(failed.message ?? '', /system:serviceaccount:default:nobody/)
  assert.equal(await dataOf('default', 'not-allowed'), 'absent')
})

test('creates the namespace of an app that asks for it', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const object: Manifest = {apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'x'}, data: {a: 'b'}}
  await bridge.publish({made: {manifests: [object], namespace: 'made', createNamespace: true}})
  await agent.waitFor({event: 'healthy', app: 'made'})
  assert.deepEqual(await dataOf('made', 'x'), {a: 'b'})
})

test('asks for the namespace of an app only where none of its objects is in it', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const object = (value: string): Manifest => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {name: 'x'},
    data: {value},
  })
  const made = {namespace: 'made-once', createNamespace: true}
  await bridge.publish({once: {manifests: [object('1')], ...made}})
  await agent.waitFor({event: 'healthy', app: 'once'})
  const since = agent.requests.length
  const mark = agent.events.length
  await bridge.publish({once: {manifests: [object('2')], ...made}})
  await agent.waitFor({event: 'healthy', app: 'once'}, {after: mark})
  assert.deepEqual(await dataOf('made-once', 'x'), {value: '2'})
  const asked = agent.requests.slice(since).filter(({path}) => path === '/api/v1/namespaces/made-once')
  assert.deepEqual(asked, [])
})

test('writes nothing for another bundle with the same objects, and goes on to heal by it', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const manifests = [configMap('default', 'same', {a: 'b'})]
  await bridge.publish({same: {manifests}})
  await agent.waitFor({event: 'healthy', app: 'same'})
  const since = agent.requests.length
  const mark = agent.events.length
  await bridge.publish({same: {manifests, rendererVersion: '2'}})
  await agent.waitFor({event: 'healthy', app: 'same'}, {after: mark})
  assert.deepEqual(
    agent.requests.slice(since).filter(({path}) => path.includes('/namespaces/default/configmaps/')),
    [],
  )
  await cluster.admin.delete(types.configMap, {namespace: 'default', name: 'same'}, {propagation: 'Background'})
  await agent.waitFor({event: 'healed', app: 'same'}, {after: mark})
  assert.deepEqual(await dataOf('default', 'same'), {a: 'b'})
})

test('takes over what somebody else applied before, without making it anew', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  await applyAs(cluster.admin, 'somebody', types.configMap, configMap('default', 'older', {x: 'theirs', y: 'theirs'}))
  const older = await cluster.admin.get(types.configMap, {namespace: 'default', name: 'older'}, 'metadata')
  await bridge.publish({adopter: {manifests: [configMap('default', 'older', {x: 'ours'})]}})
  await agent.waitFor({event: 'healthy', app: 'adopter'})
  const now = await cluster.admin.get(types.configMap, {namespace: 'default', name: 'older'}, 'whole')
  assert.ok(older !== 'absent' && now !== 'absent')
  assert.equal(now.metadata.uid, older.metadata.uid)
  assert.deepEqual(childObject(now, 'data'), {x: 'ours', y: 'theirs'})
})

test('a newer desired state ends a wait at once', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  // Without a controller manager no Deployment ever becomes available.
  await bridge.publish({slow: {manifests: [namespace('slow'), deployment('slow', 'web')]}})
  await agent.waitFor({event: 'applied', app: 'slow'})
  await waitUntil(() => bridge.report()?.apps[0]?.reason === 'Progressing', 'the wait in the report')
  const at = performance.now()
  await bridge.publish({slow: {manifests: [namespace('slow'), configMap('slow', 'x')]}})
  await agent.waitFor({event: 'healthy', app: 'slow'})
  assert.ok(performance.now() - at < 5_000)
})

test('says which object was not healthy in time, and why', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  await bridge.publish({
    stuck: {manifests: [namespace('stuck'), deployment('stuck', 'web')], sync: {timeoutSeconds: 1}},
  })
  const failed = await agent.waitFor({event: 'failed', app: 'stuck'})
  assert.equal(failed.code, 'HealthCheckFailed')
  assert.match(failed.message ?? '', /Deployment.apps stuck\/web/)
  await waitUntil(() => bridge.report()?.apps[0]?.ready === 'False', 'the failure in the report')
  assert.equal(bridge.report()?.apps[0]?.unhealthyTotal, 1)
})
