import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import type {ResourceType} from '#agent/kube/kube-client.ts'
import type {KubeObject} from '#agent/kube/kube-object.ts'
import {childObject, type JsonObject, type Manifest} from '#shared/model/manifest.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {
  annotated,
  applyAs,
  configMap,
  createTestBridge,
  deployment,
  namespace,
  types,
  waitUntil,
  writesOf,
} from './start-test-agent.ts'

let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster.stop())

const flux = 'kustomize.toolkit.fluxcd.io'
const syncOptions = (options: string) => ({'argocd.argoproj.io/sync-options': options})

const read = (type: ResourceType, inNamespace: string, name: string): Promise<KubeObject | 'absent'> =>
  cluster.admin.get(type, {namespace: inNamespace, name}, 'whole')

async function found(type: ResourceType, inNamespace: string, name: string): Promise<KubeObject> {
  const object = await read(type, inNamespace, name)
  assert.ok(object !== 'absent', `${type.kind} ${name} is there`)
  return object
}

const dataOf = async (inNamespace: string, name: string): Promise<unknown> => {
  const object = await read(types.configMap, inNamespace, name)
  return object === 'absent' ? 'absent' : childObject(object, 'data')
}

/** As a tool does that knows no server-side apply: the whole object by POST, under a manager's name. */
async function createAs(manager: string, manifest: Manifest, annotations: Record<string, string> = {}): Promise<void> {
  const {metadata, apiVersion} = manifest
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const plural = `${manifest.kind.toLowerCase()}s`
  await cluster.transport.send({
    method: 'POST',
    path: `${root}/namespaces/${metadata.namespace}/${plural}?fieldManager=${manager}`,
    body: JSON.stringify(annotated(manifest, annotations)),
    what: `create ${metadata.name}`,
  })
}

for (const [name, annotations] of [
  ['ssa: Ignore', {[`${flux}/ssa`]: 'Ignore'}],
  ['reconcile: disabled', {[`${flux}/reconcile`]: 'disabled'}],
] as const) {
  test(`does not touch an object that asks for ${name}, and does not prune it`, async (t) => {
    const bridge = await createTestBridge(cluster, t)
    const agent = bridge.startAgent()
    const own = `untouched-${name.length}`
    await bridge.publish({
      [own]: {manifests: [namespace(own), configMap(own, 'a', {x: '1'}), annotated(configMap(own, 'b'), annotations)]},
    })
    await agent.waitFor({event: 'healthy', app: own})
    assert.equal(await dataOf(own, 'b'), 'absent')
    await bridge.publish({
      [own]: {manifests: [namespace(own), annotated(configMap(own, 'a', {x: '2'}), annotations)]},
    })
    await agent.waitFor({event: 'healthy', app: own}, {after: 4})
    assert.deepEqual(await dataOf(own, 'a'), {x: '1'})
  })
}

test('creates what asks for ssa: IfNotPresent where it is absent, and leaves it alone where it is there', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  await applyAs(cluster.admin, 'somebody', types.configMap, configMap('default', 'once-there', {x: 'theirs'}))
  const once = {[`${flux}/ssa`]: 'IfNotPresent'}
  const manifests = (value: string) => [
    annotated(configMap('default', 'once-there', {x: value}), once),
    annotated(configMap('default', 'once-missing', {x: value}), once),
  ]
  await bridge.publish({once: {manifests: manifests('1')}})
  await agent.waitFor({event: 'healthy', app: 'once'})
  assert.deepEqual(
    [await dataOf('default', 'once-there'), await dataOf('default', 'once-missing')],
    [{x: 'theirs'}, {x: '1'}],
  )
  await bridge.publish({once: {manifests: [...manifests('2'), configMap('default', 'once-third')]}})
  await agent.waitFor({event: 'healthy', app: 'once'}, {after: 4})
  assert.deepEqual(
    [await dataOf('default', 'once-there'), await dataOf('default', 'once-missing')],
    [{x: 'theirs'}, {x: '1'}],
  )
  await bridge.publish({once: {manifests: [configMap('default', 'once-third')]}})
  await agent.waitFor({event: 'pruned', app: 'once'})
  assert.deepEqual(
    [await dataOf('default', 'once-there'), await dataOf('default', 'once-missing')],
    [{x: 'theirs'}, 'absent'],
  )
})

test('makes an object anew for an immutable field where it asks for that, and else says what is refused', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const web = (selector: string, annotations: Record<string, string>): Manifest => {
    const made = deployment('forced', 'web')
    const labels = {app: selector}
    const template: JsonObject = {metadata: {labels}, spec: {containers: [{name: 'app', image: 'app:1'}]}}
    return annotated({...made, spec: {replicas: 0, selector: {matchLabels: labels}, template}}, annotations)
  }
  await bridge.publish({forced: {manifests: [namespace('forced'), web('a', {})]}})
  await agent.waitFor({event: 'applied', app: 'forced'})
  const first = await found(types.deployment, 'forced', 'web')
  await bridge.publish({forced: {manifests: [namespace('forced'), web('b', {})]}})
  const refused = await agent.waitFor({event: 'failed', app: 'forced'})
  assert.match(refused.message ?? '', /field is immutable/)
  assert.equal((await found(types.deployment, 'forced', 'web')).metadata.uid, first.metadata.uid)
  for (const [selector, annotations] of [
    ['c', {[`${flux}/force`]: 'enabled'}],
    ['d', syncOptions('Force=true')],
  ] as const) {
    const before = await found(types.deployment, 'forced', 'web')
    await bridge.publish({forced: {manifests: [namespace('forced'), web(selector, annotations)]}})
    await waitUntil(async () => {
      const now = await read(types.deployment, 'forced', 'web')
      return now !== 'absent' && now.metadata.uid !== before.metadata.uid
    }, 'a new Deployment')
  }
})

test('never makes an object anew for anything but an immutable field', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const web = (spec: JsonObject): Manifest => {
    const made = deployment('kept-same', 'web')
    return annotated({...made, spec: {...childObject(made, 'spec'), ...spec}}, {[`${flux}/force`]: 'enabled'})
  }
  await bridge.publish({'kept-same': {manifests: [namespace('kept-same'), web({replicas: 0})]}})
  await agent.waitFor({event: 'applied', app: 'kept-same'})
  const first = await found(types.deployment, 'kept-same', 'web')
  const labels = {app: 'other'}
  const bad: JsonObject = {
    metadata: {labels},
    spec: {containers: [{name: 'app', image: 'app:1', resources: {limits: {cpu: '-1'}}}]},
  }
  await bridge.publish({
    'kept-same': {manifests: [namespace('kept-same'), web({selector: {matchLabels: labels}, template: bad})]},
  })
  await agent.waitFor({event: 'failed', app: 'kept-same'})
  assert.equal((await found(types.deployment, 'kept-same', 'web')).metadata.uid, first.metadata.uid)
})

test('replaces what asks for Replace=true: fields of others go', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const object = (value: string) => annotated(configMap('default', 'replaced', {x: value}), syncOptions('Replace=true'))
  await bridge.publish({replaced: {manifests: [object('1')]}})
  await agent.waitFor({event: 'healthy', app: 'replaced'})
  await applyAs(cluster.admin, 'somebody', types.configMap, configMap('default', 'replaced', {y: 'theirs'}))
  assert.deepEqual(await dataOf('default', 'replaced'), {x: '1', y: 'theirs'})
  await bridge.publish({replaced: {manifests: [object('2')]}})
  await waitUntil(async () => JSON.stringify(await dataOf('default', 'replaced')) === '{"x":"2"}', 'the replacement')
})

for (const [tool, annotations] of [
  ['kubectl-client-side-apply', {'kubectl.kubernetes.io/last-applied-configuration': '{}'}],
  ['helm', {'meta.helm.sh/release-name': 'web'}],
  ['argocd-controller', {}],
] as const) {
  test(`adopts what ${tool} applied without a restart, and removes what is no longer declared`, async (t) => {
    const bridge = await createTestBridge(cluster, t)
    const agent = bridge.startAgent()
    const own = `by-${tool}`
    await cluster.admin.create(types.namespace, namespace(own))
    await createAs(tool, configMap(own, 'settings', {kept: '1', dropped: '2'}), annotations)
    await createAs(tool, deployment(own, 'web', 2), annotations)
    const before = await found(types.deployment, own, 'web')
    await applyAs(cluster.admin, 'somebody', types.configMap, configMap(own, 'settings', {theirs: '3'}))
    await bridge.publish({[own]: {manifests: [configMap(own, 'settings', {kept: '1'}), deployment(own, 'web', 2)]}})
    await agent.waitFor({event: 'applied', app: own})
    assert.deepEqual(await dataOf(own, 'settings'), {kept: '1', theirs: '3'})
    const now = await found(types.deployment, own, 'web')
    // Annotations count in a Deployment's generation; what restarts pods is its template alone.
    assert.deepEqual([now.metadata.uid, now.spec], [before.metadata.uid, before.spec])
    for (const [type, name] of [
      [types.deployment, 'web'],
      [types.configMap, 'settings'],
    ] as const) {
      const {managedFields, annotations: left} = (await found(type, own, name)).metadata
      const managers = (Array.isArray(managedFields) ? managedFields : []).map(
        (entry) => childObject({entry}, 'entry')?.manager,
      )
      assert.ok(!managers.includes(tool), managers.join())
      assert.deepEqual(left ?? {}, {})
    }
  })
}

test('leaves the fields of kubectl where ssa: Merge asks for that', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  await createAs('kubectl-client-side-apply', configMap('default', 'merged', {x: '1', y: 'theirs'}))
  await bridge.publish({
    merged: {manifests: [annotated(configMap('default', 'merged', {x: '2'}), {[`${flux}/ssa`]: 'Merge'})]},
  })
  await agent.waitFor({event: 'healthy', app: 'merged'})
  assert.deepEqual(await dataOf('default', 'merged'), {x: '2', y: 'theirs'})
})

test('an app without annotations of the kind costs one request an object', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const manifests = Array.from({length: 40}, (_, index) => configMap('default', `plain-${index}`))
  await bridge.publish({plain: {manifests}})
  await agent.waitFor({event: 'healthy', app: 'plain'})
  assert.equal(writesOf(agent.requests).filter((write) => write.includes('/configmaps/plain-')).length, 40)
})

test('of a stage that changes what runs, nothing is written where one object would be refused', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const service = (port: number): Manifest => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {name: 's', namespace: 'checked'},
    spec: {ports: [{port}]},
  })
  const manifests = (value: string, port: number) => [
    namespace('checked'),
    configMap('checked', 'c', {x: value}),
    service(port),
  ]
  await bridge.publish({checked: {manifests: manifests('1', 80)}})
  await agent.waitFor({event: 'healthy', app: 'checked'})
  assert.equal(agent.requests.filter(({path}) => path.includes('dryRun=All')).length, 0, 'a first apply has none')
  await bridge.publish({checked: {manifests: manifests('2', 80_000)}})
  const failed = await agent.waitFor({event: 'failed', app: 'checked'})
  assert.equal(failed.code, 'PREFLIGHT_FAILED')
  assert.match(failed.message ?? '', /80000/)
  assert.deepEqual(await dataOf('checked', 'c'), {x: '1'})
  const before = agent.requests.length
  await bridge.publish({checked: {manifests: manifests('3', 80)}})
  await waitUntil(async () => JSON.stringify(await dataOf('checked', 'c')) === '{"x":"3"}', 'the change')
  await bridge.publish({checked: {manifests: manifests('4', 80_000), sync: {preflight: 'never'}}})
  await agent.waitFor({event: 'failed', app: 'checked', code: 'APPLY_FAILED'})
  assert.deepEqual(await dataOf('checked', 'c'), {x: '4'})
  assert.ok(agent.requests.length > before)
})

test('waits for a kind that something else brings, where SkipDryRunOnMissingResource asks for that', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const group = 'later.example'
  const thing: Manifest = {apiVersion: `${group}/v1`, kind: 'Thing', metadata: {name: 'thing', namespace: 'default'}}
  await bridge.publish({
    later: {
      manifests: [configMap('default', 'now'), annotated(thing, syncOptions('SkipDryRunOnMissingResource=true'))],
    },
  })
  await waitUntil(async () => (await dataOf('default', 'now')) !== 'absent', 'what can be applied at once')
  const schema = {openAPIV3Schema: {type: 'object', 'x-kubernetes-preserve-unknown-fields': true}}
  const definitions = {
    group: 'apiextensions.k8s.io',
    version: 'v1',
    kind: 'CustomResourceDefinition',
    plural: 'customresourcedefinitions',
    namespaced: false,
  }
  await cluster.admin.create(definitions, {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {name: `things.${group}`},
    spec: {
      group,
      scope: 'Namespaced',
      names: {kind: 'Thing', plural: 'things'},
      versions: [{name: 'v1', served: true, storage: true, schema}],
    },
  })
  await agent.waitFor({event: 'healthy', app: 'later'})
  assert.equal(agent.events.filter(({event}) => event === 'failed').length, 0)
})
