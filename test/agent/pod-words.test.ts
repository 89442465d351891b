import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import type {JsonObject, Manifest} from '#shared/model/manifest.ts'
import {startTestCluster, type TestCluster} from './open-test-cluster.ts'
import {configMap, createTestBridge, deployment, namespace, waitUntil} from './start-test-agent.ts'

let cluster: TestCluster
before(async () => {
  cluster = await startTestCluster({controllerManager: true})
})
after(() => cluster.stop())

const podType = {group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true}

/** Does as the kubelet or the scheduler does: writes the status of all pods of a namespace. */
async function setPodStatus(space: string, status: JsonObject): Promise<void> {
  const pods = async () => (await cluster.admin.list(podType, {detail: 'metadata', namespace: space})).items
  await waitUntil(async () => (await pods()).length > 0, 'a pod')
  for (const {metadata} of await pods()) {
    await cluster.transport.send({
      method: 'PATCH',
      path: `/api/v1/namespaces/${space}/pods/${metadata.name}/status`,
      contentType: 'application/merge-patch+json',
      body: JSON.stringify({status}),
      what: 'set a status',
    })
  }
}

const ofContainer = (state: JsonObject): JsonObject => ({
  phase: 'Pending',
  containerStatuses: [{name: 'app', image: 'app:1', imageID: '', ready: false, restartCount: 1, ...state}],
})

for (const [space, status, words] of [
  [
    'image-pull',
    ofContainer({state: {waiting: {reason: 'ImagePullBackOff', message: 'Back-off pulling image "app:1"'}}}),
    /container app: ImagePullBackOff: Back-off pulling image "app:1"/,
  ],
  [
    'crash-loop',
    ofContainer({
      state: {waiting: {reason: 'CrashLoopBackOff'}},
      lastState: {terminated: {reason: 'Error', exitCode: 3, message: 'Error: no DATABASE_URL\n  at main'}},
    }),
    /container app: CrashLoopBackOff: last state: Error, exit code 3: Error: no DATABASE_URL/,
  ],
  [
    'unschedulable',
    {conditions: [{type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/9 nodes fit'}]},
    /Unschedulable: 0\/9 nodes fit/,
  ],
] as const) {
  test(`a wait that ends by ${space} says so in the pods' words`, async (t) => {
    const bridge = await createTestBridge(cluster, t)
    const agent = bridge.startAgent()
    const manifests = [namespace(space), deployment(space, 'web')]
    await bridge.publish({[space]: {manifests, sync: {timeoutSeconds: 3}}})
    await agent.waitFor({event: 'applied', app: space})
    await setPodStatus(space, structuredClone(status) as unknown as JsonObject)
    const failed = await agent.waitFor({event: 'failed', app: space, code: 'HealthCheckFailed'})
    assert.match(failed.message ?? '', words)
    await waitUntil(() => words.test(bridge.report()?.apps[0]?.unhealthy[0]?.reason ?? ''), 'the reason in the report')
  })
}

test('a wait that ends for want of quota says so, though there is no pod', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const space = 'no-quota'
  const quota = {apiVersion: 'v1', kind: 'ResourceQuota', metadata: {name: 'none', namespace: space}}
  const labels = {app: 'web'}
  const statefulSet: Manifest = {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: {name: 'web', namespace: space},
    spec: {
      serviceName: 'web',
      selector: {matchLabels: labels},
      template: {metadata: {labels}, spec: {containers: [{name: 'app', image: 'app:1'}]}},
    },
  }
  const first = [namespace(space), {...quota, spec: {hard: {pods: '0'}}}, configMap(space, 'x')]
  await bridge.publish({quota: {manifests: first}})
  await agent.waitFor({event: 'healthy', app: 'quota'})
  await bridge.publish({quota: {manifests: first}, poor: {manifests: [statefulSet], sync: {timeoutSeconds: 3}}})
  const failed = await agent.waitFor({event: 'failed', app: 'poor', code: 'HealthCheckFailed'})
  assert.match(failed.message ?? '', /FailedCreate: .*exceeded quota/)
})

const definition = (group: string): Manifest => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {name: `widgets.${group}`},
  spec: {
    group,
    names: {kind: 'Widget', plural: 'widgets', singular: 'widget', listKind: 'WidgetList'},
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {openAPIV3Schema: {type: 'object', 'x-kubernetes-preserve-unknown-fields': true}},
      },
    ],
  },
})

/** Without the status subresource, so that its author says its status in the manifest. */
const widget = (group: string, space: string, status: JsonObject): Manifest => ({
  apiVersion: `${group}/v1`,
  kind: 'Widget',
  metadata: {name: 'x', namespace: space},
  status,
})

test('a kind of which the app tells the health by CEL is waited for by that, and judged anew where it changes', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const [group, space] = ['cel.example', 'by-cel']
  const publish = (current: string) =>
    bridge.publish({
      [space]: {
        manifests: [namespace(space), definition(group), widget(group, space, {phase: 'Done', answer: 42})],
        sync: {timeoutSeconds: 60, healthCheckExprs: [{apiVersion: `${group}/v1`, kind: 'Widget', current}]},
      },
    })
  await publish('status.answer == 43')
  await agent.waitFor({event: 'applied', app: space})
  await waitUntil(() => bridge.report()?.apps[0]?.unhealthy[0]?.health === 'InProgress', 'it is waited for')
  await publish('status.answer == 42')
  await agent.waitFor({event: 'healthy', app: space})
  await publish('status.answer == 44')
  await waitUntil(() => bridge.report()?.apps[0]?.unhealthy[0]?.health === 'InProgress', 'judged anew')
})

test('a custom resource that is Failed for a moment does not end the wait', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const [group, space] = ['grace.example', 'moment']
  const exprs = [{apiVersion: `${group}/v1`, kind: 'Widget', failed: 'status.failed', current: '!status.failed'}]
  const sync = {timeoutSeconds: 60, healthCheckExprs: exprs}
  const manifests = [namespace(space), definition(group), widget(group, space, {failed: true})]
  await bridge.publish({[space]: {manifests, sync: {...sync, drift: 'detect'}}})
  await agent.waitFor({event: 'applied', app: space})
  await waitUntil(() => bridge.report()?.apps[0]?.health === 'Failed', 'it is Failed')
  assert.equal(bridge.report()?.apps[0]?.ready, 'Unknown')
  const type = {group, version: 'v1', kind: 'Widget', plural: 'widgets', namespaced: true}
  const body = JSON.stringify(widget(group, space, {failed: false}))
  await cluster.admin.apply(type, {namespace: space, name: 'x'}, body, {
    fieldManager: 'its-controller',
    force: true,
    detail: 'metadata',
  })
  await agent.waitFor({event: 'healthy', app: space})
  assert.equal(
    agent.events.some(({event}) => event === 'failed'),
    false,
  )
})
