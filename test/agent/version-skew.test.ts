import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import {childObject} from '#shared/model/manifest.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {configMap, createTestBridge, types, waitUntil} from './start-test-agent.ts'

let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster.stop())

const dataOf = async (name: string): Promise<unknown> => {
  const found = await cluster.admin.get(types.configMap, {namespace: 'default', name}, 'whole')
  return found === 'absent' ? 'absent' : childObject(found, 'data')
}
const of = (name: string, a: string, sync: object = {}) => ({
  [name]: {manifests: [configMap('default', name, {a})], sync: {...sync}},
})

for (const [what, sync, field] of [
  ['a field that this agent does not know', {pauseBefore: 'prune'}, /pauseBefore/],
  ['a word that this agent does not know', {drift: 'warn'}, /sync\.drift/],
] as const) {
  test(`an app with ${what} waits by name, over a restart too, and the others go on`, async (t) => {
    const [held, free] = [`held-${field.source.length}`, `free-${field.source.length}`]
    const bridge = await createTestBridge(cluster, t)
    let agent = bridge.startAgent()
    await bridge.publish({...of(held, '1'), ...of(free, '1')})
    await agent.waitFor({event: 'healthy', app: held})
    await agent.waitFor({event: 'healthy', app: free})

    const seen = agent.events.length
    await bridge.publish({...of(held, '2', sync), ...of(free, '2')})
    await agent.waitFor({event: 'healthy', app: free}, {after: seen})
    const isHeld = () => {
      const reported = bridge.report()?.apps.find(({name}) => name === held)
      return reported?.ready === 'False' && reported.reason === 'NotUnderstood' && field.test(reported.message)
    }
    await waitUntil(isHeld, 'a report that names the app')
    assert.deepEqual(await dataOf(held), {a: '1'})
    assert.deepEqual(await dataOf(free), {a: '2'})

    await agent.stop()
    agent = bridge.startAgent()
    await bridge.publish({...of(held, '3', sync), ...of(free, '3')})
    await agent.waitFor({event: 'healthy', app: free})
    await waitUntil(isHeld, 'the same report')
    assert.deepEqual(await dataOf(held), {a: '1'})

    await bridge.publish({...of(held, '4'), ...of(free, '3')})
    await agent.waitFor({event: 'healthy', app: held})
    assert.deepEqual(await dataOf(held), {a: '4'})
  })
}
