import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import type {JsonObject, Manifest} from '#shared/model/manifest.ts'
import {followJobs} from './follow-jobs.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {annotated, configMap, createTestBridge, namespace, types, waitUntil} from './start-test-agent.ts'

let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster?.stop())

function hook(inNamespace: string, name: string, events: string): Manifest {
  const containers: JsonObject[] = [{name: 'run', image: 'run:1'}]
  const spec: JsonObject = {template: {spec: {containers, restartPolicy: 'Never'}}}
  const manifest = {apiVersion: 'batch/v1', kind: 'Job', metadata: {name, namespace: inNamespace}, spec}
  return annotated(manifest, {'helm.sh/hook': events, 'helm.sh/hook-delete-policy': 'before-hook-creation'})
}

const chart = (space: string, v: string) => ({
  [space]: {
    manifests: [
      configMap(space, 'c', {v}),
      hook(space, 'pre-install', 'pre-install'),
      hook(space, 'pre-upgrade', 'pre-upgrade'),
      hook(space, 'pre-both', 'pre-install,pre-upgrade'),
      hook(space, 'post-install', 'post-install'),
      hook(space, 'post-upgrade', 'post-upgrade'),
      hook(space, 'across', 'post-install,pre-upgrade'),
      hook(space, 'undo', 'pre-rollback,post-delete'),
    ],
  },
})
const installed = ['across', 'post-install', 'pre-both', 'pre-install']
const upgraded = ['across', 'post-upgrade', 'pre-both', 'pre-upgrade']

test('install hooks run with the first install, upgrade hooks with all that follows, a bundle that comes back included', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'releases'
  await cluster.admin.create(types.namespace, namespace(space))
  const jobs = await followJobs(cluster, space, () => 'Complete')
  t.after(async () => jobs.stop())
  let agent = bridge.startAgent()
  for (const [v, expected] of [
    ['1', installed],
    ['2', upgraded],
    ['1', upgraded],
  ] as const) {
    const seen = agent.events.length
    const before = jobs.made.length
    await bridge.publish(chart(space, v))
    await agent.waitFor({event: 'healthy', app: space}, {after: seen})
    assert.deepEqual(jobs.made.slice(before).toSorted(), expected, `bundle ${v}`)
  }
  await agent.stop()
  const before = jobs.made.length
  agent = bridge.startAgent()
  await waitUntil(() => agent.requests.some(({path}) => path.includes('/jobs')), 'the second agent to look')
  const seen = agent.events.length
  await bridge.publish(chart(space, '3'))
  await agent.waitFor({event: 'healthy', app: space}, {after: seen})
  assert.deepEqual(jobs.made.slice(before).toSorted(), upgraded, 'after a restart too')

  await bridge.publish({}, {removed: {[space]: 'Delete'}})
  await agent.waitFor({event: 'removed', app: space})
  jobs.made.length = 0
  const removedAt = agent.events.length
  await bridge.publish(chart(space, '3'))
  await agent.waitFor({event: 'healthy', app: space}, {after: removedAt})
  assert.deepEqual(jobs.made.toSorted(), installed, 'removed and added again it is installed')
})

test('a first install that fails or is interrupted goes on as an install, and ends once', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'first-install'
  await cluster.admin.create(types.namespace, namespace(space))
  let outcomeOf = (name: string): 'Complete' | 'Failed' | 'none' => (name === 'pre-install' ? 'Failed' : 'Complete')
  const jobs = await followJobs(cluster, space, (name) => outcomeOf(name))
  t.after(async () => jobs.stop())
  const first = bridge.startAgent()
  await bridge.publish(chart(space, '1'))
  await first.waitFor({event: 'failed', app: space})

  outcomeOf = (name) => (name === 'post-install' ? 'none' : 'Complete')
  jobs.made.length = 0
  await bridge.publish(chart(space, '2'))
  await waitUntil(() => jobs.made.includes('post-install'), 'the last hook of the install')
  await first.stop()
  assert.notEqual(bridge.report()?.apps[0]?.ready, 'True', 'not ready before its last hook is through')
  const second = bridge.startAgent()
  await waitUntil(() => second.requests.some(({path}) => path.includes('/jobs/post-install')), 'the agent to look')
  await jobs.end('post-install', 'Complete')
  await second.waitFor({event: 'healthy', app: space})
  assert.deepEqual(jobs.made.toSorted(), installed)
  await second.stop()

  const third = bridge.startAgent()
  outcomeOf = () => 'Complete'
  await waitUntil(() => third.requests.some(({path}) => path.includes('/jobs')), 'the third agent to look')
  await waitUntil(() => bridge.report()?.apps[0]?.ready === 'True', 'ready')
  assert.deepEqual(jobs.made.toSorted(), installed, 'a restart afterwards is no upgrade')
  jobs.made.length = 0
  const seen = third.events.length
  await bridge.publish(chart(space, '3'))
  await third.waitFor({event: 'healthy', app: space}, {after: seen})
  assert.deepEqual(jobs.made.toSorted(), upgraded)
})
