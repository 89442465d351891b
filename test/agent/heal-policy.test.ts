import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import {KubeError} from '#agent/kube/kube-error.ts'
import {childObject} from '#shared/model/manifest.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {
  applyAs,
  configMap,
  createTestBridge,
  deployment,
  namespace,
  type TestAgentOptions,
  types,
  waitUntil,
} from './start-test-agent.ts'

let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster.stop())

const dataOf = async (space: string, name: string) => {
  const found = await cluster.admin.get(types.configMap, {namespace: space, name}, 'whole')
  return found === 'absent' ? 'absent' : childObject(found, 'data')?.v
}
const edit = (space: string, name: string) =>
  applyAs(cluster.admin, 'somebody', types.configMap, configMap(space, name, {v: 'theirs'}))

/** Refuses what the agent sends to one ConfigMap, as an admission webhook would. */
function refusing(name: string, isRefused: (path: string) => boolean): TestAgentOptions & {count: () => number} {
  let count = 0
  return {
    count: () => count,
    onRequest({method, path}) {
      if (method !== 'PATCH' || !path.includes(`/configmaps/${name}`) || !isRefused(path)) return
      count++
      throw new KubeError('REJECTED', 'admission webhook "strict" does not support dry run')
    },
  }
}
const isDryRun = (path: string): boolean => path.includes('dryRun')

test('drift is told, once, and healed where the API server refuses to say by a dry run what changed', async (t) => {
  const [heal, detect] = ['no-dry-run-heal', 'no-dry-run-detect']
  const bridge = await createTestBridge(cluster, t)
  const options = refusing('x', isDryRun)
  const agent = bridge.startAgent(options)
  const manifests = (space: string) => [
    namespace(space),
    configMap(space, 'x', {v: 'ours'}),
    configMap(space, 'marker', {v: 'ours'}),
  ]
  await bridge.publish({
    [heal]: {manifests: manifests(heal)},
    [detect]: {manifests: manifests(detect), sync: {drift: 'detect'}},
  })
  for (const app of [heal, detect]) await agent.waitFor({event: 'healthy', app})
  for (const app of [heal, detect]) await edit(app, 'x')
  for (const app of [heal, detect]) {
    const told = await agent.waitFor({event: 'drifted', app})
    assert.match(told.message ?? '', /which fields cannot be told: .*does not support dry run/)
  }
  await agent.waitFor({event: 'healed', app: heal})
  assert.equal(await dataOf(heal, 'x'), 'ours')
  const asked = options.count()
  await edit(detect, 'marker')
  await agent.waitFor({event: 'drifted', app: detect, object: `/ConfigMap/${detect}/marker`})
  await waitUntil(() => bridge.report()?.apps.find(({name}) => name === detect)?.driftedTotal === 2, 'both reported')
  assert.equal(options.count(), asked, 'it is not asked again and again')
})

test('a heal that fails is said with its reason and tried again, whatever the limit of retries', async (t) => {
  const space = 'heal-refused'
  const bridge = await createTestBridge(cluster, t)
  let refusals = 0
  const agent = bridge.startAgent(
    refusing('x', (path) => !isDryRun(path) && agent.events.some(({event}) => event === 'drifted') && refusals++ < 2),
  )
  await bridge.publish({
    [space]: {manifests: [namespace(space), configMap(space, 'x', {v: 'ours'})], sync: {retry: {limit: 0}}},
  })
  await agent.waitFor({event: 'healthy', app: space})
  await edit(space, 'x')
  await waitUntil(() => agent.events.some(({message}) => /it cannot be healed: .*strict/.test(message ?? '')), 'why')
  await agent.waitFor({event: 'healed', app: space})
  assert.equal(await dataOf(space, 'x'), 'ours')
  assert.equal(refusals, 3)
})

for (const drift of ['detect', 'off'] as const)
  test(`a new revision is applied as a whole where drift is "${drift}"`, async (t) => {
    const space = `whole-${drift}`
    const bridge = await createTestBridge(cluster, t)
    const agent = bridge.startAgent()
    const marker = `beside-${space}`
    const publish = (v: string) =>
      bridge.publish({
        [marker]: {manifests: [namespace(marker), configMap(marker, 'x', {v: 'ours'})]},
        [space]: {
          manifests: [
            namespace(space),
            configMap(space, 'edited', {v: 'ours'}),
            configMap(space, 'deleted', {v: 'ours'}),
            configMap(space, 'changed', {v}),
          ],
          sync: {drift},
        },
      })
    await publish('1')
    for (const app of [space, marker]) await agent.waitFor({event: 'healthy', app})
    await edit(space, 'edited')
    await cluster.admin.delete(types.configMap, {namespace: space, name: 'deleted'}, {propagation: 'Background'})
    // One watch tells of all ConfigMaps in their order: by then it has told of those.
    await edit(marker, 'x')
    await agent.waitFor({event: 'healed', app: marker})
    const seen = agent.events.length
    await publish('2')
    await agent.waitFor({event: 'healthy', app: space}, {after: seen})
    for (const name of ['edited', 'deleted']) assert.equal(await dataOf(space, name), 'ours', name)
    const driftedNow = () => bridge.report()?.apps.find(({name}) => name === space)?.driftedTotal
    await waitUntil(() => driftedNow() === 0, 'no drift in the report')
  })

test('drift that is only detected stays over a restart, and is corrected when somebody asks for a reconcile', async (t) => {
  const space = 'asked-for'
  const bridge = await createTestBridge(cluster, t)
  const first = bridge.startAgent()
  await bridge.publish({
    [space]: {manifests: [namespace(space), configMap(space, 'x', {v: 'ours'})], sync: {drift: 'detect'}},
  })
  await first.waitFor({event: 'healthy', app: space})
  await edit(space, 'x')
  await first.waitFor({event: 'drifted', app: space})
  await first.stop()
  const instance = bridge.report()?.agent.instance
  const agent = bridge.startAgent()
  await waitUntil(() => {
    const report = bridge.report()
    return report?.agent.instance !== instance && report?.apps[0]?.driftedTotal === 1
  }, 'the drift in the report of the new agent')
  assert.equal(await dataOf(space, 'x'), 'theirs')
  const apps = {group: 'drawbridge.dev', version: 'v1alpha1', kind: 'App', plural: 'apps', namespaced: true}
  const annotations = {'reconcile.drawbridge.dev/requestedAt': 'now'}
  const order = {
    apiVersion: 'drawbridge.dev/v1alpha1',
    kind: 'App',
    metadata: {name: space, namespace: bridge.agentNamespace, annotations},
  }
  await applyAs(cluster.admin, 'kubectl', apps, order)
  await agent.waitFor({event: 'healed', app: space})
  assert.equal(await dataOf(space, 'x'), 'ours')
})

test('what is deleted while a wave waits for its health is made anew at once', async (t) => {
  const space = 'waits-and-drifts'
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const later = configMap(space, 'later')
  // No controller runs here, so the Deployment is never healthy.
  await bridge.publish({
    [space]: {
      manifests: [
        namespace(space),
        configMap(space, 'x', {v: 'ours'}),
        deployment(space, 'web'),
        {...later, metadata: {...later.metadata, annotations: {'argocd.argoproj.io/sync-wave': '1'}}},
      ],
    },
  })
  await waitUntil(() => bridge.report()?.apps[0]?.message.includes('waits for') === true, 'the wait')
  await cluster.admin.delete(types.configMap, {namespace: space, name: 'x'}, {propagation: 'Background'})
  await agent.waitFor({event: 'healed', app: space})
  assert.equal(await dataOf(space, 'x'), 'ours')
  assert.equal(await dataOf(space, 'later'), 'absent')
})
