import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import {appType} from '#agent/app-definition.ts'
import {KubeError} from '#agent/kube/kube-error.ts'
import {annotationsOf, type KubeObject} from '#agent/kube/kube-object.ts'
import type {KubeRequest} from '#agent/kube/send-request.ts'
import {keys} from '#shared/model/keys.ts'
import {childObject, type JsonObject} from '#shared/model/manifest.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import type {TestApp} from './publish-state.ts'
import {
  annotateApp,
  applyAs,
  configMap,
  createTestBridge,
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

const appObject = async (bridge: TestBridge, name: string): Promise<KubeObject | undefined> => {
  const found = await cluster.admin.get(appType, {namespace: bridge.agentNamespace, name}, 'whole')
  return found === 'absent' ? undefined : found
}
const statusOf = async (bridge: TestBridge, name: string): Promise<JsonObject> => {
  const found = await appObject(bridge, name)
  return (found === undefined ? undefined : childObject(found, 'status')) ?? {}
}
const heldBy = async (space: string): Promise<unknown> => {
  const found = await cluster.admin.get(types.configMap, {namespace: space, name: 'x'}, 'whole')
  return found === 'absent' ? 'absent' : childObject(found, 'data')?.v
}
const app = (space: string, v: string): Record<string, TestApp> => ({
  [space]: {manifests: [namespace(space), configMap(space, 'x', {v})]},
})
const isListOfApps = ({method, path}: KubeRequest): boolean =>
  method === 'GET' && /^\/apis\/drawbridge\.dev\/.*\/apps\?/.test(path) && !path.includes('watch=')

/** An app that is suspended at version 1. */
async function suspend(bridge: TestBridge, space: string) {
  const agent = bridge.startAgent()
  await bridge.publish(app(space, '1'))
  await agent.waitFor({event: 'healthy', app: space})
  await waitUntil(async () => (await appObject(bridge, space)) !== undefined, 'its App object')
  await annotateApp(cluster.admin, bridge, space, {'drawbridge.dev/suspend': 'true'})
  await waitUntil(async () => (await statusOf(bridge, space)).suspended === true, 'that it is suspended')
  await agent.waitFor({event: 'suspended', app: space})
  return agent
}

test('an app stays suspended where an API server does not know App objects yet when the agent starts', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'suspended-404'
  await (await suspend(bridge, space)).stop()
  await bridge.publish({...app(space, '2'), ...app('beside-404', '1')})
  let lists = 0
  const agent = bridge.startAgent({
    onAnswer(request) {
      if (isListOfApps(request) && ++lists <= 3) throw new KubeError('NOT_FOUND', 'the server has no such path')
    },
  })
  await agent.waitFor({event: 'healthy', app: 'beside-404'})
  await waitUntil(async () => (await statusOf(bridge, space)).suspended === true, 'that it is shown as suspended')
  assert.ok(lists > 3)
  assert.ok(!agent.lines.some((line) => /^warn .*nothing is reconciled before/.test(line)))
  assert.equal(await heldBy(space), '1')
  assert.ok(!agent.events.some(({app: name, event}) => name === space && event === 'applied'))
  await annotateApp(cluster.admin, bridge, space, {})
  await agent.waitFor({event: 'applied', app: space})
  assert.equal(await heldBy(space), '2')
})

test('reconciles nothing, and says why, while it may not read App objects that are there', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'suspended-403'
  await (await suspend(bridge, space)).stop()
  await bridge.publish({...app(space, '2'), ...app('beside-403', '1')})
  let forbidden = true
  let lists = 0
  const agent = bridge.startAgent({
    onAnswer(request) {
      if (!isListOfApps(request)) return
      lists++
      if (forbidden) throw new KubeError('FORBIDDEN', 'apps.drawbridge.dev is forbidden')
    },
  })
  await waitUntil(() => lists >= 3, 'that it asks again')
  const said = agent.lines.filter((line) =>
    /nothing is reconciled before it is known which apps are suspended/.test(line),
  )
  assert.equal(said.length, 1)
  assert.match(said[0] ?? '', /warn .*apps\.drawbridge\.dev is there.* apps\.drawbridge\.dev is forbidden/)
  assert.deepEqual(agent.events, [])
  forbidden = false
  await agent.waitFor({event: 'healthy', app: 'beside-403'})
  assert.equal(await heldBy(space), '1')
})

test('an app whose App object is deleted is shown anew, still suspended, and resumed by its annotation alone', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'suspended-deleted'
  const agent = await suspend(bridge, space)
  const first = await appObject(bridge, space)
  await cluster.admin.delete(appType, {namespace: bridge.agentNamespace, name: space}, {propagation: 'Background'})
  let anew: KubeObject | undefined
  await waitUntil(async () => {
    anew = await appObject(bridge, space)
    return anew !== undefined && anew.metadata.uid !== first?.metadata.uid && childObject(anew, 'status') !== undefined
  }, 'the App object anew')
  assert.ok(anew !== undefined)
  assert.equal(annotationsOf(anew)['drawbridge.dev/suspend'], 'true')
  await bridge.publish({...app(space, '2'), ...app('beside-deleted', '1')})
  await agent.waitFor({event: 'healthy', app: 'beside-deleted'})
  await waitUntil(async () => (await statusOf(bridge, space)).suspended === true, 'that it is suspended')
  assert.equal(await heldBy(space), '1')
  // Over a restart too.
  await agent.stop()
  const next = bridge.startAgent()
  await bridge.publish({...app(space, '2'), ...app('beside-deleted', '2')})
  await next.waitFor({event: 'healthy', app: 'beside-deleted'})
  assert.equal(await heldBy(space), '1')
  const {managedFields: _, ...metadata} = (await appObject(bridge, space))?.metadata ?? assert.fail()
  const resumed = {...metadata, annotations: {}, namespace: bridge.agentNamespace}
  await cluster.admin.replace(appType, {apiVersion: 'drawbridge.dev/v1alpha1', kind: 'App', metadata: resumed})
  await next.waitFor({event: 'applied', app: space})
  assert.equal(await heldBy(space), '2')
})

test('drift of a suspended app is told also when something newer is published, and after a restart', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'suspended-drift'
  const agent = await suspend(bridge, space)
  await applyAs(cluster.admin, 'kubectl-edit', types.configMap, configMap(space, 'x', {v: 'theirs'}))
  await agent.waitFor({event: 'drifted', app: space})
  const {apps} = await bridge.publish({...app(space, '2'), 'beside-drift': {manifests: [namespace('beside-drift')]}})
  const newer = apps.find(({name}) => name === space)
  assert.ok(newer?.state === 'present')
  await agent.waitFor({event: 'healthy', app: 'beside-drift'})
  const drifted = async () => {
    const {lastAttemptedRevision, drifted} = await statusOf(bridge, space)
    return lastAttemptedRevision === newer.revision && Array.isArray(drifted) ? JSON.stringify(drifted) : ''
  }
  const isDrift = (text: string, what: string) => text.includes(what) && text.includes('kubectl-edit')
  await waitUntil(async () => isDrift(await drifted(), 'changed: /data/v'), 'the drift of what was applied')
  await agent.stop()
  const next = bridge.startAgent()
  await waitUntil(async () => isDrift(await drifted(), 'changed since it was applied'), 'the same drift')
  await cluster.admin.delete(types.configMap, {namespace: space, name: 'x'}, {propagation: 'Background'})
  await waitUntil(async () => /"deleted"/.test(await drifted()), 'that it was deleted')
  await annotateApp(cluster.admin, bridge, space, {})
  await next.waitFor({event: 'resumed', app: space})
  await next.waitFor({event: 'healthy', app: space})
  assert.equal(await heldBy(space), '2')
  await waitUntil(async () => (await statusOf(bridge, space)).drift === 0, 'that nothing is drifted')
})

test('a request is handled when what is published by then was fetched and reconciled, not before', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'slow-look'
  const looks = {begun: 0, gate: Promise.resolve()}
  const store = {
    ...bridge.store,
    get: async (...request: Parameters<typeof bridge.store.get>) => {
      const answer = await bridge.store.get(...request)
      if (request[0] === keys.desired('dev')) {
        looks.begun++
        await looks.gate
      }
      return answer
    },
  }
  const detect = (v: string): Record<string, TestApp> => ({
    [space]: {manifests: [namespace(space), configMap(space, 'x', {v})], sync: {drift: 'detect'}},
  })
  const agent = bridge.startAgent({ports: {store}, config: {pollIntervalSeconds: 3_600}})
  await bridge.publish(detect('1'))
  await agent.waitFor({event: 'healthy', app: space})
  await waitUntil(async () => (await appObject(bridge, space)) !== undefined, 'its App object')
  await bridge.publish(detect('2'), {notify: false})
  const {promise, resolve} = Promise.withResolvers<void>()
  looks.gate = promise
  const before = looks.begun
  await annotateApp(cluster.admin, bridge, space, {'reconcile.drawbridge.dev/requestedAt': 'now'})
  await waitUntil(() => looks.begun > before, 'the look that was asked for')
  // Something that is written into the status meanwhile.
  await applyAs(cluster.admin, 'kubectl-edit', types.configMap, configMap(space, 'x', {v: 'theirs'}))
  await waitUntil(async () => (await statusOf(bridge, space)).drift === 1, 'the drift in the status')
  assert.equal((await statusOf(bridge, space)).lastHandledReconcileAt, undefined)
  resolve()
  await waitUntil(async () => (await statusOf(bridge, space)).lastHandledReconcileAt === 'now', 'that it is handled')
  assert.equal(await heldBy(space), '2')
})
