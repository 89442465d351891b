import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import type {ResourceType} from '#agent/kube/kube-client.ts'
import type {Manifest} from '#shared/model/manifest.ts'
import {followJobs} from './follow-jobs.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {
  annotateApp,
  annotated,
  configMap,
  createTestBridge,
  namespace,
  type TestBridge,
  waitUntil,
} from './start-test-agent.ts'

let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster?.stop())

const hook = (space: string, name: string, phase: string): Manifest => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: {name, namespace: space, annotations: {'argocd.argoproj.io/hook': phase}},
  spec: {template: {spec: {containers: [{name: 'run', image: 'run:1'}], restartPolicy: 'Never'}}},
})

const seen = (bridge: TestBridge) => bridge.report()?.apps[0]

for (const phase of ['PreSync', 'Sync', 'PostSync']) {
  test(`a failed ${phase} hook keeps its cause, over a restart too, is not tried again by itself, and runs again when asked for`, async (t) => {
    const bridge = await createTestBridge(cluster, t)
    const space = `failed-${phase.toLowerCase()}`
    let outcome: 'Failed' | 'Complete' = 'Failed'
    const jobs = await followJobs(cluster, space, () => outcome)
    t.after(async () => jobs.stop())
    const first = bridge.startAgent()
    const manifests = [namespace(space), configMap(space, 'c'), hook(space, 'migrate', phase)]
    const sync = {retry: {limit: 5, backoff: {duration: '20ms'}}}
    await bridge.publish({[space]: {manifests, sync}})
    await first.waitFor({event: 'failed', app: space, code: 'HOOK_FAILED'})
    const told =
      /hook Job\.batch .*migrate: .*Test.*; it runs again with the next bundle, or when a reconcile is asked for/
    await waitUntil(() => told.test(seen(bridge)?.message ?? ''), 'the cause and what to do')
    assert.equal(seen(bridge)?.ready, 'False')

    await first.stop()
    const second = bridge.startAgent()
    await second.waitFor({event: 'pulled', app: space})
    await waitUntil(() => told.test(seen(bridge)?.message ?? ''), 'the cause after a restart')
    assert.equal(second.events.filter(({event}) => event === 'failed').length, 0, 'it is told once')
    assert.deepEqual(jobs.made, ['migrate'])

    outcome = 'Complete'
    await annotateApp(cluster.admin, bridge, space, {'reconcile.drawbridge.dev/requestedAt': 'now'})
    await second.waitFor({event: 'healthy', app: space})
    assert.deepEqual(jobs.made, ['migrate', 'migrate'])
  })
}

test('hooks are deleted with their phase, so that one may be the account of another; a hook that runs again has its account back', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'failed-with-account'
  const account: ResourceType = {
    group: '',
    version: 'v1',
    kind: 'ServiceAccount',
    plural: 'serviceaccounts',
    namespaced: true,
  }
  const hasAccount = async () =>
    (await cluster.admin.get(account, {namespace: space, name: 'runner'}, 'metadata')) !== 'absent'
  const jobs = await followJobs(cluster, space, () => 'none')
  t.after(async () => jobs.stop())
  const agent = bridge.startAgent()
  const policy = {'argocd.argoproj.io/hook-delete-policy': 'BeforeHookCreation,HookSucceeded'}
  const inWave = (manifest: Manifest, wave: string): Manifest =>
    annotated(manifest, {
      'argocd.argoproj.io/hook': 'PreSync',
      'argocd.argoproj.io/sync-wave': wave,
      ...policy,
    })
  const runner = {apiVersion: 'v1', kind: 'ServiceAccount', metadata: {name: 'runner', namespace: space}}
  const manifests = [
    namespace(space),
    configMap(space, 'c'),
    inWave(runner, '-5'),
    inWave(hook(space, 'prepare', 'PreSync'), '-1'),
    inWave(hook(space, 'migrate', 'PreSync'), '1'),
  ]
  await bridge.publish({[space]: {manifests}})
  await waitUntil(() => jobs.made.length === 1, 'the first Job')
  await jobs.end('prepare', 'Complete')
  await waitUntil(() => jobs.made.length === 2, 'the second one')
  assert.ok(await hasAccount())
  await jobs.end('migrate', 'Failed')
  await agent.waitFor({event: 'failed', app: space, code: 'HOOK_FAILED'})
  assert.ok(!(await hasAccount()), 'its phase is over')

  await annotateApp(cluster.admin, bridge, space, {'reconcile.drawbridge.dev/requestedAt': 'now'})
  await waitUntil(() => jobs.made.length === 3, 'another run')
  assert.ok(await hasAccount())
  await jobs.end('migrate', 'Complete')
  await agent.waitFor({event: 'healthy', app: space})
  assert.deepEqual(jobs.made, ['prepare', 'migrate', 'migrate'], 'what was through does not run again')
  assert.ok(!(await hasAccount()))
})
