import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import type {ResourceType} from '#agent/kube/kube-client.ts'
import type {JsonObject, Manifest} from '#shared/model/manifest.ts'
import {nameGenerated} from '#shared/plan/name-run.ts'
import {followJobs} from './follow-jobs.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {configMap, createTestBridge, namespace, type TestBridge, waitUntil} from './start-test-agent.ts'

let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster?.stop())

const argo = 'argocd.argoproj.io'
const job: ResourceType = {group: 'batch', version: 'v1', kind: 'Job', plural: 'jobs', namespaced: true}
const messageOf = (bridge: TestBridge) => bridge.report()?.apps[0]?.message ?? ''

/** As render makes it of a hook that has a generateName and no name. */
function generated(inNamespace: string, phases: string, policy?: string): Manifest {
  const containers: JsonObject[] = [{name: 'run', image: 'run:1'}]
  const annotations = {
    [`${argo}/hook`]: phases,
    ...(policy === undefined ? {} : {[`${argo}/hook-delete-policy`]: policy}),
  }
  const metadata = {generateName: 'migrate-', namespace: inNamespace, annotations}
  const spec: JsonObject = {template: {spec: {containers, restartPolicy: 'Never'}}}
  const name = nameGenerated('migrate-', JSON.stringify(metadata))
  return {apiVersion: 'batch/v1', kind: 'Job', metadata: {...metadata, name}, spec}
}

const app = (space: string, v: string, ...hooks: Manifest[]) => ({
  [space]: {manifests: [namespace(space), configMap(space, 'c', {v}), ...hooks]},
})

async function namesOf(space: string): Promise<string[]> {
  const {items} = await cluster.admin.list(job, {detail: 'metadata', namespace: space})
  return items.map(({metadata}) => metadata.name).toSorted()
}

test('each bundle gets a run of its own, and the default policy deletes the one before', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'generated'
  const jobs = await followJobs(cluster, space, () => 'Complete')
  t.after(async () => jobs.stop())
  const agent = bridge.startAgent()
  const hook = generated(space, 'PreSync')
  for (const [index, v] of ['1', '2', '1'].entries()) {
    const seen = agent.events.length
    await bridge.publish(app(space, v, hook))
    await agent.waitFor({event: 'healthy', app: space}, {after: seen})
    assert.equal(jobs.made.length, index + 1, 'one more run, also of a bundle that comes back')
    assert.deepEqual(await namesOf(space), [jobs.made.at(-1)], 'and no other')
    assert.match(jobs.made.at(-1) ?? '', /^migrate-[0-9a-f]{10}-presync$/)
  }
  assert.equal(new Set(jobs.made).size, 2)
  const seen = agent.events.length
  await bridge.publish(app(space, '3'))
  await agent.waitFor({event: 'healthy', app: space}, {after: seen})
  assert.deepEqual(await namesOf(space), [], 'a hook that is no longer declared is pruned')
})

test('a run that failed and that its policy keeps stands in the way of no other', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'generated-kept'
  let outcome: 'Complete' | 'Failed' = 'Failed'
  const jobs = await followJobs(cluster, space, () => outcome)
  t.after(async () => jobs.stop())
  const agent = bridge.startAgent()
  const hook = generated(space, 'PreSync', 'HookSucceeded')
  await bridge.publish(app(space, '1', hook))
  const failed = await agent.waitFor({event: 'failed', app: space})
  assert.match(failed.message ?? '', /PreSync hook Job.batch generated-kept\/migrate-[0-9a-f]{10}-presync/)
  outcome = 'Complete'
  await bridge.publish(app(space, '2', hook))
  await agent.waitFor({event: 'healthy', app: space})
  await waitUntil(async () => (await namesOf(space)).length === 1, 'HookSucceeded deletes the second run')
  assert.deepEqual(await namesOf(space), [jobs.made[0]])

  const seen = agent.events.length
  await bridge.publish(app(space, '1', hook))
  await agent.waitFor({event: 'healthy', app: space}, {after: seen})
  assert.equal(jobs.made.length, 3, 'the bundle that failed runs again when it comes back')
  assert.equal(jobs.made[2], jobs.made[0])

  await bridge.publish({}, {removed: {[space]: 'Delete'}})
  await agent.waitFor({event: 'removed', app: space})
  await waitUntil(async () => (await namesOf(space)).length === 0, 'nothing is left of its app')
})

test('what its policy keeps goes with its app', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'generated-gone'
  const jobs = await followJobs(cluster, space, () => 'Complete')
  t.after(async () => jobs.stop())
  const agent = bridge.startAgent()
  const hook = generated(space, 'PreSync,PostSync', 'HookFailed')
  for (const v of ['1', '2']) {
    const seen = agent.events.length
    await bridge.publish(app(space, v, hook))
    await agent.waitFor({event: 'healthy', app: space}, {after: seen})
  }
  assert.deepEqual(
    jobs.made.map((name) => name.slice(-7)),
    ['presync', 'ostsync', 'presync', 'ostsync'],
  )
  assert.deepEqual(await namesOf(space), jobs.made.toSorted(), 'each phase has a run of its own')
  await bridge.publish({}, {removed: {[space]: 'Delete'}})
  await agent.waitFor({event: 'removed', app: space})
  await waitUntil(async () => (await namesOf(space)).length === 0, 'all of them')
})

test('an agent that restarts while a run is under way waits for that very run', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'generated-resumed'
  let outcome: 'Complete' | 'none' = 'Complete'
  const jobs = await followJobs(cluster, space, () => outcome)
  t.after(async () => jobs.stop())
  const first = bridge.startAgent()
  const hook = generated(space, 'PreSync', 'HookFailed')
  for (const v of ['1', '2']) {
    const seen = first.events.length
    await bridge.publish(app(space, v, hook))
    await first.waitFor({event: 'healthy', app: space}, {after: seen})
  }
  outcome = 'none'
  await bridge.publish(app(space, '1', hook))
  await waitUntil(() => jobs.made.length === 3, 'the run of the bundle that came back')
  await waitUntil(() => /waits for its hooks/.test(messageOf(bridge)), 'the wait')
  await first.stop()
  const second = bridge.startAgent()
  await waitUntil(() => second.requests.some(({path}) => path.includes('/jobs/migrate')), 'the second agent to look')
  await jobs.end(jobs.made[2] ?? '', 'Complete')
  await second.waitFor({event: 'healthy', app: space})
  assert.equal(jobs.made.length, 3)
})
