import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import type {ResourceType} from '#agent/kube/kube-client.ts'
import type {KubeObject} from '#agent/kube/kube-object.ts'
import type {JsonObject, Manifest} from '#shared/model/manifest.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {
  configMap,
  createTestBridge,
  deployment,
  namespace,
  type TestBridge,
  types,
  waitUntil,
  writesOf,
} from './start-test-agent.ts'

let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster.stop())

const job: ResourceType = {group: 'batch', version: 'v1', kind: 'Job', plural: 'jobs', namespaced: true}
const argo = 'argocd.argoproj.io'

function hook(inNamespace: string, name: string, annotations: Record<string, string>): Manifest {
  const containers: JsonObject[] = [{name: 'run', image: 'run:1'}]
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {name, namespace: inNamespace, annotations},
    spec: {template: {spec: {containers, restartPolicy: 'Never'}}},
  }
}

function inWave(manifest: Manifest, wave: number): Manifest {
  return {...manifest, metadata: {...manifest.metadata, annotations: {[`${argo}/sync-wave`]: String(wave)}}}
}

const read = (type: ResourceType, inNamespace: string, name: string): Promise<KubeObject | 'absent'> =>
  cluster.admin.get(type, {namespace: inNamespace, name}, 'whole')

/** Does what the job controller would. */
async function endJob(inNamespace: string, name: string, as: 'Complete' | 'Failed'): Promise<string> {
  let found: KubeObject | 'absent' = 'absent'
  await waitUntil(async () => {
    found = await read(job, inNamespace, name)
    return found !== 'absent'
  }, `job ${name}`)
  const now = new Date().toISOString().replace(/\.\d+Z/, 'Z')
  const condition = (type: string) => ({
    type,
    status: 'True',
    lastTransitionTime: now,
    lastProbeTime: now,
    reason: 'Test',
  })
  const status =
    as === 'Complete'
      ? {
          startTime: now,
          completionTime: now,
          succeeded: 1,
          conditions: [condition('SuccessCriteriaMet'), condition('Complete')],
        }
      : {startTime: now, failed: 1, conditions: [condition('FailureTarget'), condition('Failed')]}
  await writeStatus(job, inNamespace, name, status)
  return found === 'absent' ? '' : (found as KubeObject).metadata.uid
}

async function writeStatus(type: ResourceType, inNamespace: string, name: string, status: JsonObject): Promise<void> {
  await cluster.transport.send({
    method: 'PATCH',
    path: `/apis/${type.group}/${type.version}/namespaces/${inNamespace}/${type.plural}/${name}/status`,
    contentType: 'application/merge-patch+json',
    body: JSON.stringify({status}),
    what: `write the status of ${name}`,
  })
}

const rolledOut: JsonObject = {
  observedGeneration: 1,
  replicas: 1,
  updatedReplicas: 1,
  readyReplicas: 1,
  availableReplicas: 1,
  conditions: [
    {type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', message: ''},
    {type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable', message: ''},
  ],
}

const messages = (bridge: TestBridge) => bridge.report()?.apps[0]?.message ?? ''

test('runs PreSync hooks, then the objects, then PostSync hooks when all is healthy, each once for a bundle', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const manifests = [
    namespace('phases'),
    configMap('phases', 'c'),
    deployment('phases', 'web'),
    hook('phases', 'migrate', {[`${argo}/hook`]: 'PreSync'}),
    hook('phases', 'announce', {
      'helm.sh/hook': 'post-install,post-upgrade',
      'helm.sh/hook-delete-policy': 'hook-succeeded',
    }),
  ]
  await bridge.publish({phases: {manifests}})
  await waitUntil(() => /PreSync waits for its hooks/.test(messages(bridge)), 'the wait for the hook')
  assert.equal(await read(types.configMap, 'phases', 'c'), 'absent', 'nothing is applied before the hook is through')
  const firstRun = await endJob('phases', 'migrate', 'Complete')
  await agent.waitFor({event: 'applied', app: 'phases'})
  await waitUntil(() => /PostSync waits for Deployment/.test(messages(bridge)), 'the wait for health')
  assert.equal(await read(job, 'phases', 'announce'), 'absent')
  await writeStatus(types.deployment, 'phases', 'web', rolledOut)
  await endJob('phases', 'announce', 'Complete')
  await agent.waitFor({event: 'healthy', app: 'phases'})
  await waitUntil(async () => (await read(job, 'phases', 'announce')) === 'absent', 'HookSucceeded deletes the hook')
  assert.notEqual(await read(job, 'phases', 'migrate'), 'absent', 'kept until the next run')

  await agent.stop()
  const second = bridge.startAgent()
  await waitUntil(() => bridge.report()?.apps[0]?.ready === 'True', 'ready again')
  await waitUntil(() => second.requests.some(({path}) => path.includes('/jobs')), 'the second agent looked')
  assert.deepEqual(writesOf(second.requests), [], 'a restart runs no hook')

  await bridge.publish({phases: {manifests: [...manifests, configMap('phases', 'more')]}})
  await waitUntil(async () => {
    const found = await read(job, 'phases', 'migrate')
    return found !== 'absent' && found.metadata.uid !== firstRun
  }, 'a new run of the hook')
})

test('a failed PreSync hook stops the sync before anything is applied, and SyncFail hooks run', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const manifests = [
    namespace('halted'),
    configMap('halted', 'c'),
    hook('halted', 'check', {[`${argo}/hook`]: 'PreSync', [`${argo}/hook-delete-policy`]: 'HookFailed'}),
    hook('halted', 'rescue', {[`${argo}/hook`]: 'SyncFail'}),
  ]
  await bridge.publish({halted: {manifests}})
  await endJob('halted', 'check', 'Failed')
  await endJob('halted', 'rescue', 'Complete')
  const failed = await agent.waitFor({event: 'failed', app: 'halted'})
  assert.equal(failed.code, 'HOOK_FAILED')
  assert.match(failed.message ?? '', /PreSync hook Job.batch halted\/check/)
  assert.equal(await read(types.configMap, 'halted', 'c'), 'absent')
  assert.equal(await read(job, 'halted', 'check'), 'absent', 'HookFailed deletes it')
  const writes = writesOf(agent.requests).length
  await agent.waitFor({event: 'failed', app: 'halted', code: 'HOOK_FAILED'}, {after: agent.events.length - 1})
  await waitUntil(() => /it runs again with the next bundle/.test(messages(bridge)), 'the retry')
  assert.equal(writesOf(agent.requests).length, writes, 'a retry runs no hook again')
})

test('a wave begins when the one before is healthy, and its time is limited', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const manifests = [
    namespace('waves'),
    inWave(deployment('waves', 'database'), 1),
    inWave(configMap('waves', 'after'), 2),
    inWave(configMap('waves', 'before'), -1),
  ]
  await bridge.publish({waves: {manifests, sync: {timeoutSeconds: 2}}})
  const failed = await agent.waitFor({event: 'failed', app: 'waves'})
  assert.equal(failed.code, 'UNHEALTHY')
  assert.match(failed.message ?? '', /Sync wave 1: not healthy within 2 s: Deployment.apps waves\/database/)
  assert.equal(await read(types.configMap, 'waves', 'after'), 'absent')
  const [early, late] = await Promise.all([
    read(types.configMap, 'waves', 'before'),
    read(types.deployment, 'waves', 'database'),
  ])
  assert.ok(early !== 'absent' && late !== 'absent')
  assert.ok(BigInt(early.metadata.resourceVersion) < BigInt(late.metadata.resourceVersion))
  await writeStatus(types.deployment, 'waves', 'database', rolledOut)
  await agent.waitFor({event: 'healthy', app: 'waves'})
  assert.notEqual(await read(types.configMap, 'waves', 'after'), 'absent')
})

test('an agent that restarts while a hook runs waits for that very run', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const first = bridge.startAgent()
  const manifests = [
    namespace('resumed'),
    configMap('resumed', 'c'),
    hook('resumed', 'migrate', {[`${argo}/hook`]: 'PreSync'}),
  ]
  await bridge.publish({resumed: {manifests}})
  await waitUntil(async () => (await read(job, 'resumed', 'migrate')) !== 'absent', 'the hook')
  const begun = await read(job, 'resumed', 'migrate')
  await first.stop()
  const second = bridge.startAgent()
  await waitUntil(() => second.requests.some(({path}) => path.includes('/jobs/migrate')), 'the second agent to look')
  await endJob('resumed', 'migrate', 'Complete')
  await second.waitFor({event: 'healthy', app: 'resumed'})
  const ended = await read(job, 'resumed', 'migrate')
  assert.ok(begun !== 'absent' && ended !== 'absent')
  assert.equal(ended.metadata.uid, begun.metadata.uid)
})

test('a newer desired state ends the wait for a hook, and what was a hook and is gone is pruned', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const stuck = hook('passed', 'stuck', {[`${argo}/hook`]: 'PreSync'})
  await bridge.publish({passed: {manifests: [namespace('passed'), stuck]}})
  await waitUntil(async () => (await read(job, 'passed', 'stuck')) !== 'absent', 'the hook')
  await bridge.publish({passed: {manifests: [namespace('passed'), configMap('passed', 'c')]}})
  await agent.waitFor({event: 'healthy', app: 'passed'})
  await agent.waitFor({event: 'pruned', app: 'passed', object: 'batch/Job/passed/stuck'})
})

test('never deletes what neither it nor another hook made, to make room for a hook', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const theirs = hook('default', 'precious', {})
  await cluster.admin.create(job, theirs)
  await bridge.publish({greedy: {manifests: [hook('default', 'precious', {[`${argo}/hook`]: 'PreSync'})]}})
  const failed = await agent.waitFor({event: 'failed', app: 'greedy'})
  assert.equal(failed.code, 'OWNED_BY_OTHER')
  assert.notEqual(await read(job, 'default', 'precious'), 'absent')
})
