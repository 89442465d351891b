import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import {KubeError} from '#agent/kube/kube-error.ts'
import type {KubeRequest} from '#agent/kube/send-request.ts'
import {stateTypes} from '#agent/state-types.ts'
import type {Manifest} from '#shared/model/manifest.ts'
import {followJobs} from './follow-jobs.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {
  annotateApp,
  annotated,
  configMap,
  createTestBridge,
  namespace,
  type TestAgent,
  waitUntil,
} from './start-test-agent.ts'

let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster?.stop())

const HOOK = 'argocd.argoproj.io/hook'
const POLICY = 'argocd.argoproj.io/hook-delete-policy'
const WAVE = 'argocd.argoproj.io/sync-wave'

function account(space: string, policy: string): Manifest {
  const manifest = {apiVersion: 'v1', kind: 'ServiceAccount', metadata: {name: 'runner', namespace: space}}
  return annotated(manifest, {[HOOK]: 'PreSync', [WAVE]: '-1', [POLICY]: policy})
}

function job(space: string, name: string, policy = 'BeforeHookCreation'): Manifest {
  const containers = [{name: 'run', image: 'run:1'}]
  const spec = {template: {spec: {containers, restartPolicy: 'Never', serviceAccountName: 'runner'}}}
  const manifest = {apiVersion: 'batch/v1', kind: 'Job', metadata: {name, namespace: space}, spec}
  return annotated(manifest, {[HOOK]: 'PreSync', [POLICY]: policy})
}

const isOfAccount = ({path}: KubeRequest) => path.includes('/serviceaccounts/runner')
const isDeletion = (request: KubeRequest) => request.method === 'DELETE' && isOfAccount(request)

/** Asserts that an agent deletes the account of hooks once, and not before `since`, the number of its requests until then. */
async function deletesAccountOnce({requests}: TestAgent, since: number): Promise<void> {
  await waitUntil(() => requests.slice(since).some(isDeletion), 'the deletion of the account')
  assert.equal(requests.filter(isDeletion).length, 1, 'it stayed while its hook ran')
}

test('the account of a hook stays while its app is suspended in the middle of that hook, which is waited for afterwards', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'clear-suspended'
  const jobs = await followJobs(cluster, space, () => 'none')
  t.after(async () => jobs.stop())
  const agent = bridge.startAgent()
  const manifests = [namespace(space), account(space, 'HookSucceeded'), job(space, 'migrate'), configMap(space, 'c')]
  await bridge.publish({[space]: {manifests}})
  await waitUntil(() => /waits for its hooks/.test(bridge.report()?.apps[0]?.message ?? ''), 'the hook')
  const suspend = (value: string) => annotateApp(cluster.admin, bridge, space, {'drawbridge.dev/suspend': value})
  await suspend('true')
  await agent.waitFor({event: 'suspended', app: space})
  const seen = agent.requests.length
  await suspend('false')
  await agent.waitFor({event: 'resumed', app: space})
  await waitUntil(() => agent.requests.slice(seen).some(isOfAccount), 'the next sync')
  const since = agent.requests.length
  await jobs.end('migrate', 'Complete')
  await agent.waitFor({event: 'healthy', app: space})
  await deletesAccountOnce(agent, since)
  assert.deepEqual(jobs.made, ['migrate'])
})

test('the account of a hook stays while something newer waits for another app', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'clear-overtaken'
  const jobs = await followJobs(cluster, space, () => 'none')
  t.after(async () => jobs.stop())
  const agent = bridge.startAgent()
  const app = (v: string) => [
    namespace(space),
    account(space, 'HookSucceeded'),
    job(space, 'migrate'),
    configMap(space, 'c', {v}),
  ]
  await bridge.publish({[space]: {manifests: app('1')}})
  await waitUntil(() => /waits for its hooks/.test(bridge.report()?.apps[0]?.message ?? ''), 'the hook')
  await bridge.publish({[space]: {manifests: app('2'), dependsOn: [{name: 'clear-absent'}]}})
  await waitUntil(() => /clear-absent/.test(bridge.report()?.apps[0]?.message ?? ''), 'the wait for the other app')
  assert.equal(agent.requests.filter(isDeletion).length, 0)
})

test('a hook that its app may not delete is told, stops nothing, and is deleted once that is allowed', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'clear-forbidden'
  let isAllowed = false
  const agent = bridge.startAgent({
    onRequest(request) {
      if (isDeletion(request) && !isAllowed) throw new KubeError('FORBIDDEN', 'may not delete it')
    },
  })
  await bridge.publish({
    [space]: {manifests: [namespace(space), account(space, 'HookSucceeded'), configMap(space, 'c')]},
  })
  await agent.waitFor({event: 'healthy', app: space})
  const seen = () => bridge.report()?.apps[0]
  await waitUntil(
    () => /ServiceAccount clear-forbidden\/runner: .*may not delete it/.test(seen()?.message ?? ''),
    'the notice',
  )
  assert.equal(seen()?.ready, 'True')
  assert.equal(agent.events.filter(({event}) => event === 'failed').length, 0)
  isAllowed = true
  await waitUntil(() => seen()?.ready === 'True' && !/runner/.test(seen()?.message ?? ''), 'its deletion')
  assert.equal(agent.lines.filter((line) => /may not delete it/.test(line)).length, 1, 'it is logged once')
})

test('what an agent left when it died between the end of a failed hook and its deletion is deleted by the next one', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'clear-died'
  const jobs = await followJobs(cluster, space, () => 'Failed')
  t.after(async () => jobs.stop())
  let dead = false
  const first = bridge.startAgent({
    onRequest({method, path}) {
      dead ||= method === 'DELETE' && path.includes(`/namespaces/${space}/`)
      if (dead) throw new KubeError('ABORTED', 'the process is gone')
    },
  })
  const hooks = [account(space, 'HookSucceeded'), job(space, 'migrate', 'HookFailed')]
  await bridge.publish({[space]: {manifests: [namespace(space), configMap(space, 'c'), ...hooks]}})
  await waitUntil(() => dead, 'its death')
  await first.stop()
  await cluster.admin.delete(
    stateTypes.lease,
    {namespace: bridge.agentNamespace, name: 'drawbridge-agent'},
    {propagation: 'Background'},
  )
  const second = bridge.startAgent()
  const deleted = (name: string) => second.requests.some(({method, path}) => method === 'DELETE' && path.includes(name))
  await waitUntil(() => deleted('/serviceaccounts/runner'), 'HookSucceeded')
  await waitUntil(() => deleted('/jobs/migrate'), 'HookFailed')
  assert.deepEqual(jobs.made, ['migrate'])
})
