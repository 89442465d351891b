import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import type {ResourceType} from '#agent/kube/kube-client.ts'
import {KubeError} from '#agent/kube/kube-error.ts'
import {keys} from '#shared/model/keys.ts'
import type {Manifest} from '#shared/model/manifest.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {applyAs, configMap, createTestBridge, namespace, types, waitUntil} from './start-test-agent.ts'

let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster.stop())

const definitions: ResourceType = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
}

function definition(group: string, kind: string, versions: Record<string, boolean>): Manifest {
  const plural = `${kind.toLowerCase()}s`
  const schema = {openAPIV3Schema: {type: 'object', 'x-kubernetes-preserve-unknown-fields': true}}
  const stored = Object.keys(versions)[0]
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {name: `${plural}.${group}`},
    spec: {
      group,
      scope: 'Namespaced',
      names: {kind, plural, singular: kind.toLowerCase()},
      versions: Object.entries(versions).map(([name, served]) => ({name, served, storage: name === stored, schema})),
    },
  }
}

const exists = async (type: ResourceType, inNamespace: string, name: string): Promise<boolean> =>
  (await cluster.admin.get(type, {namespace: inNamespace, name}, 'metadata')) !== 'absent'

/** Defines a kind and waits until its objects can be made. */
async function serve(type: ResourceType, versions: Record<string, boolean>): Promise<void> {
  await applyAs(cluster.admin, 'somebody', definitions, definition(type.group, type.kind, versions))
  await waitUntil(async () => {
    const found = await cluster.admin.listTypes(`${type.group}/${type.version}`)
    return found !== 'absent' && found.some(({kind}) => kind === type.kind)
  }, `${type.kind} served in ${type.version}`)
}

test('never prunes a namespace that holds what an annotation asks to keep', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const kept = configMap('kept', 'data', {worth: 'keeping'})
  kept.metadata.annotations = {'helm.sh/resource-policy': 'keep'}
  const rest = configMap('default', 'kept')
  await bridge.publish({kept: {manifests: [namespace('kept'), kept, configMap('kept', 'gone'), rest]}})
  await agent.waitFor({event: 'healthy', app: 'kept'})
  await bridge.publish({kept: {manifests: [rest]}})
  const failed = await agent.waitFor({event: 'failed', app: 'kept', code: 'HOLDS_OTHERS'})
  assert.match(failed.message ?? '', /Namespace kept/)
  assert.equal(await exists(types.configMap, 'kept', 'data'), true)
  assert.equal(await exists(types.configMap, 'kept', 'gone'), false)
  const space = await cluster.admin.get(types.namespace, {namespace: '', name: 'kept'}, 'metadata')
  assert.ok(space !== 'absent' && space.metadata.deletionTimestamp === undefined)
})

test('counts what a namespace holds of kinds that are served in another version than the preferred one', async (t) => {
  const group = 'versions.example'
  const gadgets: ResourceType = {group, version: 'v1alpha1', kind: 'Gadget', plural: 'gadgets', namespaced: true}
  await serve({...gadgets, version: 'v1', kind: 'Widget', plural: 'widgets'}, {v1: true})
  await serve(gadgets, {v1alpha1: true})
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const rest = configMap('default', 'versions')
  await bridge.publish({versions: {manifests: [namespace('versions'), rest]}})
  await agent.waitFor({event: 'healthy', app: 'versions'})
  await applyAs(cluster.admin, 'somebody', gadgets, {
    apiVersion: `${group}/v1alpha1`,
    kind: 'Gadget',
    metadata: {name: 'theirs', namespace: 'versions'},
  })
  await bridge.publish({versions: {manifests: [rest]}})
  const failed = await agent.waitFor({event: 'failed', app: 'versions', code: 'HOLDS_OTHERS'})
  assert.match(failed.message ?? '', /holds 1 object/)
  assert.equal(await exists(gadgets, 'versions', 'theirs'), true)
})

test('prunes an object by another version of its group where its own is no longer served', async (t) => {
  const group = 'moving.example'
  const next: ResourceType = {group, version: 'v1', kind: 'Mover', plural: 'movers', namespaced: true}
  await serve({...next, version: 'v1beta1'}, {v1: true, v1beta1: true})
  const bridge = await createTestBridge(cluster, t)
  const mover = (name: string): Manifest => ({
    apiVersion: `${group}/v1beta1`,
    kind: 'Mover',
    metadata: {name, namespace: 'default'},
  })
  const rest = configMap('default', 'moving')
  const first = bridge.startAgent()
  await bridge.publish({moving: {manifests: [mover('one'), mover('two'), rest]}})
  await first.waitFor({event: 'healthy', app: 'moving'})
  await applyAs(cluster.admin, 'somebody', definitions, definition(group, 'Mover', {v1: true, v1beta1: false}))
  await waitUntil(async () => {
    const served = await cluster.admin.listTypes(`${group}/v1beta1`)
    return served === 'absent'
  }, 'v1beta1 gone')
  await bridge.publish({moving: {manifests: [rest]}})
  await first.waitFor({event: 'pruned', app: 'moving'})
  for (const name of ['one', 'two']) assert.equal(await exists(next, 'default', name), false, name)
})

test('deletes a removed app as its ServiceAccount, also after a restart', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const role = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: {name: 'writer', namespace: 'default'},
    rules: [{apiGroups: [''], resources: ['configmaps'], verbs: ['*']}],
  }
  const binding = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: {name: 'writer', namespace: 'default'},
    roleRef: {apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'writer'},
    subjects: [{kind: 'ServiceAccount', name: 'writer', namespace: 'default'}],
  }
  const rbac = {group: 'rbac.authorization.k8s.io', version: 'v1', namespaced: true}
  await applyAs(cluster.admin, 'somebody', {...rbac, kind: 'Role', plural: 'roles'}, role)
  await applyAs(cluster.admin, 'somebody', {...rbac, kind: 'RoleBinding', plural: 'rolebindings'}, binding)
  const first = bridge.startAgent()
  const app = {manifests: [configMap('default', 'theirs')], serviceAccount: 'default/writer'}
  await bridge.publish({limited: app, other: {manifests: [configMap('default', 'other')]}})
  await first.waitFor({event: 'healthy', app: 'limited'})
  await waitUntil(() => bridge.report()?.apps.every(({ready}) => ready === 'True') === true, 'both apps ready')
  await first.stop()
  const second = bridge.startAgent()
  await bridge.publish({other: {manifests: [configMap('default', 'other')]}}, {removed: {limited: 'Delete'}})
  await second.waitFor({event: 'removed', app: 'limited'})
  assert.equal(await exists(types.configMap, 'default', 'theirs'), false)
  const deletion = second.requests.find(({method, path}) => method === 'DELETE' && path.endsWith('/theirs'))
  assert.equal(deletion?.impersonate, 'system:serviceaccount:default:writer')
})

test('an app that is refused keeps what it declares, and holds up no other prune or removal', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const inSpace = (...names: string[]) => names.map((name) => configMap('refusing', name))
  const loser = (...names: string[]) => ({'refusing-v': {manifests: [namespace('refusing'), ...inSpace(...names)]}})
  await bridge.publish({...loser('stays', 'claimed', 'goes'), 'refusing-w': {manifests: inSpace('removed')}})
  for (const app of ['refusing-v', 'refusing-w']) await agent.waitFor({event: 'healthy', app})
  // Refused for good: nobody may write the agent's own memory.
  const bad = {'refusing-x': {manifests: [configMap(bridge.agentNamespace, 'drawbridge-x'), ...inSpace('claimed')]}}
  await bridge.publish({...loser('stays'), ...bad}, {removed: {'refusing-w': 'Delete'}})
  await agent.waitFor({event: 'refused', app: 'refusing-x', code: 'POLICY'})
  await agent.waitFor({event: 'pruned', app: 'refusing-v', object: '/ConfigMap/refusing/goes'})
  await agent.waitFor({event: 'removed', app: 'refusing-w'})
  assert.equal(await exists(types.configMap, 'refusing', 'removed'), false)
  assert.equal(await exists(types.configMap, 'refusing', 'claimed'), true)
  const told = await agent.waitFor({event: 'failed', app: 'refusing-v', code: 'WAITS'})
  assert.match(told.message ?? '', /app refusing-x, which is refused, declares it/)
  await bridge.publish(loser('stays'), {removed: {'refusing-x': 'Delete'}})
  await agent.waitFor({event: 'pruned', app: 'refusing-v', object: '/ConfigMap/refusing/claimed'})
})

test('an app whose bundle cannot be read holds up prunes, since what is gone may have moved there', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  let lost = true
  const get: typeof bridge.store.get = async (key, options) =>
    lost && key === hidden ? 'absent' : bridge.store.get(key, options)
  let hidden = ''
  const agent = bridge.startAgent({ports: {store: {...bridge.store, get}}})
  const [one, two] = [configMap('default', 'unread-1'), configMap('default', 'unread-2')]
  await bridge.publish({'unread-v': {manifests: [one, two]}})
  await agent.waitFor({event: 'healthy', app: 'unread-v'})
  const present = (
    await bridge.publish({'unread-v': {manifests: [one]}, 'unread-x': {manifests: [two]}}, {notify: false})
  ).apps
  for (const app of present)
    if (app.state === 'present' && app.name === 'unread-x') hidden = keys.bundle(app.bundle.digest)
  const told = await agent.waitFor({event: 'failed', app: 'unread-v', code: 'WAITS'})
  assert.match(told.message ?? '', /the bundle of app unread-x could not be read/)
  lost = false
  await agent.waitFor({event: 'healthy', app: 'unread-x'})
  assert.equal(await exists(types.configMap, 'default', 'unread-2'), true)
})

test('a prune that the API server refuses makes the app not ready, until it is through', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  let forbidden = true
  const agent = bridge.startAgent({
    onRequest({method, path}) {
      if (forbidden && method === 'DELETE' && path.endsWith('/configmaps/unprunable'))
        throw new KubeError('FORBIDDEN', 'delete ConfigMap default/unprunable: forbidden')
    },
  })
  const [one, two] = [configMap('default', 'unprunable'), configMap('default', 'prunable')]
  await bridge.publish({unprunable: {manifests: [one, two]}})
  await agent.waitFor({event: 'healthy', app: 'unprunable'})
  await bridge.publish({unprunable: {manifests: [two]}})
  const report = () => bridge.report()?.apps.find(({name}) => name === 'unprunable')
  await waitUntil(
    () => report()?.reason === 'PruneFailed',
    () => JSON.stringify(report()),
  )
  assert.equal(report()?.ready, 'False')
  assert.match(report()?.message ?? '', /not pruned: ConfigMap default\/unprunable: .*forbidden/)
  forbidden = false
  await agent.waitFor({event: 'pruned', app: 'unprunable'})
  await waitUntil(
    () => report()?.ready === 'True',
    () => JSON.stringify(report()),
  )
})

test('what stays while sync.prune is off is told, and pruned when it is on', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const app = (prune: boolean, ...names: string[]) => ({
    'prune-off': {manifests: names.map((name) => configMap('default', name)), sync: {prune}},
  })
  await bridge.publish(app(false, 'off-stays', 'off-goes', 'off-moves'))
  await agent.waitFor({event: 'healthy', app: 'prune-off'})
  const moved = {'prune-off-taker': {manifests: [configMap('default', 'off-moves')]}}
  await bridge.publish({...app(false, 'off-stays'), ...moved})
  const report = () => bridge.report()?.apps.find(({name}) => name === 'prune-off')
  await waitUntil(
    () => /not pruned: ConfigMap default\/off-goes: sync\.prune is off/.test(report()?.message ?? ''),
    () => JSON.stringify(report()),
  )
  assert.equal(report()?.ready, 'True')
  await agent.waitFor({event: 'healthy', app: 'prune-off-taker'})
  assert.equal(await exists(types.configMap, 'default', 'off-goes'), true)
  await bridge.publish({...app(true, 'off-stays'), ...moved})
  await agent.waitFor({event: 'pruned', app: 'prune-off', object: '/ConfigMap/default/off-goes'})
  assert.equal(await exists(types.configMap, 'default', 'off-moves'), true)
  assert.equal(agent.events.filter(({event}) => event === 'failed').length, 0)
})

test('goes on once an inventory that cannot be read was deleted, without a restart', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const first = bridge.startAgent()
  await bridge.publish({torn: {manifests: [configMap('default', 'torn', {v: '1'})]}})
  await first.waitFor({event: 'healthy', app: 'torn'})
  await first.stop()
  const target = {namespace: bridge.agentNamespace, name: 'drawbridge-inventory-torn-0'}
  const found = await cluster.admin.get(types.configMap, target, 'whole')
  assert.ok(found !== 'absent')
  await cluster.admin.replace(types.configMap, {
    ...found,
    metadata: {...found.metadata, ...target},
    binaryData: {chunk: Buffer.from('nothing of the kind').toString('base64')},
  })
  const second = bridge.startAgent()
  const failed = await second.waitFor({event: 'failed', app: 'torn', code: 'INVENTORY_BROKEN'})
  assert.match(failed.message ?? '', /delete the ConfigMaps drawbridge-inventory-torn-\*/)
  await cluster.admin.delete(types.configMap, target, {propagation: 'Background'})
  await second.waitFor({event: 'healthy', app: 'torn'})
})
