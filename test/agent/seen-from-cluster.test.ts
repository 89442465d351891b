import assert from 'node:assert/strict'
import {execFile} from 'node:child_process'
import {after, before, test} from 'node:test'
import {promisify} from 'node:util'
import {appType} from '#agent/app-definition.ts'
import {KubeError} from '#agent/kube/kube-error.ts'
import type {KubeObject} from '#agent/kube/kube-object.ts'
import {childObject, isJsonObject, type JsonObject, type Manifest} from '#shared/model/manifest.ts'
import {referenceTools} from '#test/functions/render/reference-renderers.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {
  annotateApp,
  applyAs,
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

const eventType = {group: 'events.k8s.io', version: 'v1', kind: 'Event', plural: 'events', namespaced: true}

async function appObject(bridge: TestBridge, name: string): Promise<KubeObject | 'absent'> {
  try {
    return await cluster.admin.get(appType, {namespace: bridge.agentNamespace, name}, 'whole')
  } catch {
    return 'absent'
  }
}

const statusOf = async (bridge: TestBridge, name: string): Promise<JsonObject> => {
  const found = await appObject(bridge, name)
  return (found === 'absent' ? undefined : childObject(found, 'status')) ?? {}
}

function condition(status: JsonObject, type: string): JsonObject | undefined {
  const conditions = Array.isArray(status.conditions) ? status.conditions : []
  return conditions.filter(isJsonObject).find((candidate) => candidate.type === type)
}

async function waitForCondition(bridge: TestBridge, name: string, type: string, wanted: string): Promise<JsonObject> {
  let status: JsonObject = {}
  await waitUntil(
    async () => {
      status = await statusOf(bridge, name)
      return condition(status, type)?.status === wanted
    },
    () => `${type}=${wanted} of ${name}: ${JSON.stringify(status)}`,
  )
  return status
}

const dataOf = async (name: string) => {
  const found = await cluster.admin.get(types.configMap, {namespace: name, name: 'x'}, 'whole')
  return found === 'absent' ? 'absent' : JSON.stringify(childObject(found, 'data'))
}

const appOf = (name: string, value = '1') => ({
  [name]: {manifests: [namespace(name), configMap(name, 'x', {a: value})]},
})

test('shows an app as an App object that kubectl lists and waits for', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  bridge.startAgent()
  const desired = await bridge.publish(appOf('shown'))
  const status = await waitForCondition(bridge, 'shown', 'Ready', 'True')
  const [app] = desired.apps
  assert.ok(app?.state === 'present')
  assert.equal(status.lastAppliedRevision, app.revision)
  assert.equal(status.lastAttemptedRevision, app.revision)
  assert.equal(status.observedGeneration, 1)
  assert.deepEqual(status.inventory, {count: 2})
  assert.equal(status.health, 'Current')
  assert.equal(condition(status, 'Ready')?.reason, 'ReconciliationSucceeded')
  assert.equal(condition(status, 'Healthy')?.status, 'True')
  assert.equal(condition(status, 'Reconciling'), undefined)
  assert.ok(Array.isArray(status.history) && isJsonObject(status.history[0]))
  assert.equal(status.history[0].lastReconciledStatus, 'ReconciliationSucceeded')

  const {kubectl} = await referenceTools()
  const run = (...args: string[]) =>
    promisify(execFile)(kubectl, ['--kubeconfig', cluster.kubeconfigFile, ...args], {timeout: 20_000})
  const {stdout} = await run('get', 'apps.drawbridge.dev', '-n', bridge.agentNamespace)
  assert.match(stdout, /^NAME +REVISION +READY +HEALTH +DRIFT +AGE\n/)
  assert.match(stdout, new RegExp(`\\nshown +${app.revision} +True +Current +0 `))
  await run('wait', '--for=condition=Ready', 'apps.drawbridge.dev/shown', '-n', bridge.agentNamespace, '--timeout=5s')
})

test('what goes on only when somebody acts is stalled, by the name of what stops it', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const all = [namespace('limited'), configMap('limited', 'x'), configMap('limited', 'y')]
  const limited = (manifests: Manifest[]) => ({limited: {manifests, sync: {pruneLimit: {objects: 0}}}})
  await bridge.publish(limited(all))
  await agent.waitFor({event: 'healthy', app: 'limited'})
  const app = (name: string, dependency: string) => ({
    manifests: [configMap('default', name)],
    dependsOn: [{name: dependency}],
  })
  await bridge.publish({
    ...limited(all.slice(0, 1)),
    'cycle-a': app('cycle-a', 'cycle-b'),
    'cycle-b': app('cycle-b', 'cycle-a'),
  })
  for (const [name, reason] of [
    ['limited', 'PruneLimitExceeded'],
    ['cycle-a', 'DependencyCycle'],
  ] as const) {
    const status = await waitForCondition(bridge, name, 'Stalled', 'True')
    assert.equal(condition(status, 'Ready')?.reason, reason)
    assert.equal(condition(status, 'Stalled')?.reason, reason)
    assert.equal(condition(status, 'Reconciling'), undefined)
  }
  await bridge.publish({...limited(all), second: {manifests: [configMap('limited', 'x')]}})
  const owned = await waitForCondition(bridge, 'second', 'Stalled', 'True')
  assert.equal(condition(owned, 'Ready')?.reason, 'OwnedByOther')
  assert.equal(condition(owned, 'Reconciling'), undefined)
  await waitForCondition(bridge, 'limited', 'Ready', 'True')
})

test('counts what could not be created as not there', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  bridge.startAgent()
  await bridge.publish({
    partly: {manifests: [namespace('partly'), configMap('partly', 'x'), configMap('not-there', 'partly')]},
    unserved: {
      manifests: [{apiVersion: 'example.com/v1', kind: 'Unserved', metadata: {name: 'x', namespace: 'default'}}],
    },
  })
  for (const [name, words] of [
    ['partly', /^2 of 3 object\(s\) are healthy: ConfigMap not-there\/partly: is not there$/],
    ['unserved', /^0 of 1 object\(s\) are healthy: .*default\/x: is not there$/],
  ] as const) {
    await waitForCondition(bridge, name, 'Ready', 'False')
    const status = await waitForCondition(bridge, name, 'Healthy', 'False')
    assert.equal(status.health, 'NotFound')
    assert.match(String(condition(status, 'Healthy')?.message), words)
  }
})

test('says what fails, what stalls and what is healthy by conditions', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  bridge.startAgent({
    ports: {
      policy: (app) => (app.name === 'stalls' ? {allowed: false, reason: 'not here'} : {allowed: true}),
    },
  })
  await bridge.publish({
    fails: {manifests: [configMap('not-there', 'x')]},
    stalls: {manifests: [namespace('stalls')]},
    waits: {manifests: [namespace('waits'), deployment('waits', 'web')]},
    ends: {manifests: [configMap('not-there', 'y')], sync: {retry: {limit: 0}}},
    late: {manifests: [namespace('late'), deployment('late', 'web')], sync: {timeoutSeconds: 1}},
  })
  const fails = await waitForCondition(bridge, 'fails', 'Ready', 'False')
  assert.match(String(condition(fails, 'Ready')?.message), /namespaces "not-there" not found/)
  assert.equal(condition(fails, 'Reconciling')?.reason, 'ProgressingWithRetry')
  const stalls = await waitForCondition(bridge, 'stalls', 'Stalled', 'True')
  assert.match(String(condition(stalls, 'Stalled')?.message), /not here/)
  assert.equal(condition(stalls, 'Reconciling'), undefined)
  const ends = await waitForCondition(bridge, 'ends', 'Stalled', 'True')
  assert.match(String(condition(ends, 'Stalled')?.message), /given up after 0 retries/)
  assert.equal(condition(ends, 'Reconciling'), undefined)
  const late = await waitForCondition(bridge, 'late', 'Stalled', 'True')
  assert.equal(condition(late, 'Stalled')?.reason, 'HealthCheckFailed')
  assert.equal(condition(late, 'Reconciling'), undefined)
  const waits = await waitForCondition(bridge, 'waits', 'Reconciling', 'True')
  assert.equal(condition(waits, 'Ready')?.status, 'Unknown')
  assert.equal(waits.health, 'InProgress')
})

test('writes no status where nothing changed, not even after a restart', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const first = bridge.startAgent()
  await bridge.publish(appOf('quiet'))
  await waitForCondition(bridge, 'quiet', 'Ready', 'True')
  await first.stop()
  const before = await appObject(bridge, 'quiet')
  const second = bridge.startAgent()
  await second.waitFor({event: 'healthy'}, {timeoutMs: 2_000}).catch(() => undefined)
  await second.stop()
  const afterwards = await appObject(bridge, 'quiet')
  assert.ok(before !== 'absent' && afterwards !== 'absent')
  assert.equal(afterwards.metadata.resourceVersion, before.metadata.resourceVersion)
  const own = second.requests.filter(({path}) => /^\/apis\/(apiextensions|drawbridge\.dev)/.test(path))
  assert.ok(own.length > 0)
  assert.deepEqual(
    own.filter(({method}) => method !== 'GET'),
    [],
  )
})

test('reconciles when an annotation asks for it, and says that it did', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent({config: {pollIntervalSeconds: 3_600}})
  await bridge.publish(appOf('asked'))
  await waitForCondition(bridge, 'asked', 'Ready', 'True')
  // Nobody tells of the new version but the annotation.
  await bridge.publish(appOf('asked', '2'), {notify: false})
  await annotateApp(cluster.admin, bridge, 'asked', {'reconcile.fluxcd.io/requestedAt': '2026-01-01T00:00:00Z'})
  await agent.waitFor({event: 'applied', app: 'asked'}, {after: agent.events.length})
  assert.equal(await dataOf('asked'), '{"a":"2"}')
  await waitUntil(
    async () => (await statusOf(bridge, 'asked')).lastHandledReconcileAt === '2026-01-01T00:00:00Z',
    'that the request is marked as handled',
  )
  await annotateApp(cluster.admin, bridge, 'asked', {'reconcile.drawbridge.dev/requestedAt': 'again'})
  await waitUntil(
    async () => (await statusOf(bridge, 'asked')).lastHandledReconcileAt === 'again',
    'that the second request is marked as handled',
  )
})

test('leaves a suspended app alone, tells its drift, and goes on when it is resumed', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const first = bridge.startAgent()
  await bridge.publish(appOf('paused'))
  await waitForCondition(bridge, 'paused', 'Ready', 'True')
  await annotateApp(cluster.admin, bridge, 'paused', {'drawbridge.dev/suspend': 'true'})
  await waitUntil(async () => (await statusOf(bridge, 'paused')).suspended === true, 'that it is suspended')
  await first.stop()
  // Suspended outlives the agent, and holds from the first moment of the next.
  const second = bridge.startAgent()
  await applyAs(cluster.admin, 'kubectl-edit', types.configMap, configMap('paused', 'x', {a: 'theirs'}))
  await second.waitFor({event: 'drifted', object: '/ConfigMap/paused/x'})
  await waitUntil(async () => (await statusOf(bridge, 'paused')).drift === 1, 'the drift in the status')
  await bridge.publish(appOf('paused', '2'))
  await second.waitFor({event: 'pulled', app: 'paused'})
  await waitUntil(() => bridge.report()?.apps[0]?.suspended === true, 'the report to say that it is suspended')
  await annotateApp(cluster.admin, bridge, 'paused', {
    'drawbridge.dev/suspend': 'true',
    'reconcile.drawbridge.dev/requestedAt': 'now',
  })
  await waitUntil(
    async () => (await statusOf(bridge, 'paused')).lastHandledReconcileAt === 'now',
    'that it was looked at once more',
  )
  assert.equal(await dataOf('paused'), '{"a":"theirs"}')
  assert.ok(!second.events.some(({event}) => event === 'applied' || event === 'healed'))
  await annotateApp(cluster.admin, bridge, 'paused', {})
  await second.waitFor({event: 'applied', app: 'paused'})
  assert.equal(await dataOf('paused'), '{"a":"2"}')
})

test('takes the App object away with the app', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  await bridge.publish(appOf('leaves'))
  await waitForCondition(bridge, 'leaves', 'Ready', 'True')
  await bridge.publish({}, {removed: {leaves: 'Delete'}})
  await agent.waitFor({event: 'removed', app: 'leaves'})
  await waitUntil(async () => (await appObject(bridge, 'leaves')) === 'absent', 'that the App object is gone')
})

test('works without a right to the definition, and shows apps where it may', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent({
    onRequest({path, what}) {
      if (/^\/apis\/(apiextensions|drawbridge\.dev|events\.k8s\.io)/.test(path))
        throw new KubeError('FORBIDDEN', `${what}: no`)
    },
  })
  await bridge.publish(appOf('tenant'))
  await agent.waitFor({event: 'healthy', app: 'tenant'})
  assert.ok(agent.lines.some((line) => /the definition apps\.drawbridge\.dev cannot be kept/.test(line)))
})

test('records Events of what changed, about the App, without a value of a Secret', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const secretOf = (password: string) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {name: 'key', namespace: 'told'},
    data: {password: Buffer.from(password).toString('base64')},
  })
  const app = {told: {manifests: [namespace('told'), configMap('told', 'x', {a: '1'}), secretOf('oursecret')]}}
  await bridge.publish(app)
  await agent.waitFor({event: 'healthy', app: 'told'})
  await applyAs(cluster.admin, 'kubectl-edit', types.secret, secretOf('theirsecret'))
  await agent.waitFor({event: 'healed', object: '/Secret/told/key'})
  await bridge.publish({told: {manifests: app.told.manifests.filter(({kind}) => kind !== 'ConfigMap')}})
  await agent.waitFor({event: 'pruned', app: 'told'})
  await bridge.publish({told: {manifests: [configMap('not-there', 'x')]}})
  await agent.waitFor({event: 'failed', app: 'told'})
  await agent.stop()
  const {items} = await cluster.admin.list(eventType, {detail: 'whole', namespace: bridge.agentNamespace})
  const reasons = new Set(items.map(({reason}) => reason))
  for (const reason of ['ReconciliationSucceeded', 'DriftDetected', 'DriftHealed', 'Pruned', 'ReconciliationFailed']) {
    assert.ok(reasons.has(reason), `${reason} among ${[...reasons].join(', ')}`)
  }
  const drifted = items.find(({reason}) => reason === 'DriftDetected')
  assert.equal(childObject(drifted, 'regarding')?.name, 'told')
  assert.equal(childObject(drifted, 'regarding')?.uid, (await appUid(bridge, 'told')) ?? 'none')
  assert.deepEqual(childObject(drifted, 'related'), {kind: 'Secret', namespace: 'told', name: 'key', apiVersion: 'v1'})
  assert.equal(drifted?.type, 'Warning')
  for (const value of ['oursecret', 'theirsecret']) {
    for (const form of [value, Buffer.from(value).toString('base64')])
      assert.ok(!JSON.stringify(items).includes(form), `${form} is shown`)
  }
})

const several = (name: string, count: number): Manifest[] => [
  namespace(name),
  ...Array.from({length: count}, (_, index) => configMap(name, `c${index}`, {a: '1'})),
]

const countOf = async (name: string): Promise<number> =>
  (
    await cluster.admin.list(types.configMap, {
      detail: 'metadata',
      namespace: name,
      labelSelector: 'drawbridge.dev/app',
    })
  ).items.length

const revisionOf = ({apps: [app]}: Awaited<ReturnType<TestBridge['publish']>>) => {
  assert.ok(app?.state === 'present')
  return {revision: app.revision, digest: app.bundle.digest}
}

test('a prune over its limit goes on where an annotation names its revision, and only then', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const first = bridge.startAgent()
  const own = 'approved'
  const sync = {pruneLimit: {objects: 1}}
  const publish = (count: number) => bridge.publish({[own]: {manifests: several(own, count), sync}})
  const stopped = async (after: number) => {
    const failed = await first.waitFor({event: 'failed', app: own, code: 'PRUNE_LIMIT'}, {after})
    return failed.message ?? ''
  }
  const old = revisionOf(await publish(9))
  await waitForCondition(bridge, own, 'Ready', 'True')
  let seen = first.events.length
  const {revision} = revisionOf(await publish(6))
  const message = await stopped(seen)
  assert.ok(
    message.includes(`drawbridge.dev/approve-prune=${revision} of App ${bridge.agentNamespace}/${own}`),
    message,
  )
  // Another revision's approval is none.
  await waitForCondition(bridge, own, 'Ready', 'False')
  await annotateApp(cluster.admin, bridge, own, {
    'drawbridge.dev/approve-prune': old.revision,
    'reconcile.drawbridge.dev/requestedAt': '1',
  })
  await waitUntil(async () => (await statusOf(bridge, own)).lastHandledReconcileAt === '1', 'that it was looked at')
  assert.equal(await countOf(own), 9)
  const refusal = `approved is ${old.revision}, and this is ${revision}`
  await waitUntil(() => first.events.some((told) => told.message?.endsWith(refusal)), 'what was approved instead')
  seen = first.events.length
  await annotateApp(cluster.admin, bridge, own, {'drawbridge.dev/approve-prune': revision})
  const pruned = await first.waitFor({event: 'pruned', app: own}, {after: seen})
  assert.match(
    pruned.message ?? '',
    /pruned ConfigMap .*, more than its limit, as drawbridge\.dev\/approve-prune lets it/,
  )
  assert.equal(await countOf(own), 6)
  await waitForCondition(bridge, own, 'Ready', 'True')
  // It does not hold for the next revision, nor is it needed where the limit is kept.
  seen = first.events.length
  const next = revisionOf(await publish(3))
  await stopped(seen)
  assert.equal(await countOf(own), 6)
  // Given while no agent runs, by the digest of the very bundle.
  await first.stop()
  await annotateApp(cluster.admin, bridge, own, {'drawbridge.dev/approve-prune': next.digest})
  const second = bridge.startAgent()
  await second.waitFor({event: 'pruned', app: own})
  assert.equal(await countOf(own), 3)
  seen = second.events.length
  await publish(2)
  const within = await second.waitFor({event: 'pruned', app: own}, {after: seen})
  assert.doesNotMatch(within.message ?? '', /limit/)
})

test('a suspended app is neither healed where it heals, nor pruned, nor removed, and all of that is done when it is resumed', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const own = 'halted-prune'
  await bridge.publish({[own]: {manifests: several(own, 3)}})
  await waitForCondition(bridge, own, 'Ready', 'True')
  await annotateApp(cluster.admin, bridge, own, {'drawbridge.dev/suspend': 'true'})
  await waitUntil(async () => (await statusOf(bridge, own)).suspended === true, 'that it is suspended')
  const requests = agent.requests.length
  const writes = () =>
    agent.requests
      .slice(requests)
      .filter(
        ({method, path}) => method !== 'GET' && path.includes(`/namespaces/${own}/`) && !path.includes('dryRun=All'),
      )
  const lookedAt = async (value: string) => {
    await annotateApp(cluster.admin, bridge, own, {
      'drawbridge.dev/suspend': 'true',
      'reconcile.drawbridge.dev/requestedAt': value,
    })
    await waitUntil(async () => (await statusOf(bridge, own)).lastHandledReconcileAt === value, 'that it was looked at')
  }
  await cluster.admin.delete(types.configMap, {namespace: own, name: 'c0'}, {propagation: 'Background'})
  await agent.waitFor({event: 'drifted', object: `/ConfigMap/${own}/c0`})
  await waitUntil(async () => (await statusOf(bridge, own)).drift === 1, 'the drift in the status')
  await bridge.publish({[own]: {manifests: several(own, 2)}})
  await agent.waitFor({event: 'pulled', app: own}, {after: agent.events.length - 1})
  await lookedAt('1')
  await bridge.publish({}, {removed: {[own]: 'Delete'}})
  await waitUntil(() => bridge.report()?.desired.version === 3, 'the removal accepted')
  await lookedAt('2')
  assert.deepEqual([await countOf(own), writes().length], [2, 0])
  await annotateApp(cluster.admin, bridge, own, {})
  await agent.waitFor({event: 'removed', app: own})
  assert.equal(await countOf(own), 0)
})

test('what is frozen for want of a valid desired state is healed as before, and told as stale', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  await bridge.publish(appOf('frozen'), {expiresAt: new Date(Date.now() + 2_000)})
  await waitForCondition(bridge, 'frozen', 'Ready', 'True')
  await waitUntil(() => bridge.report()?.desired.state === 'stale', 'that it is stale')
  await applyAs(cluster.admin, 'kubectl-edit', types.configMap, configMap('frozen', 'x', {a: 'theirs'}))
  await agent.waitFor({event: 'healed', object: '/ConfigMap/frozen/x'})
  assert.equal(await dataOf('frozen'), '{"a":"1"}')
  assert.match(bridge.report()?.desired.reason ?? '', /EXPIRED/)
})

async function eventsOf(bridge: TestBridge, wanted: string): Promise<KubeObject[]> {
  const {items} = await cluster.admin.list(eventType, {detail: 'whole', namespace: bridge.agentNamespace})
  return items.filter(({reason}) => reason === wanted)
}

test('an incident of many objects is told in ten Events and one for the rest, about the app and its revision', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const own = 'masses'
  const objects = 60
  const {revision} = revisionOf(
    await bridge.publish({[own]: {manifests: several(own, objects), sync: {drift: 'detect'}}}),
  )
  await waitForCondition(bridge, own, 'Ready', 'True')
  const theirs = (index: number) =>
    applyAs(cluster.admin, 'kubectl-edit', types.configMap, configMap(own, `c${index}`, {a: 'theirs'}))
  await Promise.all(Array.from({length: objects}, (_, index) => theirs(index)))
  await waitUntil(() => bridge.report()?.apps[0]?.driftedTotal === objects, 'all drifted')
  await waitUntil(async () => (await eventsOf(bridge, 'DriftDetected')).length >= 10, 'the first told')
  await agent.stop()
  const told = await eventsOf(bridge, 'DriftDetected')
  // One for the rest at the end of each minute, should it take that long.
  const [rest, ...more] = told.filter(({note}) => /^\d+ more like it/.test(String(note)))
  assert.ok(rest !== undefined && told.length <= 11 + 11 * more.length, `${told.length} Events`)
  if (more.length === 0)
    assert.match(String(rest.note), /^50 more like it; the last: ConfigMap masses\/c\d+ changed: \/data\/a/)
  for (const event of told) {
    assert.equal(event.metadata.namespace, bridge.agentNamespace)
    assert.deepEqual([childObject(event, 'regarding')?.kind, childObject(event, 'regarding')?.name], ['App', own])
    assert.deepEqual(event.metadata.annotations, {'drawbridge.dev/revision': revision})
    if (event !== rest) assert.match(String(childObject(event, 'related')?.name), /^c\d+$/)
  }
})

test('what happens again and again is one Event that counts', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  await bridge.publish({again: {manifests: several('again', 1), sync: {drift: 'detect'}}})
  await waitForCondition(bridge, 'again', 'Ready', 'True')
  const theirs = (a: string) => applyAs(cluster.admin, 'kubectl-edit', types.configMap, configMap('again', 'c0', {a}))
  for (let round = 0; round < 4; round++) {
    await theirs('theirs')
    await waitUntil(() => bridge.report()?.apps[0]?.driftedTotal === 1, 'the drift')
    await theirs('1')
    await waitUntil(() => bridge.report()?.apps[0]?.driftedTotal === 0, 'no drift')
  }
  await agent.stop()
  const told = await eventsOf(bridge, 'DriftDetected')
  assert.equal(told.length, 1)
  assert.equal(childObject(told[0], 'series')?.count, 4)
})

async function appUid(bridge: TestBridge, name: string): Promise<string | undefined> {
  const found = await appObject(bridge, name)
  return found === 'absent' ? undefined : found.metadata.uid
}
