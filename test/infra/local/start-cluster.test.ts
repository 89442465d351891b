import assert from 'node:assert/strict'
import {mkdtemp, rm, stat} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {after, before, test} from 'node:test'

import {type ControlPlaneTools, findControlPlane} from '#infra/local/find-control-plane.ts'
import {type LocalCluster, type StartClusterOptions, startCluster} from '#infra/local/start-cluster.ts'
import {waitUntil} from '#infra/local/wait-until.ts'
import {kubeRequest} from '#test/infra/local/kube-request.ts'

let tools: ControlPlaneTools
let dir: string
let cluster: LocalCluster

const start = (name: string, more: Partial<StartClusterOptions> = {}) =>
  startCluster({tools, stateDir: join(dir, name), name, ...more})

before(async () => {
  tools = await findControlPlane({env: process.env, onProgress: (line) => process.stderr.write(`${line}\n`)})
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-cluster-'))
  cluster = await start('full', {components: {controllerManager: true, scheduler: true, kwok: true}})
})

after(async () => {
  await cluster?.stop()
  if (dir) await rm(dir, {recursive: true})
})

const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {name: 'web'},
  spec: {
    replicas: 2,
    selector: {matchLabels: {app: 'web'}},
    template: {metadata: {labels: {app: 'web'}}, spec: {containers: [{name: 'web', image: 'example/web'}]}},
  },
}

test('stops the API server at once though it is watched, and its watchers carry on when it is back', async () => {
  const started = performance.now()
  await cluster.stopApiServer()
  assert.ok(performance.now() - started < 5_000, 'stopped within 5 s')
  await assert.rejects(kubeRequest(cluster.kubeconfigFile, 'GET', '/readyz'), {code: 'ECONNREFUSED'})
  await cluster.startApiServer()
  await runDeployment()
})

test('runs the pods of a deployment, and ends them when it is deleted', runDeployment)

// Controllers that lost the API server wait longer and longer before they ask again.
async function runDeployment(): Promise<void> {
  const deployments = '/apis/apps/v1/namespaces/default/deployments'
  assert.equal((await kubeRequest(cluster.kubeconfigFile, 'POST', deployments, deployment)).status, 201)
  const ready = async () => {
    const {body} = await kubeRequest(cluster.kubeconfigFile, 'GET', `${deployments}/web`)
    return (body as {status?: {readyReplicas?: number}}).status?.readyReplicas === 2 || undefined
  }
  assert.ok(await waitUntil(ready, {timeoutMilliseconds: 45_000}), 'two pods became ready')

  await kubeRequest(cluster.kubeconfigFile, 'DELETE', `${deployments}/web`)
  const gone = async () => {
    const {body} = await kubeRequest(cluster.kubeconfigFile, 'GET', '/api/v1/namespaces/default/pods')
    return (body as {items: unknown[]}).items.length === 0 || undefined
  }
  assert.ok(await waitUntil(gone, {timeoutMilliseconds: 45_000}), 'no pod was left')
}

test('allows an issued user only what RBAC gives it', async () => {
  const file = await cluster.issueKubeconfig({name: 'jane', groups: ['team']}, join(dir, 'jane.kubeconfig'))
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  assert.equal((await kubeRequest(file, 'GET', '/api/v1/namespaces/default/secrets')).status, 403)

  const rbac = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings'
  const binding = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: {name: 'team-views'},
    roleRef: {apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view'},
    subjects: [{apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'team'}],
  }
  assert.equal((await kubeRequest(cluster.kubeconfigFile, 'POST', rbac, binding)).status, 201)
  const allowed = async () =>
    (await kubeRequest(file, 'GET', '/api/v1/namespaces/default/pods')).status === 200 || undefined
  assert.ok(await waitUntil(allowed, {timeoutMilliseconds: 5_000}), 'the binding took effect')
  assert.equal((await kubeRequest(file, 'GET', '/api/v1/namespaces/default/secrets')).status, 403)
})

test('refuses who has no certificate, and is refused by who does not know its authority', async () => {
  const anonymous = await kubeRequest(cluster.kubeconfigFile, 'GET', '/api/v1/namespaces', undefined, {anonymous: true})
  assert.equal(anonymous.status, 403)
  await assert.rejects(fetch(`${cluster.server}/readyz`), (error: Error) => /certificate/i.test(String(error.cause)))
})

test('keeps objects over a restart of the API server and of the whole cluster, at the same address', async () => {
  const second = await start('second')
  const server = second.server
  try {
    const map = {apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'kept'}, data: {a: '1'}}
    const maps = '/api/v1/namespaces/default/configmaps'
    assert.equal((await kubeRequest(second.kubeconfigFile, 'POST', maps, map)).status, 201)

    await second.stopApiServer()
    await assert.rejects(kubeRequest(second.kubeconfigFile, 'GET', `${maps}/kept`), {code: 'ECONNREFUSED'})
    await second.startApiServer()
    assert.equal((await kubeRequest(second.kubeconfigFile, 'GET', `${maps}/kept`)).status, 200)

    await second.stop()
    const again = await start('second')
    try {
      assert.equal(again.server, server)
      assert.equal((await kubeRequest(again.kubeconfigFile, 'GET', `${maps}/kept`)).status, 200)
    } finally {
      await again.stop()
    }
  } finally {
    await second.stop()
  }
})

test('says so when another cluster runs in the same directory', async () => {
  await assert.rejects(start('full'), {code: 'IN_USE', message: /process \d+ runs the cluster/})
})

test('ends with the log of a component that dies early, and leaves no process', async () => {
  const failing = start('failing', {extraApiServerArgs: ['--no-such-flag']})
  await assert.rejects(failing, {code: 'PROCESS_DIED', message: /kube-apiserver of cluster failing[\s\S]*no-such-flag/})
  // The lock is free and etcd's data not held, or this would fail.
  const again = await start('failing')
  await again.stop()
})

test('refuses a name that cannot be one', async () => {
  await assert.rejects(start('Bad Name'), {code: 'BAD_INPUT'})
})
