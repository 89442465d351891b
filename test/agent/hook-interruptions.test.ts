import assert from 'node:assert/strict'
import {after, before, type TestContext, test} from 'node:test'
import type {ResourceType} from '#agent/kube/kube-client.ts'
import {KubeError} from '#agent/kube/kube-error.ts'
import {annotationsOf, type KubeObject} from '#agent/kube/kube-object.ts'
import type {KubeRequest} from '#agent/kube/send-request.ts'
import {stateTypes} from '#agent/state-types.ts'
import {childObject, type JsonObject, type Manifest} from '#shared/model/manifest.ts'
import {followJobs} from './follow-jobs.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {
  annotated,
  configMap,
  createTestBridge,
  namespace,
  type TestBridge,
  types,
  waitUntil,
} from './start-test-agent.ts'

let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster?.stop())

const argo = 'argocd.argoproj.io'
const job: ResourceType = {group: 'batch', version: 'v1', kind: 'Job', plural: 'jobs', namespaced: true}
const pod: ResourceType = {group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true}
const workflow: ResourceType = {
  group: 'argoproj.io',
  version: 'v1alpha1',
  kind: 'Workflow',
  plural: 'workflows',
  namespaced: true,
}

const isWrite = ({method, path}: KubeRequest) => method !== 'GET' && !path.includes('/leases')
const read = (type: ResourceType, inNamespace: string, name: string): Promise<KubeObject | 'absent'> =>
  cluster.admin.get(type, {namespace: inNamespace, name}, 'whole')
const messageOf = (bridge: TestBridge) => bridge.report()?.apps[0]?.message ?? ''

const containers: JsonObject[] = [{name: 'run', image: 'run:1'}]

function hook(inNamespace: string, name: string, phase: string, policy = 'BeforeHookCreation'): Manifest {
  const spec: JsonObject = {template: {spec: {containers, restartPolicy: 'Never'}}}
  const manifest = {apiVersion: 'batch/v1', kind: 'Job', metadata: {name, namespace: inNamespace}, spec}
  return annotated(manifest, {[`${argo}/hook`]: phase, [`${argo}/hook-delete-policy`]: policy})
}

async function writeStatus(type: ResourceType, inNamespace: string, name: string, status: JsonObject): Promise<void> {
  const root = type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`
  const subresource = type === workflow ? '' : '/status'
  await cluster.transport.send({
    method: 'PATCH',
    path: `${root}/namespaces/${inNamespace}/${type.plural}/${name}${subresource}`,
    contentType: 'application/merge-patch+json',
    body: JSON.stringify({status}),
    what: `write the status of ${name}`,
  })
}

function endOfJob(outcome: 'Complete' | 'Failed'): JsonObject {
  const now = new Date().toISOString().replace(/\.\d+Z/, 'Z')
  const condition = (type: string): JsonObject => ({
    type,
    status: 'True',
    lastTransitionTime: now,
    lastProbeTime: now,
    reason: 'Test',
    message: `it is ${outcome}`,
  })
  return outcome === 'Complete'
    ? {startTime: now, completionTime: now, succeeded: 1, conditions: ['SuccessCriteriaMet', 'Complete'].map(condition)}
    : {startTime: now, failed: 1, conditions: ['FailureTarget', 'Failed'].map(condition)}
}

/** Every run of a hook, and when it ended, as the server told it. */
interface HookRuns {
  /** `name run` of each Job that was made, where `run` says for which bundle and phase, in order. */
  made: string[]
  stop(): void
}

/** Does what the job controller would: ends each Job of a namespace as soon as it is there. */
async function endJobs(inNamespace: string, outcomeOf: (name: string) => 'Complete' | 'Failed'): Promise<HookRuns> {
  const over = new AbortController()
  const made: string[] = []
  const seen = new Set<string>()
  const {resourceVersion} = await cluster.admin.list(job, {detail: 'whole', namespace: inNamespace})
  const options = {detail: 'whole', namespace: inNamespace, resourceVersion, signal: over.signal} as const
  const watched = cluster.admin.watch(
    job,
    options,
    ({type, object}) => {
      const {name, uid} = object.metadata
      if (type === 'deleted' || seen.has(uid)) return
      seen.add(uid)
      made.push(`${name} ${annotationsOf(object)['drawbridge.dev/hook-run'] ?? ''}`)
      // It may be gone by then.
      writeStatus(job, inNamespace, name, endOfJob(outcomeOf(name))).catch(() => undefined)
    },
    () => undefined,
  )
  watched.catch(() => undefined)
  return {made, stop: () => over.abort()}
}

const withHooks = (space: string, v: string): Manifest[] => [
  namespace(space),
  configMap(space, 'c', {v}),
  hook(space, 'before', 'PreSync'),
  hook(space, 'after', 'PostSync', 'BeforeHookCreation,HookSucceeded'),
  hook(space, 'rescue', 'SyncFail'),
]

/** Where the agent dies, out of the requests of one cycle: the same places every time, spread over all of them. */
const DEATHS = Array.from({length: 20}, (_, index) => index)

for (const outcome of ['Complete', 'Failed'] as const) {
  test(`killed anywhere in a sync whose last hook is ${outcome}, the next agent runs each hook once that had not ended`, async (t) => {
    let writes = Number.POSITIVE_INFINITY
    for (const killAt of DEATHS) {
      if (killAt >= writes) break
      await t.test(`killed at write ${killAt}`, async (t) => {
        writes = Math.min(writes, await killAndResume(t, outcome, killAt))
      })
    }
    assert.ok(writes > 5 && writes < DEATHS.length, `${writes} writes in a cycle`)
  })
}

/** Resolves with the number of writes where the agent came to its end before it was killed. */
async function killAndResume(t: TestContext, outcome: 'Complete' | 'Failed', killAt: number): Promise<number> {
  const space = `hooks-${outcome.toLowerCase()}-${killAt}`
  const bridge = await createTestBridge(cluster, t)
  const jobs = await endJobs(space, (name) => (name === 'after' ? outcome : 'Complete'))
  t.after(async () => jobs.stop())
  let count = 0
  let dead = false
  const gone = new KubeError('ABORTED', 'the process is gone')
  const first = bridge.startAgent({
    onRequest(request) {
      // Every other death is between the server's doing and its answer.
      if (killAt % 2 === 0 && isHooksWrite(request) && count++ >= killAt) dead = true
      if (dead) throw gone
    },
    onAnswer(request) {
      if (killAt % 2 === 1 && isHooksWrite(request) && count++ >= killAt) dead = true
      if (dead) throw gone
    },
  })
  const isEnd = ({event, app}: {event: string; app?: string}) =>
    app === space && (outcome === 'Complete' ? event === 'healthy' : event === 'failed')
  await bridge.publish({[space]: {manifests: withHooks(space, '1')}})
  await waitUntil(() => dead || first.events.some(isEnd), 'its death or the end')
  const ended = !dead
  await first.stop()
  await cluster.admin.delete(
    stateTypes.lease,
    {namespace: bridge.agentNamespace, name: 'drawbridge-agent'},
    {propagation: 'Background'},
  )
  const before = new Set(jobs.made)

  const second = bridge.startAgent()
  const settled = () => {
    const app = bridge.report()?.apps[0]
    return outcome === 'Complete' ? app?.ready === 'True' : app?.ready === 'False' && /PostSync hook/.test(app.message)
  }
  await waitUntil(
    // What the first one told is not told again.
    () => second.events.some(isEnd) || (first.events.some(isEnd) && settled()),
    () => `${JSON.stringify(second.events)} ${second.lines.join('\n')} ${messageOf(bridge)}`,
  )
  await waitUntil(settled, () => messageOf(bridge))
  const expected = ['before', 'after', ...(outcome === 'Failed' ? ['rescue'] : [])]
  await waitUntil(
    () => expected.every((name) => jobs.made.some((run) => run.startsWith(`${name} `))),
    () => jobs.made.join(', '),
  )
  // Each ran for one bundle and phase, and not again: what was begun was waited for.
  assert.deepEqual(jobs.made.map((run) => run.split(' ')[0]).toSorted(), expected.toSorted(), [...before].join(', '))
  assert.equal(new Set(jobs.made).size, jobs.made.length)
  const applied = await read(types.configMap, space, 'c')
  assert.ok(applied !== 'absent')
  assert.equal((await read(job, space, 'after')) === 'absent', outcome === 'Complete', 'HookSucceeded')
  return ended ? count : Number.POSITIVE_INFINITY
}

/** Writes of the app's own cycle: what is shown of it comes when it comes. */
function isHooksWrite(request: KubeRequest): boolean {
  return isWrite(request) && !/^\/apis\/(drawbridge\.dev|events\.k8s\.io|apiextensions\.k8s\.io)/.test(request.path)
}

test('a PostSync hook that fails fails its app and runs the SyncFail hooks, until the next bundle', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'post-failed'
  let outcome: 'Complete' | 'Failed' = 'Failed'
  const jobs = await endJobs(space, (name) => (name === 'after' ? outcome : 'Complete'))
  t.after(async () => jobs.stop())
  const agent = bridge.startAgent()
  await bridge.publish({[space]: {manifests: withHooks(space, '1')}})
  const failed = await agent.waitFor({event: 'failed', app: space})
  assert.equal(failed.code, 'HOOK_FAILED')
  assert.match(failed.message ?? '', /PostSync hook Job.batch post-failed\/after: .*it is Failed/)
  await waitUntil(() => /it runs again with the next bundle/.test(messageOf(bridge)), 'the retry')
  const names = () => jobs.made.map((run) => run.split(' ')[0])
  assert.deepEqual(names(), ['before', 'after', 'rescue'], 'no hook runs again with a retry')
  const report = bridge.report()?.apps[0]
  assert.deepEqual([report?.ready, report?.reason], ['False', 'HealthCheckFailed'])
  assert.equal(
    agent.events.some(({event}) => event === 'healthy'),
    false,
  )
  outcome = 'Complete'
  await bridge.publish({[space]: {manifests: withHooks(space, '2')}})
  await agent.waitFor({event: 'healthy', app: space})
  assert.deepEqual(names().slice(3), ['before', 'after'])
})

test('a hook that failed and that its delete policy keeps is not taken for a new run of it', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'kept-failed'
  let outcome: 'Complete' | 'Failed' = 'Failed'
  const jobs = await endJobs(space, () => outcome)
  t.after(async () => jobs.stop())
  const agent = bridge.startAgent()
  const app = (v: string) => ({
    [space]: {
      manifests: [namespace(space), configMap(space, 'c', {v}), hook(space, 'check', 'PreSync', 'HookSucceeded')],
    },
  })
  await bridge.publish(app('1'))
  await agent.waitFor({event: 'failed', app: space})
  outcome = 'Complete'
  const seen = agent.events.length
  await bridge.publish(app('2'))
  await waitUntil(
    () => /add BeforeHookCreation to its delete policy/.test(messageOf(bridge)),
    () => messageOf(bridge),
  )
  assert.equal(jobs.made.length, 1)
  await cluster.admin.delete(job, {namespace: space, name: 'check'}, {propagation: 'Background'})
  await agent.waitFor({event: 'healthy', app: space}, {after: seen})
  assert.equal(jobs.made.length, 2)
})

const definition: Manifest = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {name: 'workflows.argoproj.io'},
  spec: {
    group: 'argoproj.io',
    names: {kind: 'Workflow', plural: 'workflows', singular: 'workflow', listKind: 'WorkflowList'},
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        schema: {openAPIV3Schema: {type: 'object', 'x-kubernetes-preserve-unknown-fields': true}},
      },
    ],
  },
}
const kinds = [
  [pod, {apiVersion: 'v1', kind: 'Pod', spec: {containers, restartPolicy: 'Never'}}, 'Running'],
  [workflow, {apiVersion: 'argoproj.io/v1alpha1', kind: 'Workflow', spec: {}}, 'Running'],
] as const

for (const [type, body, running] of kinds) {
  test(`a hook may be a ${type.kind}: it is waited for until its phase says how it ended`, async (t) => {
    const bridge = await createTestBridge(cluster, t)
    const agent = bridge.startAgent()
    const space = `hook-${type.plural}`
    // Without a controller nobody makes the account that every Pod has.
    const account: Manifest = {apiVersion: 'v1', kind: 'ServiceAccount', metadata: {name: 'default', namespace: space}}
    const before = {before: {manifests: [definition, namespace(space), account]}}
    const app = (v: string) => ({
      [space]: {
        manifests: [
          configMap(space, 'c', {v}),
          annotated({...body, metadata: {name: 'run', namespace: space}}, {[`${argo}/hook`]: 'PreSync'}),
        ],
      },
      ...before,
    })
    await bridge.publish(before)
    await agent.waitFor({event: 'healthy', app: 'before'})
    const message = () => bridge.report()?.apps.find(({name}) => name === space)?.message ?? ''
    const uidOf = async () => {
      const found = await read(type, space, 'run')
      return found === 'absent' ? undefined : found.metadata.uid
    }

    await bridge.publish(app('1'))
    await waitUntil(async () => (await uidOf()) !== undefined, 'the hook')
    await writeStatus(type, space, 'run', {phase: running})
    await waitUntil(() => /PreSync waits for its hooks/.test(message()), 'the wait')
    assert.equal(await read(types.configMap, space, 'c'), 'absent')
    await writeStatus(type, space, 'run', {phase: 'Succeeded'})
    await agent.waitFor({event: 'healthy', app: space})

    const first = await uidOf()
    await bridge.publish(app('2'))
    await waitUntil(async () => ![undefined, first].includes(await uidOf()), 'a new run')
    await writeStatus(type, space, 'run', {phase: 'Failed', message: 'out of luck'})
    const failed = await agent.waitFor({event: 'failed', app: space})
    assert.equal(failed.code, 'HOOK_FAILED')
    assert.match(failed.message ?? '', /PreSync hook .*\/run: .*out of luck/)
  })
}

test('asks for the whole of a new app first where preflight is always', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const space = 'asked'
  const broken = {...configMap(space, 'broken'), data: {'not a key': 'v'}}
  const sync = {preflight: 'always'} as const
  await bridge.publish({[space]: {manifests: [namespace(space)], sync}})
  await agent.waitFor({event: 'healthy', app: space})
  await bridge.publish({[space]: {manifests: [namespace(space), configMap(space, 'fine'), broken], sync}})
  const failed = await agent.waitFor({event: 'failed', app: space})
  assert.equal(failed.code, 'PREFLIGHT_FAILED')
  assert.match(failed.message ?? '', /dry-run ConfigMap asked\/broken: Invalid/)
  assert.equal(await read(types.configMap, space, 'fine'), 'absent', 'nothing of the stage is written')
})

test('keeps what asks for Delete=confirm when its app is removed, until it is confirmed', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const precious = annotated(configMap('default', 'precious'), {[`${argo}/sync-options`]: 'Delete=confirm'})
  await bridge.publish({careful: {manifests: [precious, configMap('default', 'cheap')]}})
  await agent.waitFor({event: 'healthy', app: 'careful'})
  await bridge.publish({}, {removed: {careful: 'Delete'}})
  const kept = await agent.waitFor({event: 'failed', app: 'careful', code: 'CONFIRM'})
  assert.match(kept.message ?? '', /annotate it drawbridge.dev\/prune=confirmed/)
  assert.equal(await read(types.configMap, 'default', 'cheap'), 'absent')
  assert.notEqual(await read(types.configMap, 'default', 'precious'), 'absent')
  await cluster.transport.send({
    method: 'PATCH',
    path: '/api/v1/namespaces/default/configmaps/precious',
    contentType: 'application/merge-patch+json',
    body: JSON.stringify({metadata: {annotations: {'drawbridge.dev/prune': 'confirmed'}}}),
    what: 'confirm',
  })
  await agent.waitFor({event: 'removed', app: 'careful'})
  assert.equal(await read(types.configMap, 'default', 'precious'), 'absent')
})

test('a hook with a TTL of 0 that ends while no agent runs is not run again, and goes once its end is noted', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'ended-unseen'
  const jobs = await followJobs(cluster, space, () => 'none')
  t.after(async () => jobs.stop())
  const before = hook(space, 'migrate', 'PreSync')
  const hurried = {...before, spec: {...childObject(before, 'spec'), ttlSecondsAfterFinished: 0}}
  const ttl = async () => {
    const live = await read(job, space, 'migrate')
    return live === 'absent' ? undefined : childObject(live, 'spec')?.ttlSecondsAfterFinished
  }
  const first = bridge.startAgent()
  await bridge.publish({[space]: {manifests: [namespace(space), configMap(space, 'c'), hurried]}})
  await waitUntil(() => jobs.made.length === 1, 'the hook')
  await first.stop()
  await jobs.end('migrate', 'Complete')
  // Its controller would take it away now, were it as it is declared.
  assert.notEqual(await ttl(), 0)
  const second = bridge.startAgent()
  await second.waitFor({event: 'healthy', app: space})
  assert.equal(await ttl(), 0)
  assert.deepEqual(jobs.made, ['migrate'])
})

test('a hook that is gone when its TTL is to be given back to it is not made again', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'gone-before-ttl'
  const jobs = await followJobs(cluster, space, () => 'Complete')
  t.after(async () => jobs.stop())
  const before = hook(space, 'migrate', 'PreSync')
  const hurried = {...before, spec: {...childObject(before, 'spec'), ttlSecondsAfterFinished: 0}}
  let applies = 0
  const agent = bridge.startAgent({
    async onRequest({method, path}) {
      if (method !== 'PATCH' || !path.includes('/jobs/migrate') || ++applies !== 2) return
      await cluster.admin.delete(job, {namespace: space, name: 'migrate'}, {propagation: 'Background'})
    },
  })
  await bridge.publish({[space]: {manifests: [namespace(space), configMap(space, 'c'), hurried]}})
  await agent.waitFor({event: 'healthy', app: space})
  assert.equal(applies, 2)
  assert.equal(await read(job, space, 'migrate'), 'absent')
})
