import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import type {ResourceType} from '#agent/kube/kube-client.ts'
import type {JsonObject, Manifest} from '#shared/model/manifest.ts'
import {findCondition} from '#shared/plan/health/read-status.ts'
import {type FollowedJobs, followJobs} from './follow-jobs.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {configMap, createTestBridge, namespace, waitUntil} from './start-test-agent.ts'

let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster?.stop())

const job: ResourceType = {group: 'batch', version: 'v1', kind: 'Job', plural: 'jobs', namespaced: true}

function migrate(space: string, more: JsonObject = {}, annotations: Record<string, string> = {}): Manifest {
  const containers = [{name: 'run', image: 'run:1'}]
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {name: 'migrate', namespace: space, annotations},
    spec: {template: {spec: {containers, restartPolicy: 'Never'}}, ...more},
  }
}
const app = (space: string, v: string, ...more: Manifest[]) => ({
  [space]: {manifests: [namespace(space), configMap(space, 'c', {v}), ...more]},
})

/** Ends each Job and takes it away at once, as its controllers would where its TTL is 0. */
async function endAndRemove(
  space: string,
  outcome: () => 'Complete' | 'Failed',
  t: {after(run: () => Promise<void>): void},
): Promise<FollowedJobs> {
  const jobs = await followJobs(cluster, space, () => 'none')
  let handled = 0
  const watching = setInterval(async () => {
    if (handled >= jobs.made.length) return
    handled++
    await jobs.end('migrate', outcome())
    await cluster.admin.delete(job, {namespace: space, name: 'migrate'}, {propagation: 'Background'})
  }, 10)
  t.after(async () => {
    clearInterval(watching)
    jobs.stop()
  })
  return jobs
}
const isGone = async (space: string) =>
  (await cluster.admin.get(job, {namespace: space, name: 'migrate'}, 'metadata')) === 'absent'

test('a Job that its own TTL took away after it was through is done, over a restart and a new revision, until it is declared otherwise', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'ended'
  const jobs = await endAndRemove(space, () => 'Complete', t)
  const ttl = {ttlSecondsAfterFinished: 0}
  const first = bridge.startAgent()
  await bridge.publish(app(space, '1', migrate(space, ttl)))
  await first.waitFor({event: 'healthy', app: space})
  await waitUntil(() => isGone(space), 'its own rule')
  await first.stop()
  const second = bridge.startAgent()
  await bridge.publish(app(space, '2', migrate(space, ttl)))
  await second.waitFor({event: 'healthy', app: space})
  assert.deepEqual(jobs.made, ['migrate'])
  await bridge.publish(app(space, '3', migrate(space, {...ttl, backoffLimit: 2})))
  await waitUntil(() => jobs.made.length === 2, 'another Job of that name')
  const seen = second.events.length
  await second.waitFor({event: 'healthy', app: space}, {after: Math.max(0, seen - 5)})
  const told = [...first.events, ...second.events].map(({event}) => event)
  assert.ok(!told.includes('drifted') && !told.includes('healed') && !told.includes('failed'), told.join())
})

test('one that failed and went is not tried again and again: the app says why it failed', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'ended-failed'
  const jobs = await endAndRemove(space, () => 'Failed', t)
  const agent = bridge.startAgent()
  const manifests = [namespace(space), migrate(space, {ttlSecondsAfterFinished: 0})]
  await bridge.publish({[space]: {manifests, sync: {timeoutSeconds: 3}}})
  const {message} = await agent.waitFor({event: 'failed', app: space})
  assert.match(message ?? '', /Job\.batch ended-failed\/migrate: .*it is Failed/)
  await waitUntil(() => isGone(space), 'its own rule')
  await waitUntil(() => /removed by its own rule/.test(bridge.report()?.apps[0]?.message ?? ''), 'what became of it')
  assert.deepEqual(jobs.made, ['migrate'])
})

test('a Job without such a rule that somebody deletes is healed', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'ended-by-hand'
  const jobs = await followJobs(cluster, space, () => 'Complete')
  t.after(async () => jobs.stop())
  const agent = bridge.startAgent()
  await bridge.publish(app(space, '1', migrate(space)))
  await agent.waitFor({event: 'healthy', app: space})
  await cluster.admin.delete(job, {namespace: space, name: 'migrate'}, {propagation: 'Background'})
  await agent.waitFor({event: 'healed', app: space})
  await waitUntil(() => jobs.made.length === 2, 'a second one')
})

test('a hook with a TTL of 0 counts as it ended, however soon it is gone', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'ended-hooks'
  await endAndRemove(space, () => 'Complete', t)
  const agent = bridge.startAgent()
  const hook = migrate(space, {ttlSecondsAfterFinished: 0}, {'argocd.argoproj.io/hook': 'PreSync'})
  for (let push = 0; push < 10; push++) {
    const seen = agent.events.length
    await bridge.publish(app(space, String(push), hook))
    await agent.waitFor({event: 'healthy', app: space}, {after: seen})
  }
  assert.deepEqual(
    agent.events.filter(({event}) => event === 'failed'),
    [],
  )
})

test('a Job that came to its end and waits for its TTL is made anew where it is declared otherwise; while it goes it has not drifted', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'ended-waiting'
  const jobs = await followJobs(cluster, space, () => 'Complete')
  t.after(async () => jobs.stop())
  const agent = bridge.startAgent()
  const declared = (image: string) => {
    const template = {spec: {containers: [{name: 'run', image}], restartPolicy: 'Never'}}
    // More than one change of what is there, so that it is asked for first.
    return app(space, image, migrate(space, {ttlSecondsAfterFinished: 3_600, template}), configMap(space, 'd', {image}))
  }
  const isEnded = async () => {
    const live = await cluster.admin.get(job, {namespace: space, name: 'migrate'}, 'whole')
    return live !== 'absent' && findCondition(live, 'Complete') !== undefined
  }
  const deploy = async (image: string) => {
    const seen = agent.events.length
    await bridge.publish(declared(image))
    await agent.waitFor({event: 'healthy', app: space}, {after: seen})
  }
  await deploy('run:1')
  await waitUntil(isEnded, 'its end')
  await deploy('run:2')
  assert.deepEqual(jobs.made, ['migrate', 'migrate'])
  await waitUntil(isEnded, 'its end')

  // As the controller of TTLs does; there is none to finish it here.
  await cluster.admin.delete(job, {namespace: space, name: 'migrate'}, {propagation: 'Foreground'})
  await waitUntil(() => bridge.report()?.apps[0]?.ready === 'True', 'that it is well while the Job goes')
  const seen = agent.events.length
  await bridge.publish(declared('run:3'))
  await agent.waitFor({event: 'verified', app: space}, {after: seen})
  await removeFinalizers(space)
  await waitUntil(() => jobs.made.length === 3, 'a Job beside the one that went')
  await agent.waitFor({event: 'healthy', app: space}, {after: seen})
  const told = agent.events.map(({event}) => event)
  assert.ok(!told.includes('drifted') && !told.includes('healed') && !told.includes('failed'), told.join())
})

async function removeFinalizers(space: string): Promise<void> {
  await cluster.transport.send({
    method: 'PATCH',
    path: `/apis/batch/v1/namespaces/${space}/jobs/migrate`,
    contentType: 'application/merge-patch+json',
    body: JSON.stringify({metadata: {finalizers: null}}),
    what: 'end the deletion',
  })
}
