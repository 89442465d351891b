import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import type {KubeObject} from '#agent/kube/kube-object.ts'
import {childObject} from '#shared/model/manifest.ts'
import {
  configMap,
  createTestBridge,
  namespace,
  startTestCluster,
  type TestCluster,
  types,
  waitUntil,
  writesOf,
} from './start-test-agent.ts'

let cluster: TestCluster
before(async () => {
  cluster = await startTestCluster()
})
after(() => cluster.stop())

const dataOf = async (inNamespace: string, name: string): Promise<unknown> => {
  const found = await cluster.admin.get(types.configMap, {namespace: inNamespace, name}, 'whole')
  return found === 'absent' ? 'absent' : childObject(found, 'data')
}
const labelsOf = (object: KubeObject | 'absent') => (object === 'absent' ? undefined : object.metadata.labels)

test('applies what is published, changes what changed, prunes what is gone', async () => {
  const bridge = await createTestBridge(cluster)
  const agent = bridge.startAgent()
  await bridge.publish({web: {manifests: [namespace('web'), configMap('web', 'a', {x: '1'}), configMap('web', 'b')]}})
  await agent.waitFor({event: 'healthy', app: 'web'})
  assert.deepEqual(await dataOf('web', 'a'), {x: '1'})
  assert.deepEqual(labelsOf(await cluster.admin.get(types.configMap, {namespace: 'web', name: 'b'}, 'metadata')), {
    'drawbridge.dev/app': 'web',
  })
  assert.deepEqual(
    agent.events.map(({event}) => event),
    ['pulled', 'verified', 'applied', 'healthy'],
  )

  const before = agent.requests.length
  await bridge.publish({web: {manifests: [namespace('web'), configMap('web', 'a', {x: '2'}), configMap('web', 'b')]}})
  await agent.waitFor({event: 'healthy'}, {after: 4})
  assert.deepEqual(await dataOf('web', 'a'), {x: '2'})
  assert.equal(writesOf(agent.requests.slice(before)).length, 4, 'accepted, inventory, the object, inventory')

  await bridge.publish({web: {manifests: [namespace('web'), configMap('web', 'a', {x: '2'})]}})
  await agent.waitFor({event: 'pruned', app: 'web', object: '/ConfigMap/web/b'})
  assert.equal(await dataOf('web', 'b'), 'absent')
  await waitUntil(() => bridge.report()?.apps[0]?.ready === 'True', 'a report that the app is ready')
  await bridge.close()
})
