import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import {setTimeout as sleep} from 'node:timers/promises'
import {KubeError} from '#agent/kube/kube-error.ts'
import {childObject, type Manifest} from '#shared/model/manifest.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {
  annotateApp,
  applyAs,
  configMap,
  createTestBridge,
  deployment,
  namespace,
  types,
  waitUntil,
} from './start-test-agent.ts'

// No controller runs here, so that a Deployment never becomes healthy.
let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster.stop())

const dataOf = async (space: string) => {
  const found = await cluster.admin.get(types.configMap, {namespace: space, name: 'x'}, 'whole')
  return found === 'absent' ? undefined : childObject(found, 'data')
}
const hasDeployment = async (space: string) =>
  (await cluster.admin.get(types.deployment, {namespace: space, name: 'web'}, 'metadata')) !== 'absent'

const good = (space: string, v: string): Manifest[] => [namespace(space), configMap(space, 'x', {v})]
const bad = (space: string, v: string): Manifest[] => [...good(space, v), deployment(space, 'web')]
/** Refused by the API server, whenever it is tried. */
const refused = (space: string): Manifest => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {name: 'no-ports', namespace: space},
  spec: {ports: []},
})

test('goes back to the last healthy bundle, heals it, and holds it over a restart until something newer is published', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'back'
  const sync = {rollback: true, timeoutSeconds: 1}
  const first = bridge.startAgent()
  const [healthy] = (await bridge.publish({[space]: {manifests: good(space, '1'), sync}})).apps
  await first.waitFor({event: 'healthy', app: space})
  const [broken] = (await bridge.publish({[space]: {manifests: bad(space, '2'), sync}})).apps
  assert.ok(healthy?.state === 'present' && broken?.state === 'present')
  await first.waitFor({event: 'failed', app: space, code: 'HealthCheckFailed'})
  const told = await first.waitFor({event: 'rolledback', app: space})
  assert.equal(told.revision, broken.revision)
  assert.match(told.message ?? '', /rolled back to .*not healthy within 1 s/)
  await waitUntil(() => bridge.report()?.apps[0]?.reason === 'RolledBack', 'the rollback in the report')
  const report = bridge.report()?.apps[0]
  assert.equal(report?.revision, healthy.revision)
  assert.equal(report?.attemptedRevision, broken.revision)
  assert.equal(report?.rolledBack?.revision, broken.revision)
  assert.equal(report?.ready, 'False')
  assert.equal(report?.health, 'Current')
  assert.deepEqual(await dataOf(space), {v: '1'})
  assert.equal(await hasDeployment(space), false)
  await first.stop()

  const second = bridge.startAgent()
  await applyAs(cluster.admin, 'kubectl', types.configMap, configMap(space, 'x', {v: 'theirs'}))
  await second.waitFor({event: 'healed', app: space})
  assert.deepEqual(await dataOf(space), {v: '1'})
  assert.equal(
    second.requests.some(({method, path}) => method === 'PATCH' && path.includes('/deployments/')),
    false,
  )

  const seen = second.events.length
  await bridge.publish({[space]: {manifests: good(space, '3'), sync}})
  await second.waitFor({event: 'healthy', app: space}, {after: seen})
  assert.deepEqual(await dataOf(space), {v: '3'})
  await waitUntil(() => bridge.report()?.apps[0]?.ready === 'True', 'no rollback in the report')
  assert.equal(bridge.report()?.apps[0]?.rolledBack, undefined)
})

test('stays where the app does not ask for rollback, or nothing was healthy before', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const sync = {timeoutSeconds: 1}
  await bridge.publish({stays: {manifests: good('stays', '1'), sync}})
  await agent.waitFor({event: 'healthy', app: 'stays'})
  await bridge.publish({
    stays: {manifests: bad('stays', '2'), sync},
    fresh: {manifests: bad('fresh', '1'), sync: {...sync, rollback: true}},
  })
  for (const app of ['stays', 'fresh']) await agent.waitFor({event: 'failed', app, code: 'HealthCheckFailed'})
  // What comes after the failure would have come by the time another app is through.
  await bridge.publish({
    stays: {manifests: bad('stays', '2'), sync},
    fresh: {manifests: bad('fresh', '1'), sync: {...sync, rollback: true}},
    beside: {manifests: good('beside', '1')},
  })
  await agent.waitFor({event: 'healthy', app: 'beside'})
  assert.equal(
    agent.events.some(({event}) => event === 'rolledback'),
    false,
  )
  assert.deepEqual(await dataOf('stays'), {v: '2'})
})

test('tries again as often as the app says, then gives up until something newer is published', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const sync = {retry: {limit: 2, backoff: {duration: '50ms', factor: 1, maxDuration: '50ms'}}}
  await bridge.publish({tries: {manifests: [...good('tries', '1'), refused('tries')], sync}})
  await waitUntil(() => /given up after 2 retries/.test(bridge.report()?.apps[0]?.message ?? ''), 'it has given up')
  const attempts = () => agent.requests.filter(({path}) => path.includes('/services/no-ports')).length
  const made = attempts()
  await sleep(500)
  assert.equal(attempts(), made)
  assert.equal(
    agent.requests.filter(({path}) => path.includes('/services/no-ports?') && !path.includes('dryRun')).length,
    3,
  )
  await bridge.publish({tries: {manifests: good('tries', '2'), sync}})
  await agent.waitFor({event: 'healthy', app: 'tries'})
})

test('goes back when its retries are used up', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const sync = {rollback: true, retry: {limit: 1, backoff: {duration: '50ms'}}}
  await bridge.publish({used: {manifests: good('used', '1'), sync}})
  await agent.waitFor({event: 'healthy', app: 'used'})
  await bridge.publish({used: {manifests: [...good('used', '2'), refused('used')], sync}})
  await agent.waitFor({event: 'rolledback', app: 'used'})
  await waitUntil(() => bridge.report()?.apps[0]?.reason === 'RolledBack', 'the rollback in the report')
  assert.deepEqual(await dataOf('used'), {v: '1'})
})

test('goes back also where the very publication that fails is the first to ask for it, over a restart too', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'late'
  const sync = {timeoutSeconds: 1}
  const first = bridge.startAgent()
  await bridge.publish({[space]: {manifests: good(space, '1'), sync}})
  await first.waitFor({event: 'healthy', app: space})
  const record = () =>
    cluster.admin.get(
      types.configMap,
      {namespace: bridge.agentNamespace, name: `drawbridge-healthy-${space}`},
      'metadata',
    )
  assert.equal(await record(), 'absent')
  await bridge.publish({[space]: {manifests: bad(space, '2'), sync: {...sync, rollback: true}}})
  await first.waitFor({event: 'rolledback', app: space})
  await waitUntil(() => bridge.report()?.apps[0]?.reason === 'RolledBack', 'the rollback in the report')
  assert.deepEqual(await dataOf(space), {v: '1'})
  assert.notEqual(await record(), 'absent')
  await first.stop()

  const second = bridge.startAgent()
  await bridge.publish({[space]: {manifests: good(space, '3'), sync}})
  await second.waitFor({event: 'healthy', app: space})
  await waitUntil(async () => (await record()) === 'absent', 'that what is no longer the last is forgotten')
  await bridge.publish({[space]: {manifests: bad(space, '4'), sync: {...sync, rollback: true}}})
  await second.waitFor({event: 'rolledback', app: space})
  await waitUntil(async () => (await dataOf(space))?.v === '3', 'the last that was healthy')
})

test('says that there is no rollback where nothing is known to have been healthy', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const sync = {timeoutSeconds: 1, rollback: true}
  await bridge.publish({never: {manifests: bad('never', '1'), sync}})
  await agent.waitFor({event: 'failed', app: 'never', code: 'HealthCheckFailed'})
  const words = /; no rollback: no revision of it is known to have been healthy$/
  await waitUntil(
    () => words.test(bridge.report()?.apps[0]?.message ?? ''),
    () => String(bridge.report()?.apps[0]?.message),
  )
})

test('a record of the last healthy bundle that could not be written is written later, and goes with its app', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'record-failed'
  const name = `drawbridge-healthy-${space}`
  const isThere = async () =>
    (await cluster.admin.get(types.configMap, {namespace: bridge.agentNamespace, name}, 'metadata')) !== 'absent'
  let refuses = true
  const agent = bridge.startAgent({
    onRequest({method, path, body}) {
      const isOfRecord = path.includes(name) || (method === 'POST' && String(body).includes(name))
      if (method !== 'GET' && isOfRecord && refuses) throw new KubeError('FORBIDDEN', 'not now')
    },
  })
  const sync = {rollback: true}
  await bridge.publish({[space]: {manifests: good(space, '1'), sync}})
  await waitUntil(() => agent.lines.some((line) => /last healthy bundle cannot be kept/.test(line)), 'the refusal')
  refuses = false
  await agent.waitFor({event: 'healthy', app: space})
  await annotateApp(cluster.admin, bridge, space, {'reconcile.drawbridge.dev/requestedAt': 'now'})
  await waitUntil(isThere, 'the record')

  refuses = true
  await bridge.publish({[space]: {manifests: good(space, '1')}})
  await waitUntil(() => agent.lines.filter((line) => /cannot be kept/.test(line)).length > 1, 'the next refusal')
  refuses = false
  await bridge.publish({}, {removed: {[space]: 'Delete'}})
  await agent.waitFor({event: 'removed', app: space})
  assert.ok(!(await isThere()))
})
