import assert from 'node:assert/strict'
import {after, before, type TestContext, test} from 'node:test'
import {setTimeout as sleep} from 'node:timers/promises'
import {KubeError} from '#agent/kube/kube-error.ts'
import type {KubeRequest} from '#agent/kube/send-request.ts'
import {stateTypes} from '#agent/state-types.ts'
import {childObject} from '#shared/model/manifest.ts'
import {isDeep} from '#test/deep.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import type {TestApp} from './publish-state.ts'
import {applyAs, configMap, createTestBridge, namespace, types, waitUntil, writesOf} from './start-test-agent.ts'

let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster.stop())

const isWrite = ({method, path}: KubeRequest) => method !== 'GET' && !path.includes('/leases')

/** All ConfigMaps of a namespace: `name=owner:data`. */
async function stateOf(space: string): Promise<string[]> {
  const {items} = await cluster.admin.list(types.configMap, {detail: 'whole', namespace: space})
  return items
    .filter(({metadata}) => metadata.name !== 'kube-root-ca.crt')
    .map((item) => {
      const owner = childObject(item.metadata, 'labels')?.['drawbridge.dev/app']
      return `${item.metadata.name}=${owner ?? 'nobody'}:${JSON.stringify(childObject(item, 'data'))}`
    })
}

function firstState(space: string): Record<string, TestApp> {
  return {
    one: {
      manifests: [
        namespace(space),
        ...['keep', 'change', 'drop', 'drop-too', 'move'].map((name) => configMap(space, name, {v: '1'})),
      ],
    },
    two: {manifests: [configMap(space, 'other', {v: '1'})]},
    gone: {manifests: [configMap(space, 'gone', {v: '1'})]},
  }
}

function secondState(space: string): Record<string, TestApp> {
  return {
    one: {
      manifests: [
        namespace(space),
        configMap(space, 'keep', {v: '1'}),
        configMap(space, 'change', {v: '2'}),
        configMap(space, 'new', {v: '2'}),
      ],
    },
    two: {manifests: [configMap(space, 'other', {v: '2'}), configMap(space, 'move', {v: '2'})]},
  }
}

const secondOutcome = [
  'change=one:{"v":"2"}',
  'foreign=nobody:{"v":"theirs"}',
  'keep=one:{"v":"1"}',
  'move=two:{"v":"2"}',
  'new=one:{"v":"2"}',
  'other=two:{"v":"2"}',
]

type Moment = 'before any of its requests' | 'after any of its writes'

for (const moment of ['before any of its requests', 'after any of its writes'] as const) {
  test(`killed ${moment}, the next agent brings about the same end`, {concurrency: 4}, async (t) => {
    const whole = await killAndResume(t, moment, Number.POSITIVE_INFINITY)
    assert.ok(whole > 10 && whole < 100, `${whole} requests`)
    // What runs at once varies a little from run to run.
    const indices = Array.from({length: whole + 3}, (_, index) => index).filter((index) => isDeep || index % 3 === 0)
    const killAt = (index: number) => async (t: TestContext) => void (await killAndResume(t, moment, index))
    await Promise.all(indices.map((index) => t.test(`at index ${index}`, killAt(index))))
  })
}

/** Resolves with the number of requests that count, up to the end or to its death. */
async function killAndResume(t: TestContext, moment: Moment, killAt: number): Promise<number> {
  const space = `killed-${moment.split(' ')[0]}-${Number.isFinite(killAt) ? killAt : 'never'}`
  const bridge = await createTestBridge(cluster, t)
  const first = bridge.startAgent()
  await bridge.publish(firstState(space))
  for (const app of ['one', 'two', 'gone']) await first.waitFor({event: 'healthy', app})
  await applyAs(cluster.admin, 'somebody', types.configMap, configMap(space, 'foreign', {v: 'theirs'}))
  const moved = await cluster.admin.get(types.configMap, {namespace: space, name: 'move'}, 'metadata')
  await first.stop()

  const gone = new KubeError('ABORTED', 'the process is gone')
  let count = 0
  let dead = false
  const second = bridge.startAgent({
    onRequest({path}) {
      if (moment === 'before any of its requests' && !path.includes('/leases') && count++ >= killAt) dead = true
      if (dead) throw gone
    },
    onAnswer(request) {
      if (moment === 'after any of its writes' && isWrite(request) && count++ >= killAt) dead = true
      if (dead) throw gone
    },
  })
  await bridge.publish(secondState(space), {removed: {gone: 'Delete'}})
  const settled = async () => JSON.stringify(await stateOf(space)) === JSON.stringify(secondOutcome)
  await waitUntil(async () => dead || (await settled()), 'its death or the end')
  // Its last writes are those of the inventories.
  if (!dead) await sleep(500)
  await second.stop()
  await cluster.admin.delete(
    stateTypes.lease,
    {namespace: bridge.agentNamespace, name: 'drawbridge-agent'},
    {propagation: 'Background'},
  )

  const third = bridge.startAgent()
  await waitUntil(settled, () => `${third.lines.join('\n')} ${JSON.stringify(third.events)}`)
  const now = await cluster.admin.get(types.configMap, {namespace: space, name: 'move'}, 'metadata')
  assert.ok(moved !== 'absent' && now !== 'absent')
  assert.equal(now.metadata.uid, moved.metadata.uid, 'the moved object was never deleted')
  return count
}

test('a newer desired state stops an apply at the next object', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const applied: string[] = []
  const agent = bridge.startAgent({
    async onRequest({method, path}) {
      if (method !== 'PATCH' || !path.includes('/namespaces/preempted/configmaps/old')) return
      applied.push(path)
      await sleep(100)
    },
  })
  const old = Array.from({length: 400}, (_, i) => configMap('preempted', `old${i}`))
  await bridge.publish({long: {manifests: [namespace('preempted'), ...old]}})
  await waitUntil(() => applied.length > 20, 'the apply under way')
  await bridge.publish({long: {manifests: [namespace('preempted'), configMap('preempted', 'new')]}})
  await agent.waitFor({event: 'healthy', app: 'long'})
  assert.ok(applied.length < 100, `${applied.length} of 400 were applied`)
  await waitUntil(async () => (await stateOf('preempted')).length === 1, 'the rest pruned')
  assert.equal(
    agent.events.some(({event}) => event === 'failed'),
    false,
  )
})

test('of two agents only the one that holds the Lease writes, and the other takes over', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const config = {leaseSeconds: 2}
  const first = bridge.startAgent({config})
  await bridge.publish({led: {manifests: [namespace('led'), configMap('led', 'x', {v: '1'})]}})
  await first.waitFor({event: 'healthy', app: 'led'})
  const second = bridge.startAgent({config})
  await waitUntil(() => second.lines.some((line) => line.includes('holds the Lease')), 'the second one waiting')
  await bridge.publish({led: {manifests: [namespace('led'), configMap('led', 'x', {v: '2'})]}})
  await waitUntil(async () => (await stateOf('led'))[0] === 'x=led:{"v":"2"}', 'version 2')
  assert.deepEqual(second.events, [])
  assert.equal(second.requests.filter(isWrite).length, 0)

  await first.stop()
  await bridge.publish({led: {manifests: [namespace('led'), configMap('led', 'x', {v: '3'})]}})
  await second.waitFor({event: 'healthy', app: 'led'})
})

test('an agent that loses the Lease stops to write', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent({config: {leaseSeconds: 2}})
  await bridge.publish({lost: {manifests: [namespace('lost-lease'), configMap('lost-lease', 'x', {v: '1'})]}})
  await agent.waitFor({event: 'healthy', app: 'lost'})
  const target = {namespace: bridge.agentNamespace, name: 'drawbridge-agent'}
  for (let attempt = 0; attempt < 20; attempt++) {
    const lease = await cluster.admin.get(stateTypes.lease, target, 'whole')
    assert.ok(lease !== 'absent')
    const spec = {...childObject(lease, 'spec'), holderIdentity: 'somebody-else', leaseDurationSeconds: 60}
    const taken = await cluster.admin.replace(stateTypes.lease, {
      ...lease,
      metadata: {...lease.metadata, ...target},
      spec,
    })
    if (taken !== 'conflict') break
  }
  await waitUntil(() => agent.lines.some((line) => line.includes('taken by another')), 'the loss noticed')
  const before = agent.requests.length
  await bridge.publish({lost: {manifests: [namespace('lost-lease'), configMap('lost-lease', 'x', {v: '2'})]}})
  await applyAs(cluster.admin, 'kubectl', types.configMap, configMap('lost-lease', 'x', {v: 'theirs'}))
  await sleep(1_500)
  // An Event may still say what it did before.
  assert.deepEqual(writesOf(agent.requests.slice(before)), [])
  assert.deepEqual(await stateOf('lost-lease'), ['x=lost:{"v":"theirs"}'])
})

test('compares every object with a dry run now and then, whatever the watches tell', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent({config: {verifyIntervalSeconds: 1}})
  await bridge.publish({spread: {manifests: [namespace('spread'), configMap('spread', 'x', {v: '1'})]}})
  await agent.waitFor({event: 'healthy', app: 'spread'})
  const dryRuns = () => agent.requests.filter(({path}) => path.includes('dryRun') && path.includes('/configmaps/x'))
  await waitUntil(() => dryRuns().length >= 2, 'two dry runs')
  assert.equal(
    agent.events.some(({event}) => event === 'drifted'),
    false,
  )
})

test('catches up to the last of many publications, however fast they come and wherever objects move', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'hasty'
  const states = Array.from({length: 12}, (_, i): Record<string, TestApp> => {
    const wanderer = configMap(space, 'wanderer', {v: String(i)})
    const apps = ['a', 'b', 'c'].map((name, place) => {
      const own = configMap(space, name, {v: String(i)})
      return [name, {manifests: [own, ...(i % 3 === place ? [wanderer] : [])]}] as const
    })
    return {space: {manifests: [namespace(space)]}, ...Object.fromEntries(apps)}
  })
  const agent = bridge.startAgent()
  for (const state of states) {
    await bridge.publish(state)
    await sleep(15)
  }
  const last = ['a=a:{"v":"11"}', 'b=b:{"v":"11"}', 'c=c:{"v":"11"}', 'wanderer=c:{"v":"11"}']
  await waitUntil(
    async () => JSON.stringify(await stateOf(space)) === JSON.stringify(last),
    () => JSON.stringify(agent.events.slice(-10)),
  )
  await waitUntil(
    () => bridge.report()?.apps.every(({ready}) => ready === 'True') === true,
    () => JSON.stringify(bridge.report()?.apps.map(({name, ready, message}) => ({name, ready, message}))),
  )

  await agent.stop()
  for (const v of ['12', '13', '14'])
    await bridge.publish(
      {space: {manifests: [namespace(space)]}, a: {manifests: [configMap(space, 'a', {v})]}},
      {removed: {b: 'Delete', c: 'Delete'}},
    )
  const next = bridge.startAgent()
  await waitUntil(async () => JSON.stringify(await stateOf(space)) === '["a=a:{\\"v\\":\\"14\\"}"]', 'the last one')
  // The object is there a moment before the agent tells that it is.
  await next.waitFor({event: 'healthy', app: 'a'})
  assert.equal(next.events.filter(({event, app}) => event === 'applied' && app === 'a').length, 1)
})
