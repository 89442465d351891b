import assert from 'node:assert/strict'
import {after, before, type TestContext, test} from 'node:test'
import {createDiscovery} from '#agent/kube/discovery.ts'
import {createConcurrencyLimit} from '#agent/limit-concurrency.ts'
import {planObjects} from '#agent/plan-objects.ts'
import type {ObjectChange} from '#cli/diff/change.ts'
import {type DiffApp, diffObjects} from '#cli/diff/diff-objects.ts'
import {diffPrune, type PruneDiffOptions, readInventories} from '#cli/diff/diff-prune.ts'
import type {JsonObject, Manifest} from '#shared/model/manifest.ts'
import type {IgnoreDifferences} from '#shared/model/sync-options.ts'
import {createOtherClients, type OtherClients} from '../agent/act-as.ts'
import {startTestCluster, type TestCluster} from '../agent/open-test-cluster.ts'
import {configMap, createTestBridge, deployment, namespace, type TestBridge, types} from '../agent/start-test-agent.ts'

let cluster: TestCluster
let others: OtherClients
before(async () => {
  cluster = await startTestCluster()
  others = await createOtherClients(cluster)
})
after(async () => {
  others.close()
  await cluster.stop()
})

const portsOf = () => ({
  kube: cluster.admin,
  discovery: createDiscovery(cluster.admin),
  limit: createConcurrencyLimit(4),
})

async function planApp(name: string, manifests: Manifest[], ignored: IgnoreDifferences[] = []): Promise<DiffApp> {
  const planned = await planObjects(manifests, {app: name, namespace: undefined, discovery: portsOf().discovery})
  return {
    name,
    sync: {ignoreDifferences: ignored},
    planned,
    ownNamespaces: new Set(),
    declaredBy: () => [],
  }
}

async function applied(t: TestContext, app: string, manifests: Manifest[]): Promise<TestBridge> {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  await bridge.publish({[app]: {manifests}})
  await agent.waitFor({event: 'applied', app})
  await agent.stop()
  return bridge
}

test('shows what goes when fields that kubectl and helm own are taken over, as the agent then does', async (t) => {
  const space = 'migrated'
  await others.create('kubectl', types.namespace, namespace(space))
  const web = (more: JsonObject, env: JsonObject[]): Manifest => {
    const made = deployment(space, 'web')
    const container = {name: 'app', image: 'app:1', env, ...more}
    const template = {metadata: {labels: {app: 'web'}}, spec: {containers: [container]}}
    return {...made, spec: {...(made.spec as JsonObject), template}}
  }
  await others.create('kubectl-client-side-apply', types.configMap, configMap(space, 'settings', {a: '1', b: '2'}))
  await others.create(
    'helm',
    types.deployment,
    web({workingDir: '/x'}, [
      {name: 'A', value: '1'},
      {name: 'B', value: '2'},
    ]),
  )
  const declared = [configMap(space, 'settings', {a: '1'}), web({}, [{name: 'A', value: '1'}])]
  const pathsOf = (changes: ObjectChange[]) =>
    changes.flatMap(({ref, fields}) => fields.map(({path, difference}) => `${ref.name} ${difference} ${path}`))
  const shown = await diffObjects(portsOf(), await planApp(space, declared))
  const container = '/spec/template/spec/containers[name=app]'
  assert.deepEqual(pathsOf(shown), [
    'settings extra /data/b',
    'settings missing /metadata/labels',
    `web missing /metadata/labels`,
    `web extra ${container}/env[name=B]`,
    `web extra ${container}/workingDir`,
  ])
  const left = [{group: '*', kind: '*', managedFieldsManagers: ['helm']}]
  const spared = await diffObjects(portsOf(), await planApp(space, declared, left))
  assert.ok(!pathsOf(spared).some((path) => path.includes('workingDir')))

  await applied(t, space, declared)
  assert.deepEqual(pathsOf(await diffObjects(portsOf(), await planApp(space, declared))), [])
  const found = await cluster.admin.get(types.deployment, {namespace: space, name: 'web'}, 'whole')
  assert.doesNotMatch(JSON.stringify(found !== 'absent' && found.spec), /workingDir|"B"/)
})

test('says that replicas which are left to a scaler keep their number, as the agent then does', async (t) => {
  const space = 'scaled'
  const scaler: Manifest = {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: {name: 'web', namespace: space},
    spec: {scaleTargetRef: {apiVersion: 'apps/v1', kind: 'Deployment', name: 'web'}, maxReplicas: 9},
  }
  const {replicas: _, ...spec} = deployment(space, 'web').spec as JsonObject
  const declared = [namespace(space), {...deployment(space, 'web'), spec}, scaler]
  await applied(t, space, [namespace(space), deployment(space, 'web', 5)])
  const changeOf = async () => {
    const changes = await diffObjects(portsOf(), await planApp(space, declared))
    return changes.find(({ref}) => ref.kind === 'Deployment')
  }
  const shown = await changeOf()
  assert.equal(shown?.action, 'update')
  assert.deepEqual(shown.fields, [])
  assert.match(
    shown.reason ?? '',
    /^spec\.replicas is no longer declared: it stays 5 until HorizontalPodAutoscaler\S* scaled\/web changes it$/,
  )
  await applied(t, space, declared)
  assert.equal((await changeOf())?.action, 'unchanged')
})

test('prunes by waves, what asks for it last, and nothing where the limit is exceeded', async (t) => {
  const space = 'limited'
  const object = (name: string, annotations: Record<string, string> = {}): Manifest => ({
    ...configMap(space, name),
    metadata: {name, namespace: space, annotations},
  })
  const last = object('last', {'argocd.argoproj.io/sync-options': 'PruneLast=true'})
  const waves = ['-1', '0', '5'].map((wave) => object(`wave${wave}`, {'argocd.argoproj.io/sync-wave': wave}))
  const kept = object('kept')
  const bridge = await applied(t, space, [namespace(space), kept, last, ...waves])
  const prune = async (manifests: Manifest[], sync: Partial<PruneDiffOptions['sync']> = {}) => {
    const ports = portsOf()
    const warn = (line: string) => assert.fail(line)
    const inventories = await readInventories(ports, bridge.agentNamespace, warn)
    const options = {sync: {prune: true, allowEmpty: false, ...sync}, agentNamespace: bridge.agentNamespace, warn}
    return diffPrune(ports, await planApp(space, manifests), inventories, options)
  }
  const remaining = [namespace(space), kept]
  const changes = await prune(remaining)
  assert.deepEqual(
    changes.map(({action, ref}) => `${action} ${ref.name}`),
    ['prune wave5', 'prune wave0', 'prune wave-1', 'prune last'],
  )
  assert.equal(new Set(changes.map(({stage}) => stage)).size, 4)

  for (const pruneLimit of [{objects: 3}, {percent: 50}]) {
    const refused = await prune(remaining, {pruneLimit})
    assert.deepEqual(new Set(refused.map(({action}) => action)), new Set(['refused']))
    assert.match(refused[0]?.reason ?? '', /sync\.pruneLimit allows 3 of the 4 deletions/)
  }
  assert.equal((await prune(remaining, {pruneLimit: {objects: 4}}))[0]?.action, 'prune')

  assert.deepEqual(new Set((await prune([])).map(({action}) => action)), new Set(['keep']))
  // What is only created where it is absent is declared all the same.
  const once = object('kept', {'kustomize.toolkit.fluxcd.io/ssa': 'IfNotPresent'})
  assert.ok((await prune([once])).some(({action}) => action === 'prune'))
})
