import assert from 'node:assert/strict'
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {after, before, test} from 'node:test'
import {keepBundles} from '#agent/keep-bundles.ts'
import {keys} from '#shared/model/keys.ts'
import {childObject} from '#shared/model/manifest.ts'
import type {ObjectStore} from '#shared/ports/object-store.ts'
import {ObjectStoreError} from '#shared/ports/object-store-error.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {createTestPublisher} from './publish-state.ts'
import {
  applyAs,
  configMap,
  createTestBridge,
  type TestAgent,
  type TestBridge,
  types,
  waitUntil,
} from './start-test-agent.ts'

let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster.stop())

const dataOf = async (name: string): Promise<unknown> => {
  const found = await cluster.admin.get(types.configMap, {namespace: 'default', name}, 'whole')
  return found === 'absent' ? 'absent' : childObject(found, 'data')
}
const app = (name: string, a: string) => ({[name]: {manifests: [configMap('default', name, {a})]}})

async function start(bridge: TestBridge, name: string): Promise<TestAgent> {
  const agent = bridge.startAgent()
  await bridge.publish(app(name, '1'))
  await agent.waitFor({event: 'healthy', app: name})
  return agent
}

async function assertStillHealed(agent: TestAgent, name: string): Promise<void> {
  const seen = agent.events.length
  await applyAs(cluster.admin, 'kubectl', types.configMap, configMap('default', name, {a: 'theirs'}))
  await agent.waitFor({event: 'healed', app: name}, {after: seen})
  assert.deepEqual(await dataOf(name), {a: '1'})
}

test('refuses a lower version, once, and keeps what runs true', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = await start(bridge, 'rollback')
  await bridge.publish(app('rollback', '1'), {version: 5})
  await waitUntil(() => bridge.report()?.desired.version === 5, 'version 5')
  await bridge.publish(app('rollback', 'old'), {version: 4})
  await agent.waitFor({event: 'refused', code: 'ROLLBACK'})
  await waitUntil(() => bridge.report()?.desired.state === 'stale', 'a stale report')
  await assertStillHealed(agent, 'rollback')
  assert.equal(agent.events.filter(({event}) => event === 'refused').length, 1)

  // The version outlives the agent.
  await agent.stop()
  const next = bridge.startAgent()
  await waitUntil(() => next.lines.some((line) => /refused a desired state: ROLLBACK/.test(line)), 'the refusal')
  assert.deepEqual(await dataOf('rollback'), {a: '1'})
  await bridge.publish(app('rollback', '6'), {version: 6})
  await next.waitFor({event: 'healthy', app: 'rollback'})
  assert.deepEqual(await dataOf('rollback'), {a: '6'})
  assert.ok(!next.events.some(({event}) => event === 'refused'), 'it was told before')
  await bridge.publish(app('rollback', 'old'), {version: 4})
  await next.waitFor({event: 'refused', code: 'ROLLBACK'})
})

test("refuses another cluster's document, another signer's, and two of one version", async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = await start(bridge, 'forged')
  await bridge.publish(app('forged', '2'), {cluster: 'prod', version: 10})
  await agent.waitFor({event: 'refused', code: 'WRONG_CLUSTER'})
  const stranger = await createTestPublisher('dev', bridge.store)
  t.after(() => stranger.close())
  await bridge.publish(app('forged', '3'), {signer: stranger.signer, version: 11})
  await agent.waitFor({event: 'refused', code: 'SIGNATURE_INVALID'})
  await bridge.publish(app('forged', '4'), {version: 1})
  await agent.waitFor({event: 'refused', code: 'EQUIVOCATION'})
  assert.deepEqual(await dataOf('forged'), {a: '1'})
})

test('refuses a bundle that is not the one that was signed, and keeps healing to the last one', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = await start(bridge, 'tampered')
  const next = await bridge.publish(
    {tampered: {manifests: [configMap('default', 'tampered', {a: '2'})]}},
    {notify: false, version: 2},
  )
  const [entry] = next.apps
  assert.ok(entry?.state === 'present')
  const key = keys.bundle(entry.bundle.digest)
  const genuine = bridge.store.objects.get(key)?.bytes
  assert.ok(genuine !== undefined)
  const bytes = Uint8Array.from(genuine)
  bytes[bytes.length - 10] = (bytes[bytes.length - 10] ?? 0) ^ 1
  await bridge.store.put(key, bytes)
  await agent.waitFor({event: 'refused', app: 'tampered'})
  assert.equal(agent.events.find(({event}) => event === 'refused')?.code, 'DIGEST_MISMATCH')
  await assertStillHealed(agent, 'tampered')
  await bridge.store.put(key, genuine)
  await waitUntil(async () => JSON.stringify(await dataOf('tampered')) === '{"a":"2"}', 'the genuine bundle applied')
})

test('what expires is frozen, not emptied', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  await bridge.publish(app('expiring', '1'), {expiresAt: new Date(Date.now() + 2_500)})
  await agent.waitFor({event: 'healthy', app: 'expiring'})
  await waitUntil(() => bridge.report()?.desired.state === 'stale', 'a stale report')
  assert.match(bridge.report()?.desired.reason ?? '', /EXPIRED/)
  await assertStillHealed(agent, 'expiring')

  // The same after a restart, from what the cluster remembers.
  await agent.stop()
  const next = bridge.startAgent()
  await waitUntil(() => next.lines.some((line) => /refused a desired state: EXPIRED/.test(line)), 'the refusal')
  await assertStillHealed(next, 'expiring')
  await bridge.publish(app('expiring', '2'))
  await next.waitFor({event: 'healthy', app: 'expiring'})
  await waitUntil(() => bridge.report()?.desired.state === 'current', 'a current report')
  const refusals = [...agent.events, ...next.events].filter(({event}) => event === 'refused')
  assert.equal(refusals.length, 1, 'it is told once')
})

test('starts with an unreachable store, keeps what runs, and catches up', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = await start(bridge, 'offline')
  await agent.stop()
  let down = true
  const store = {
    ...bridge.store,
    get: async (...args: Parameters<typeof bridge.store.get>) => {
      if (down) throw new ObjectStoreError('UNAVAILABLE', 'the store answers 503')
      return bridge.store.get(...args)
    },
  }
  const next = bridge.startAgent({ports: {store}})
  await waitUntil(() => bridge.report()?.desired.state === 'stale', 'a stale report')
  assert.deepEqual(await dataOf('offline'), {a: '1'})
  await bridge.publish(app('offline', '2'))
  down = false
  await next.waitFor({event: 'healthy', app: 'offline'})
  assert.deepEqual(await dataOf('offline'), {a: '2'})
})

test('heals drift after a restart without the store, where it kept a copy of the bundle', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const folder = await mkdtemp(join(tmpdir(), 'drawbridge-kept-'))
  t.after(() => rm(folder, {recursive: true, force: true}))
  const keeping = (store: ObjectStore) => keepBundles(store, {folder, log: () => undefined})
  const first = bridge.startAgent({ports: {store: keeping(bridge.store)}})
  await bridge.publish(app('kept-copy', '1'))
  await first.waitFor({event: 'healthy', app: 'kept-copy'})
  await first.stop()
  await applyAs(cluster.admin, 'kubectl', types.configMap, configMap('default', 'kept-copy', {a: 'meanwhile'}))
  const unreachable: ObjectStore = {
    ...bridge.store,
    get: async () => {
      throw new ObjectStoreError('UNAVAILABLE', 'the store answers 503')
    },
  }
  const next = bridge.startAgent({ports: {store: keeping(unreachable)}})
  await next.waitFor({event: 'healed', app: 'kept-copy'})
  assert.deepEqual(await dataOf('kept-copy'), {a: '1'})
  await waitUntil(() => bridge.report()?.desired.state === 'stale', 'a stale report')
  await assertStillHealed(next, 'kept-copy')
})

test('writes its memory anew where somebody deleted it while it runs', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent({config: {verifyIntervalSeconds: 1}})
  await bridge.publish(app('forgotten', '1'))
  await agent.waitFor({event: 'healthy', app: 'forgotten'})
  for (const name of ['drawbridge-accepted', 'drawbridge-inventory-forgotten-0']) {
    const target = {namespace: bridge.agentNamespace, name}
    const kept = async () => {
      const found = await cluster.admin.get(types.configMap, target, 'whole')
      return found === 'absent' ? found : [childObject(found, 'data'), childObject(found, 'binaryData')]
    }
    const before = await kept()
    await cluster.admin.delete(types.configMap, target, {propagation: 'Background'})
    await waitUntil(async () => (await kept()) !== 'absent', `${name} written anew`)
    assert.deepEqual(await kept(), before)
  }
})

test('believes a desired state that only a wrong clock made look expired, and tells that once', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  let aheadMs = 10 * 24 * 3_600_000
  let polls = 0
  const store = {
    ...bridge.store,
    get: (...args: Parameters<typeof bridge.store.get>) => {
      if (args[0] === keys.desired('dev')) polls++
      return bridge.store.get(...args)
    },
  }
  const agent = bridge.startAgent({ports: {store, clock: {now: () => new Date(Date.now() + aheadMs)}}})
  await bridge.publish(app('clock', '1'), {notify: false})
  await agent.waitFor({event: 'refused', code: 'EXPIRED'})
  const seen = polls
  await waitUntil(() => polls >= seen + 2, 'two more polls')
  aheadMs = 0
  await agent.waitFor({event: 'healthy', app: 'clock'})
  assert.equal(agent.events.filter(({event}) => event === 'refused').length, 1)
})

test('applies nothing while the memory of what was accepted cannot be read, and says what to do', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const first = await start(bridge, 'memory')
  await first.stop()
  const target = {namespace: bridge.agentNamespace, name: 'drawbridge-accepted'}
  const found = await cluster.admin.get(types.configMap, target, 'whole')
  assert.ok(found !== 'absent')
  await cluster.admin.replace(types.configMap, {
    ...found,
    metadata: {...found.metadata, ...target},
    data: {version: 'none'},
  })
  await bridge.publish(app('memory', '2'))
  const next = bridge.startAgent()
  await waitUntil(
    () => next.lines.some((line) => line.includes(`${bridge.agentNamespace}/drawbridge-accepted`)),
    'the reason',
  )
  assert.match(next.lines.join('\n'), /restore it, or delete it/)
  assert.deepEqual(await dataOf('memory'), {a: '1'})
  await cluster.admin.delete(types.configMap, target, {propagation: 'Background'})
  await next.waitFor({event: 'healthy', app: 'memory'})
  assert.deepEqual(await dataOf('memory'), {a: '2'})
})
