import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import {keys} from '#shared/model/keys.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {
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

const reported = (bridge: TestBridge, app: string) => bridge.report()?.apps.find(({name}) => name === app)
const exists = async (inNamespace: string, name: string): Promise<boolean> =>
  (await cluster.admin.get(types.configMap, {namespace: inNamespace, name}, 'metadata')) !== 'absent'

test('an app changes only when those that it depends on are ready', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const base = [namespace('base'), configMap('base', 'c')]
  // Without a controller no Deployment becomes available.
  await bridge.publish({
    base: {manifests: [...base, deployment('base', 'database')]},
    above: {manifests: [configMap('default', 'above')], dependsOn: [{name: 'base'}]},
    top: {manifests: [configMap('default', 'top')], dependsOn: [{name: 'above'}]},
  })
  await waitUntil(() => reported(bridge, 'above')?.reason === 'DependencyNotReady', 'the wait')
  await waitUntil(() => /waits for app above/.test(reported(bridge, 'top')?.message ?? ''), 'the wait of the next')
  assert.match(reported(bridge, 'above')?.message ?? '', /waits for app base: /)
  assert.equal(await exists('default', 'above'), false)
  await bridge.publish({
    base: {manifests: base},
    above: {manifests: [configMap('default', 'above')], dependsOn: [{name: 'base'}]},
    top: {manifests: [configMap('default', 'top')], dependsOn: [{name: 'above'}]},
  })
  await agent.waitFor({event: 'healthy', app: 'top'})
  const applied = agent.events.filter(({event}) => event === 'applied').map(({app}) => app)
  assert.deepEqual(
    applied.filter((app) => app !== 'base'),
    ['above', 'top'],
  )
})

test('a wait is told in the words of what is waited for as it is now, and as an event once it lasts', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const message = () => reported(bridge, 'follower')?.message ?? ''
  const follower = {manifests: [configMap('default', 'follower')], dependsOn: [{name: 'followed'}]}
  const space = [namespace('followed'), configMap('followed', 'c')]
  await bridge.publish({
    followed: {manifests: [...space, deployment('followed', 'web')], sync: {timeoutSeconds: 2}},
    follower,
  })
  await waitUntil(() => /waits for app followed: HealthCheckFailed: not healthy within 2 s/.test(message()), message)
  assert.equal(reported(bridge, 'follower')?.ready, 'Unknown')
  const told = await agent.waitFor({event: 'failed', app: 'follower', code: 'DEPENDENCY_NOT_READY'})
  assert.match(told.message ?? '', /HealthCheckFailed/)
  await bridge.publish({followed: {manifests: [configMap('not-there', 'x')]}, follower})
  await waitUntil(() => /waits for app followed: ReconciliationFailed: .*not-there/.test(message()), message)
  await bridge.publish({followed: {manifests: space}, follower})
  await agent.waitFor({event: 'healthy', app: 'follower'})
  const lines = agent.events.filter(({code}) => code === 'DEPENDENCY_NOT_READY').map((event) => event.message)
  assert.equal(lines.filter((line) => line?.includes('HealthCheckFailed')).length, 1)
})

test('an app that depends on one that is not declared says what to do, and goes on once it is declared', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const lonely = {manifests: [configMap('default', 'lonely')], dependsOn: [{name: 'missing'}]}
  const present = {manifests: [configMap('default', 'present')]}
  await bridge.publish({lonely, present})
  await waitUntil(() => reported(bridge, 'lonely')?.ready === 'False', 'the wait')
  assert.equal(reported(bridge, 'lonely')?.reason, 'DependencyNotReady')
  assert.match(
    reported(bridge, 'lonely')?.message ?? '',
    /missing, which is not declared in this cluster: declare it, or take it out of dependsOn; declared are: present$/,
  )
  await bridge.publish({lonely, present, missing: {manifests: [configMap('default', 'missing-before')]}})
  await agent.waitFor({event: 'healthy', app: 'lonely'})
})

test('a wait that lasts is told once, whatever restarts', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const apps = (v: string) => ({
    patient: {manifests: [configMap('default', 'patient')], dependsOn: [{name: 'nowhere'}]},
    renewed: {manifests: [configMap('default', 'renewed', {v})], dependsOn: [{name: 'nowhere'}]},
  })
  const lasts = (app: string) => ({event: 'failed', app, code: 'DEPENDENCY_NOT_READY'}) as const
  const first = bridge.startAgent()
  await bridge.publish(apps('1'))
  await Promise.all([first.waitFor(lasts('patient')), first.waitFor(lasts('renewed'))])
  await first.stop()
  const second = bridge.startAgent()
  await second.waitFor({event: 'pulled', app: 'patient'})
  await bridge.publish(apps('2'))
  // Its wait began later, so the other's lasts as well by then.
  await second.waitFor(lasts('renewed'))
  assert.ok(!second.events.some(({event, app}) => event === 'failed' && app === 'patient'))
})

test('apps that depend on each other are refused with the path', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const app = (name: string, dependency: string) => ({
    manifests: [configMap('default', name)],
    dependsOn: [{name: dependency}],
  })
  await bridge.publish({one: app('one', 'two'), two: app('two', 'three'), three: app('three', 'one')})
  const failed = await agent.waitFor({event: 'failed', app: 'one'})
  assert.equal(failed.code, 'DEPENDENCY_CYCLE')
  assert.match(failed.message ?? '', /one → two → three → one/)
  assert.equal(await exists('default', 'one'), false)
  await waitUntil(() => reported(bridge, 'one')?.reason === 'DependencyCycle', 'the reason')
})

test('a ready expression must hold too', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const apps = (readyExpr: string) => ({
    lower: {manifests: [configMap('default', 'lower')]},
    upper: {manifests: [configMap('default', 'upper')], dependsOn: [{name: 'lower', readyExpr}]},
  })
  await bridge.publish(apps('dep.revision == "other"'))
  await waitUntil(() => /does not hold/.test(reported(bridge, 'upper')?.message ?? ''), 'the wait')
  assert.equal(await exists('default', 'upper'), false)
  await bridge.publish(apps('dep.ready == "True" && dep.revision.startsWith("main@")'))
  await agent.waitFor({event: 'healthy', app: 'upper'})
})

test('an app goes on when another that it depends on is ready at a revision of the same objects', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const gate = Promise.withResolvers<void>()
  let slow = false
  const get: typeof bridge.store.get = async (key, options) => {
    const found = await bridge.store.get(key, options)
    if (slow && key.startsWith('bundles/') && key !== fast) await gate.promise
    return found
  }
  t.after(async () => gate.resolve())
  const agent = bridge.startAgent({ports: {store: {...bridge.store, get}}})
  const apps = (v: string, rendererVersion: string) => ({
    'a-top': {manifests: [configMap('default', 'a-top', {v})], dependsOn: [{name: 'z-base'}]},
    'z-base': {manifests: [configMap('default', 'z-base')], rendererVersion},
  })
  await bridge.publish(apps('1', '1'))
  await agent.waitFor({event: 'healthy', app: 'a-top'})
  await waitUntil(() => reported(bridge, 'a-top')?.ready === 'True', 'the first revision')
  // The other one is loaded only after this one has asked for it.
  let fast = ''
  const next = await bridge.publish(apps('2', '2'), {notify: false})
  for (const app of next.apps)
    if (app.state === 'present' && app.name === 'a-top') fast = keys.bundle(app.bundle.digest)
  slow = true
  await waitUntil(() => reported(bridge, 'a-top')?.reason === 'DependencyNotReady', 'the wait')
  assert.match(reported(bridge, 'a-top')?.message ?? '', /waits for app z-base: has not applied main@sha1:\w+ yet$/)
  gate.resolve()
  const seen = agent.events.length
  await agent.waitFor({event: 'healthy', app: 'a-top'}, {after: seen})
  assert.equal(reported(bridge, 'z-base')?.ready, 'True')
})

test('gives the namespace that it makes the labels and annotations of the app', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  await bridge.publish({
    labelled: {
      manifests: [configMap('labelled', 'c')],
      namespace: 'labelled',
      createNamespace: true,
      namespaceMetadata: {labels: {team: 'shop'}, annotations: {note: 'by the app'}},
    },
  })
  await agent.waitFor({event: 'healthy', app: 'labelled'})
  const made = await cluster.admin.get(types.namespace, {namespace: '', name: 'labelled'}, 'metadata')
  assert.ok(made !== 'absent')
  assert.equal(JSON.stringify(made.metadata.labels).includes('"team":"shop"'), true)
  assert.deepEqual(made.metadata.annotations, {note: 'by the app'})
})
