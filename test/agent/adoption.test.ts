import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import type {ResourceType} from '#agent/kube/kube-client.ts'
import type {KubeObject} from '#agent/kube/kube-object.ts'
import {childObject, isJsonObject, type JsonObject, type Manifest} from '#shared/model/manifest.ts'
import {createOtherClients, type OtherClients} from './act-as.ts'
import {startTestCluster, type TestCluster} from './open-test-cluster.ts'
import {
  applyAs,
  configMap,
  createTestBridge,
  deployment,
  type TestAgent,
  type TestBridge,
  types,
  waitUntil,
} from './start-test-agent.ts'

let cluster: TestCluster
let others: OtherClients
before(async () => {
  // Its controllers make a ReplicaSet for each pod template.
  cluster = await startTestCluster({controllerManager: true})
  others = await createOtherClients(cluster)
})
after(async () => {
  others.close()
  await cluster.stop()
})

const replicaSets: ResourceType = {
  group: 'apps',
  version: 'v1',
  kind: 'ReplicaSet',
  plural: 'replicasets',
  namespaced: true,
}
const scalers = (version: string): ResourceType => ({
  group: 'autoscaling',
  version,
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  namespaced: true,
})

async function read(type: ResourceType, space: string, name: string): Promise<KubeObject> {
  const found = await cluster.admin.get(type, {namespace: space, name}, 'whole')
  assert.ok(found !== 'absent', `${type.kind} ${space}/${name} is there`)
  return found
}

interface Marks {
  labels?: Record<string, string>
  annotations?: Record<string, string>
}

function marked(manifest: Manifest, {labels = {}, annotations = {}}: Marks): Manifest {
  const {metadata} = manifest
  return {...manifest, metadata: {...metadata, labels: {...childObject(metadata, 'labels'), ...labels}, annotations}}
}

const withSpec = (manifest: Manifest, spec: JsonObject): Manifest => ({
  ...manifest,
  spec: {...childObject(manifest, 'spec'), ...spec},
})

function managersOf({metadata: {managedFields}}: KubeObject): string[] {
  const entries = Array.isArray(managedFields) ? managedFields.filter(isJsonObject) : []
  return entries.map(({manager}) => String(manager))
}

const lastApplied = {'kubectl.kubernetes.io/last-applied-configuration': '{}'}

/** How tools write, and what they write on objects beside what is declared. */
const tools: {tool: string; manager: string; by: 'apply' | 'update'; marks: Marks}[] = [
  {tool: 'kubectl apply', manager: 'kubectl-client-side-apply', by: 'update', marks: {annotations: lastApplied}},
  {tool: 'an old kubectl apply', manager: 'kubectl', by: 'update', marks: {annotations: lastApplied}},
  {tool: 'kubectl apply --server-side', manager: 'kubectl', by: 'apply', marks: {}},
  {
    tool: "Flux's kustomize-controller",
    manager: 'kustomize-controller',
    by: 'apply',
    marks: {
      labels: {'kustomize.toolkit.fluxcd.io/name': 'apps', 'kustomize.toolkit.fluxcd.io/namespace': 'flux-system'},
    },
  },
  {
    tool: "Flux's helm-controller",
    manager: 'helm-controller',
    by: 'update',
    marks: {labels: {'helm.toolkit.fluxcd.io/name': 'web'}, annotations: {'meta.helm.sh/release-name': 'web'}},
  },
  {
    tool: 'Argo CD',
    manager: 'argocd-controller',
    by: 'update',
    marks: {labels: {'app.kubernetes.io/instance': 'web'}, annotations: lastApplied},
  },
  {
    tool: 'Argo CD with ServerSideApply',
    manager: 'argocd-controller',
    by: 'apply',
    marks: {annotations: {'argocd.argoproj.io/tracking-id': 'web:/ConfigMap:x/settings'}},
  },
  {
    tool: 'helm',
    manager: 'helm',
    by: 'update',
    marks: {
      labels: {'app.kubernetes.io/managed-by': 'Helm'},
      annotations: {'meta.helm.sh/release-name': 'web', 'meta.helm.sh/release-namespace': 'web'},
    },
  },
  {
    tool: 'helm by server-side apply',
    manager: 'helm',
    by: 'apply',
    marks: {labels: {'app.kubernetes.io/managed-by': 'Helm'}},
  },
]

async function writeAs(
  {manager, by}: {manager: string; by: 'apply' | 'update'},
  type: ResourceType,
  manifest: Manifest,
): Promise<void> {
  if (by === 'apply') await applyAs(cluster.admin, manager, type, manifest)
  else await others.create(manager, type, manifest)
}

async function publishAndApply(
  bridge: TestBridge,
  agent: TestAgent,
  app: string,
  manifests: Manifest[],
  sync: Parameters<TestBridge['publish']>[0][string]['sync'] = {},
): Promise<void> {
  const seen = agent.events.length
  await bridge.publish({[app]: {manifests, sync}})
  await agent.waitFor({event: 'applied', app}, {after: seen})
}

for (const [index, {tool, manager, by, marks}] of tools.entries()) {
  test(`takes over what ${tool} applied: nothing restarts, and what leaves git leaves the cluster`, async (t) => {
    const bridge = await createTestBridge(cluster, t)
    const agent = bridge.startAgent()
    const own = `tool-${index}`
    await cluster.admin.create(types.namespace, {apiVersion: 'v1', kind: 'Namespace', metadata: {name: own}})
    const settings = (data: Record<string, string>) => configMap(own, 'settings', data)
    const web = (spec: JsonObject) => withSpec(deployment(own, 'web', 1), spec)
    const how = {manager, by}
    await writeAs(how, types.configMap, marked(settings({kept: '1', later: '2', before: '3'}), marks))
    await writeAs(how, types.deployment, marked(web({minReadySeconds: 5, revisionHistoryLimit: 3}), marks))
    await applyAs(cluster.admin, 'somebody', types.configMap, settings({theirs: '4'}))
    const replicas = async () =>
      (await cluster.admin.list(replicaSets, {detail: 'whole', namespace: own})).items.map(({metadata}) => metadata.uid)
    await waitUntil(async () => (await replicas()).length === 1, 'the ReplicaSet')
    const before = {web: await read(types.deployment, own, 'web'), replicas: await replicas()}

    await publishAndApply(bridge, agent, own, [settings({kept: '1', later: '2'}), web({revisionHistoryLimit: 3})])
    assert.deepEqual((await read(types.configMap, own, 'settings')).data, {kept: '1', later: '2', theirs: '4'})
    const adopted = await read(types.deployment, own, 'web')
    assert.equal(childObject(adopted, 'spec')?.minReadySeconds, undefined)
    for (const object of [adopted, await read(types.configMap, own, 'settings')]) {
      assert.ok(!managersOf(object).includes(manager), managersOf(object).join())
      const {labels = {}, annotations = {}} = object.metadata
      assert.deepEqual(labels, {'drawbridge.dev/app': own})
      for (const name of Object.keys(marks.annotations ?? {}))
        assert.ok(!isJsonObject(annotations) || !(name in annotations))
    }

    await publishAndApply(bridge, agent, own, [settings({kept: '1'}), web({})])
    assert.deepEqual((await read(types.configMap, own, 'settings')).data, {kept: '1', theirs: '4'})
    const now = await read(types.deployment, own, 'web')
    assert.equal(childObject(now, 'spec')?.revisionHistoryLimit, 10, "Kubernetes' own default")
    assert.equal(now.metadata.uid, before.web.metadata.uid)
    assert.deepEqual(childObject(now, 'spec')?.template, childObject(before.web, 'spec')?.template)
    await waitUntil(
      async () =>
        childObject(await read(types.deployment, own, 'web'), 'status')?.observedGeneration === now.metadata.generation,
      'that the controller has seen the Deployment',
    )
    assert.deepEqual(await replicas(), before.replicas)
    assert.ok(!agent.events.some(({event}) => event === 'drifted' || event === 'failed'))
  })
}

const target = {apiVersion: 'apps/v1', kind: 'Deployment', name: 'web'}

/** A HorizontalPodAutoscaler as autoscaling/v1 and v2 have it: the same thing in other fields. */
function scaler(space: string, version: 'v1' | 'v2', spec: JsonObject): Manifest {
  const cpu = {type: 'Resource', resource: {name: 'cpu', target: {type: 'Utilization', averageUtilization: 50}}}
  return {
    apiVersion: `autoscaling/${version}`,
    kind: 'HorizontalPodAutoscaler',
    metadata: {name: 'web', namespace: space},
    spec: {
      scaleTargetRef: target,
      maxReplicas: 5,
      ...(version === 'v1' ? {targetCPUUtilizationPercentage: 50} : {metrics: [cpu]}),
      ...spec,
    },
  }
}

for (const [index, [what, writers]] of (
  [
    ['by an update', [{manager: 'kubectl-client-side-apply', by: 'update', version: 'v1'}]],
    ['by server-side apply', [{manager: 'kustomize-controller', by: 'apply', version: 'v1'}]],
    [
      'by two tools, in two versions',
      [
        {manager: 'kubectl-client-side-apply', by: 'update', version: 'v1'},
        {manager: 'kustomize-controller', by: 'apply', version: 'v2'},
      ],
    ],
  ] as const
).entries()) {
  test(`takes over what was applied in another version of its API ${what}`, async (t) => {
    const bridge = await createTestBridge(cluster, t)
    const agent = bridge.startAgent()
    const own = `versions-${index}`
    await cluster.admin.create(types.namespace, {apiVersion: 'v1', kind: 'Namespace', metadata: {name: own}})
    for (const {manager, by, version} of writers) {
      const behavior: JsonObject = {scaleDown: {stabilizationWindowSeconds: 60}}
      const spec = version === 'v1' ? {minReplicas: 2} : {behavior}
      const marks = version === 'v1' ? {annotations: {'example.com/v1': 'x'}} : {labels: {'example.com/v2': 'x'}}
      const manifest = marked(scaler(own, version, spec), marks)
      await writeAs({manager, by}, scalers(version), manifest)
    }
    const before = await read(scalers('v2'), own, 'web')
    assert.equal(childObject(before, 'spec')?.minReplicas, 2)
    await publishAndApply(bridge, agent, own, [scaler(own, 'v2', {maxReplicas: 6})])
    const now = await read(scalers('v2'), own, 'web')
    const spec = childObject(now, 'spec')
    assert.equal(spec?.minReplicas, 1, "Kubernetes' own default")
    assert.equal(childObject(spec, 'behavior'), undefined)
    assert.deepEqual(spec?.metrics, childObject(scaler(own, 'v2', {}), 'spec')?.metrics)
    assert.deepEqual([spec?.maxReplicas, now.metadata.uid], [6, before.metadata.uid])
    assert.deepEqual([now.metadata.annotations, now.metadata.labels], [undefined, {'drawbridge.dev/app': own}])
    for (const {manager} of writers) assert.ok(!managersOf(now).includes(manager), managersOf(now).join())
    assert.equal(managersOf(now).filter((manager) => manager === 'drawbridge').length, 1)
  })
}

test('an ignored field keeps its live value when the object is taken over', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const own = 'ignored'
  await cluster.admin.create(types.namespace, {apiVersion: 'v1', kind: 'Namespace', metadata: {name: own}})
  await others.create('kubectl-client-side-apply', types.deployment, deployment(own, 'web', 3))
  await others.create('kubectl-client-side-apply', types.configMap, configMap(own, 'settings', {a: '1', b: '2'}))
  const ignoreDifferences = [
    {group: 'apps', kind: 'Deployment', jsonPointers: ['/spec/replicas']},
    {kind: 'ConfigMap', managedFieldsManagers: ['kubectl-client-side-apply']},
  ]
  const web = withSpec(deployment(own, 'web', 5), {minReadySeconds: 1})
  await publishAndApply(bridge, agent, own, [web, configMap(own, 'settings', {a: 'ours', c: '3'})], {ignoreDifferences})
  const spec = childObject(await read(types.deployment, own, 'web'), 'spec')
  assert.deepEqual([spec?.replicas, spec?.minReadySeconds], [3, 1])
  const settings = await read(types.configMap, own, 'settings')
  assert.deepEqual(settings.data, {a: '1', b: '2', c: '3'})
  assert.ok(managersOf(settings).includes('kubectl-client-side-apply'))
})

for (const [what, annotations] of [
  ['was created where it was absent', {'kustomize.toolkit.fluxcd.io/ssa': 'IfNotPresent'}],
  ['was replaced', {'argocd.argoproj.io/sync-options': 'Replace=true'}],
] as const) {
  test(`what ${what} loses what is no longer declared when its annotation goes`, async (t) => {
    const bridge = await createTestBridge(cluster, t)
    const agent = bridge.startAgent()
    const app = `whole-${'argocd.argoproj.io/sync-options' in annotations ? 'replaced' : 'created'}`
    const object = (data: Record<string, string>, marks: Marks = {}) => marked(configMap('default', app, data), marks)
    for (const data of [
      {a: '1', b: '1'},
      {a: '1', b: '2'},
    ]) {
      const seen = agent.events.length
      await bridge.publish({[app]: {manifests: [object(data, {annotations})]}})
      await agent.waitFor({event: 'healthy', app}, {after: seen})
    }
    const seen = agent.events.length
    await bridge.publish({[app]: {manifests: [object({a: '1'})]}})
    await agent.waitFor({event: 'healthy', app}, {after: seen})
    assert.deepEqual(childObject(await read(types.configMap, 'default', app), 'data'), {a: '1'})
    assert.deepEqual(managersOf(await read(types.configMap, 'default', app)), ['drawbridge'])
  })
}
