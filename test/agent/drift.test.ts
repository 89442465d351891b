import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import {setTimeout as sleep} from 'node:timers/promises'
import {childObject, type Manifest} from '#shared/model/manifest.ts'
import {type OwnTestCluster, startTestCluster} from './open-test-cluster.ts'
import {
  applyAs,
  configMap,
  createTestBridge,
  deployment,
  namespace,
  type TestAgent,
  type TestBridge,
  types,
  waitUntil,
} from './start-test-agent.ts'

let cluster: OwnTestCluster
before(async () => {
  cluster = await startTestCluster()
})
after(() => cluster.stop())

async function startHealthy(
  bridge: TestBridge,
  app: string,
  manifests: Manifest[],
  sync: {drift?: 'heal' | 'detect' | 'off'} = {},
): Promise<TestAgent> {
  const agent = bridge.startAgent()
  await bridge.publish({[app]: {manifests: [namespace(app), ...manifests], sync}})
  await agent.waitFor({event: 'applied', app})
  await sleep(50)
  return agent
}

const get = (type: typeof types.configMap | typeof types.deployment, inNamespace: string, name: string) =>
  cluster.admin.get(type, {namespace: inNamespace, name}, 'whole')
const dataOf = async (inNamespace: string, name: string) => {
  const found = await get(types.configMap, inNamespace, name)
  return found === 'absent' ? 'absent' : childObject(found, 'data')
}

test('heals an edit, and says which field and who', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = await startHealthy(bridge, 'edited', [configMap('edited', 'x', {a: '1', b: '2'})])
  await applyAs(cluster.admin, 'kubectl-edit', types.configMap, configMap('edited', 'x', {a: 'theirs'}))
  const drifted = await agent.waitFor({event: 'drifted', object: '/ConfigMap/edited/x'})
  assert.match(drifted.message ?? '', /changed: \/data\/a \(last changed by kubectl-edit\)/)
  await agent.waitFor({event: 'healed', object: '/ConfigMap/edited/x'})
  assert.deepEqual(await dataOf('edited', 'x'), {a: '1', b: '2'})
})

test('makes a deleted object anew', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = await startHealthy(bridge, 'deleted', [configMap('deleted', 'x', {a: '1'})])
  await cluster.admin.delete(types.configMap, {namespace: 'deleted', name: 'x'}, {propagation: 'Background'})
  await agent.waitFor({event: 'healed', object: '/ConfigMap/deleted/x'})
  assert.deepEqual(await dataOf('deleted', 'x'), {a: '1'})
})

test('puts a lost or changed owner label back', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = await startHealthy(bridge, 'labels', [configMap('labels', 'x', {a: '1'})])
  for (const label of [null, 'somebody']) {
    const found = await get(types.configMap, 'labels', 'x')
    assert.ok(found !== 'absent')
    const labels = label === null ? {} : {'drawbridge.dev/app': label}
    const seen = agent.events.length
    await cluster.admin.replace(types.configMap, {...found, metadata: {...found.metadata, labels, namespace: 'labels'}})
    await agent.waitFor({event: 'healed', object: '/ConfigMap/labels/x'}, {after: seen})
    const now = await get(types.configMap, 'labels', 'x')
    assert.deepEqual(now !== 'absent' && now.metadata.labels, {'drawbridge.dev/app': 'labels'})
  }
})

test('only reports drift where the app asks for that', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = await startHealthy(bridge, 'watched', [configMap('watched', 'x', {a: '1'})], {drift: 'detect'})
  await applyAs(cluster.admin, 'kubectl', types.configMap, configMap('watched', 'x', {a: 'theirs'}))
  await agent.waitFor({event: 'drifted', app: 'watched'})
  await waitUntil(() => bridge.report()?.apps[0]?.driftedTotal === 1, 'the drift in the report')
  assert.equal(bridge.report()?.apps[0]?.drifted[0]?.manager, 'kubectl')
  assert.deepEqual(await dataOf('watched', 'x'), {a: 'theirs'})
})

test('reports which field is what and should be what, but no value of a Secret', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const secret = (password: string): Manifest => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {name: 's', namespace: 'fields'},
    data: {password: Buffer.from(password).toString('base64')},
  })
  await startHealthy(bridge, 'fields', [configMap('fields', 'x', {a: '1'}), secret('declared')], {drift: 'detect'})
  const long = 'x'.repeat(1_000)
  await applyAs(cluster.admin, 'kubectl', types.configMap, configMap('fields', 'x', {a: long}))
  await applyAs(cluster.admin, 'kubectl', types.secret, secret('by-hand'))
  await waitUntil(() => bridge.report()?.apps[0]?.driftedTotal === 2, 'both in the report')
  const fields = (kind: string) => bridge.report()?.apps[0]?.drifted.find(({ref}) => ref.kind === kind)?.fields
  assert.deepEqual(fields('ConfigMap'), [
    {path: '/data/a', difference: 'changed', from: `${JSON.stringify(long).slice(0, 200)}…`, to: '1'},
  ])
  assert.deepEqual(fields('Secret'), [{path: '/data/password', difference: 'changed', masked: true}])
})

test('heals what drifted while no agent ran', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const first = await startHealthy(bridge, 'away', [configMap('away', 'x', {a: '1'}), configMap('away', 'y', {a: '1'})])
  await first.waitFor({event: 'healthy', app: 'away'})
  await waitUntil(() => bridge.report()?.apps[0]?.ready === 'True', 'the app ready')
  await first.stop()
  await applyAs(cluster.admin, 'kubectl', types.configMap, configMap('away', 'x', {a: 'theirs'}))
  await cluster.admin.delete(types.configMap, {namespace: 'away', name: 'y'}, {propagation: 'Background'})
  const second = bridge.startAgent()
  for (const name of ['x', 'y']) {
    await second.waitFor({event: 'drifted', object: `/ConfigMap/away/${name}`})
    await second.waitFor({event: 'healed', object: `/ConfigMap/away/${name}`})
    assert.deepEqual(await dataOf('away', name), {a: '1'})
  }
})

test('forgets drift that is only reported once somebody put it right', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = await startHealthy(bridge, 'righted', [configMap('righted', 'x', {a: '1'})], {drift: 'detect'})
  await applyAs(cluster.admin, 'kubectl', types.configMap, configMap('righted', 'x', {a: 'theirs'}))
  await agent.waitFor({event: 'drifted', app: 'righted'})
  await waitUntil(() => bridge.report()?.apps[0]?.driftedTotal === 1, 'the drift in the report')
  await applyAs(cluster.admin, 'kubectl', types.configMap, configMap('righted', 'x', {a: '1'}))
  await waitUntil(() => bridge.report()?.apps[0]?.driftedTotal === 0, 'no drift in the report')
})

test('heals what drifted while a change of its app failed', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const app = [namespace('failing'), deployment('failing', 'web', 2)]
  let edited = false
  const agent = bridge.startAgent({
    async onRequest({method, path}) {
      if (method !== 'PATCH' || !path.includes('/services/bad') || edited) return
      edited = true
      await applyAs(cluster.admin, 'kubectl', types.deployment, deployment('failing', 'web', 7))
      // The watch tells of it while the change is under way.
      await sleep(300)
    },
  })
  await bridge.publish({failing: {manifests: app}})
  await agent.waitFor({event: 'applied', app: 'failing'})
  const bad: Manifest = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {name: 'bad', namespace: 'failing'},
    spec: {ports: []},
  }
  await bridge.publish({failing: {manifests: [...app, bad]}})
  await agent.waitFor({event: 'failed', app: 'failing'})
  await agent.waitFor({event: 'healed', object: 'apps/Deployment/failing/web'})
  const now = await get(types.deployment, 'failing', 'web')
  assert.equal(now !== 'absent' && childObject(now, 'spec')?.replicas, 2)
})

test('heals what drifts again while an older drift is looked at and a new bundle arrives', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const gate = Promise.withResolvers<void>()
  let looking = false
  const agent = bridge.startAgent({
    async onRequest({method, path}) {
      if (method !== 'PATCH' || !path.includes('/configmaps/x?') || !path.includes('dryRun') || looking) return
      looking = true
      await gate.promise
    },
  })
  t.after(async () => gate.resolve())
  const app = (y: string) => ({
    again: {manifests: [namespace('again'), configMap('again', 'x', {a: '1'}), configMap('again', 'y', {a: y})]},
  })
  const drift = () => applyAs(cluster.admin, 'kubectl', types.configMap, configMap('again', 'x', {a: 'theirs'}))
  await bridge.publish(app('1'))
  await agent.waitFor({event: 'healthy', app: 'again'})
  await drift()
  await waitUntil(() => looking, 'the drift looked at')
  const seen = agent.events.length
  await bridge.publish(app('2'))
  await agent.waitFor({event: 'healthy', app: 'again'}, {after: seen})
  assert.deepEqual(await dataOf('again', 'x'), {a: '1'})
  await drift()
  await sleep(300)
  const healed = agent.events.length
  gate.resolve()
  await agent.waitFor({event: 'healed', object: '/ConfigMap/again/x'}, {after: healed})
  assert.deepEqual(await dataOf('again', 'x'), {a: '1'})
})

test('goes on watching after the API server was restarted', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = await startHealthy(bridge, 'restarted', [configMap('restarted', 'x', {a: '1'})])
  await cluster.cluster.stopApiServer()
  await cluster.cluster.startApiServer()
  await applyAs(cluster.admin, 'kubectl', types.configMap, configMap('restarted', 'x', {a: 'theirs'}))
  await agent.waitFor({event: 'healed', object: '/ConfigMap/restarted/x'})
  await bridge.publish({restarted: {manifests: [namespace('restarted'), configMap('restarted', 'x', {a: '2'})]}})
  await waitUntil(async () => JSON.stringify(await dataOf('restarted', 'x')) === '{"a":"2"}', 'the next version')
})

test('looks away from drift where the app asks for that', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const [off, other] = ['unwatched', 'watched-beside-it']
  const agent = bridge.startAgent()
  await bridge.publish({
    [off]: {manifests: [namespace(off), configMap(off, 'x', {a: '1'})], sync: {drift: 'off'}},
    [other]: {manifests: [namespace(other), configMap(other, 'x', {a: '1'})]},
  })
  for (const app of [off, other]) await agent.waitFor({event: 'healthy', app})
  const before = agent.requests.length
  for (const app of [off, other])
    await applyAs(cluster.admin, 'kubectl', types.configMap, configMap(app, 'x', {a: 'theirs'}))
  await agent.waitFor({event: 'healed', app: other})
  assert.equal(agent.requests.slice(before).filter(({path}) => path.includes(`/${off}/configmaps/x`)).length, 0)
  assert.deepEqual(await dataOf(off, 'x'), {a: 'theirs'})
})
