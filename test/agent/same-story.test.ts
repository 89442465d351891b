import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {annotateApp, configMap, createTestBridge, type TestAgent, waitUntil} from './start-test-agent.ts'

let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster.stop())

const told = ({events}: TestAgent, app: string, since = 0) =>
  events.slice(since).flatMap((event) => (event.app === app && event.event !== 'pulled' ? [event.event] : []))

test('an app that is removed and added again at the same revision tells all of it again', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const again = {again: {manifests: [configMap('default', 'again')]}}
  await bridge.publish(again)
  await agent.waitFor({event: 'healthy', app: 'again'})
  const first = told(agent, 'again')
  assert.deepEqual(first, ['verified', 'applied', 'healthy'])
  await bridge.publish({}, {removed: {again: 'Delete'}})
  await agent.waitFor({event: 'removed', app: 'again'})
  const seen = agent.events.length
  await bridge.publish(again)
  await agent.waitFor({event: 'healthy', app: 'again'}, {after: seen})
  assert.deepEqual(told(agent, 'again', seen), first)
})

test('an app that is suspended or resumed while no agent runs tells it once, whatever restarts', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  let agent = bridge.startAgent()
  const suspend = (value: string) => annotateApp(cluster.admin, bridge, 'asleep', {'drawbridge.dev/suspend': value})
  const isSuspended = () => bridge.report()?.apps.find(({name}) => name === 'asleep')?.suspended === true
  await bridge.publish({asleep: {manifests: [configMap('default', 'asleep')]}})
  await agent.waitFor({event: 'healthy', app: 'asleep'})
  for (const [value, event] of [
    ['true', 'suspended'],
    ['false', 'resumed'],
  ] as const) {
    await agent.stop()
    await suspend(value)
    agent = bridge.startAgent()
    await agent.waitFor({event, app: 'asleep'})
    await waitUntil(() => isSuspended() === (value === 'true'), `the report says ${event}`)
    await agent.stop()
    agent = bridge.startAgent()
    await waitUntil(
      () =>
        bridge.report()?.agent.instance !== undefined && agent.requests.some(({path}) => path.includes('inventory')),
      'the next agent has begun',
    )
    await bridge.publish({
      asleep: {manifests: [configMap('default', 'asleep')]},
      [event]: {manifests: [configMap('default', event)]},
    })
    await agent.waitFor({event: 'healthy', app: event})
    assert.deepEqual(told(agent, 'asleep'), [])
  }
  assert.deepEqual(
    bridge.report()?.events.flatMap((each) => (each.app === 'asleep' ? [each.event] : [])),
    ['verified', 'applied', 'healthy', 'suspended', 'resumed'],
  )
})
