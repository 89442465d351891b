import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import {definitionType} from '#agent/app-definition.ts'
import type {ResourceType} from '#agent/kube/kube-client.ts'
import type {KubeObject} from '#agent/kube/kube-object.ts'
import {childObject, type Manifest} from '#shared/model/manifest.ts'
import {type OwnTestCluster, startTestCluster} from './open-test-cluster.ts'
import {applyAs, configMap, createTestBridge, namespace, type TestAgent, types, waitUntil} from './start-test-agent.ts'

let cluster: OwnTestCluster
before(async () => {
  // Its controllers empty the namespaces that are deleted.
  cluster = await startTestCluster({controllerManager: true})
})
after(() => cluster.stop())

const toolsOf = (group: string, version = 'v1'): ResourceType => ({
  group,
  version,
  kind: 'Tool',
  plural: 'tools',
  namespaced: true,
})

/** A definition of kind Tool; the last of `versions` is the one that is stored, and those in `retired` are no longer served. */
function definition(group: string, versions: string[] = ['v1'], retired: string[] = []): Manifest {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {name: `tools.${group}`},
    spec: {
      group,
      scope: 'Namespaced',
      names: {kind: 'Tool', plural: 'tools', singular: 'tool', listKind: 'ToolList'},
      versions: versions.map((name) => ({
        name,
        served: !retired.includes(name),
        storage: name === versions.at(-1),
        schema: {openAPIV3Schema: {type: 'object', 'x-kubernetes-preserve-unknown-fields': true}},
      })),
    },
  }
}

const tool = (group: string, name: string, size: number, version = 'v1'): Manifest => ({
  apiVersion: `${group}/${version}`,
  kind: 'Tool',
  metadata: {name, namespace: 'default'},
  spec: {size},
})

const read = (type: ResourceType, name: string, inNamespace = 'default'): Promise<KubeObject | 'absent'> =>
  cluster.admin.get(type, {namespace: type.namespaced ? inNamespace : '', name}, 'whole')
const sizeOf = async (type: ResourceType, name: string): Promise<unknown> => {
  const found = await read(type, name)
  return found === 'absent' ? 'absent' : childObject(found, 'spec')?.size
}
/** The same where the kind itself may not be served. */
const servedSize = async (group: string, name: string): Promise<unknown> =>
  (await cluster.admin.listTypes(`${group}/v1`)) === 'absent' ? 'not served' : sizeOf(toolsOf(group), name)
const deleteDefinition = (group: string) =>
  cluster.admin.delete(definitionType, {namespace: '', name: `tools.${group}`}, {propagation: 'Background'})
/** Requests for a kind that is gone, other than to look whether it is back. */
const writesTo = (agent: TestAgent, group: string) =>
  agent.requests.filter(({method, path}) => method !== 'GET' && path.includes(`/apis/${group}/`))

test("keeps a definition that has others' objects, says so, and prunes it when they are gone", async (t) => {
  const group = 'held.example'
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const rest = configMap('default', 'held')
  await bridge.publish({held: {manifests: [definition(group), tool(group, 'ours', 1), rest]}})
  await agent.waitFor({event: 'healthy', app: 'held'})
  await applyAs(cluster.admin, 'somebody', toolsOf(group), tool(group, 'theirs', 2))
  await bridge.publish({held: {manifests: [rest]}})
  const kept = await agent.waitFor({event: 'failed', app: 'held', code: 'HOLDS_OTHERS'})
  assert.match(kept.message ?? '', /tools\.held\.example: the definition holds 1 custom resource/)
  assert.equal(await sizeOf(toolsOf(group), 'ours'), 'absent')
  assert.equal(await sizeOf(toolsOf(group), 'theirs'), 2)
  await cluster.admin.delete(toolsOf(group), {namespace: 'default', name: 'theirs'}, {propagation: 'Background'})
  await waitUntil(
    async () => (await read(definitionType, `tools.${group}`)) === 'absent',
    'the definition pruned',
    30_000,
  )
})

test('prunes a definition together with its own objects, and none of another app', async (t) => {
  const group = 'alone.example'
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const rest = configMap('default', 'alone')
  await bridge.publish({
    alone: {manifests: [definition(group), tool(group, 'ours', 1), rest]},
    user: {manifests: [configMap('default', 'user')]},
  })
  await agent.waitFor({event: 'healthy', app: 'alone'})
  await bridge.publish({
    alone: {manifests: [definition(group), tool(group, 'ours', 1), rest]},
    user: {manifests: [configMap('default', 'user'), tool(group, 'used', 1)]},
  })
  await waitUntil(async () => (await sizeOf(toolsOf(group), 'used')) === 1, "the other app's object")
  await bridge.publish({
    alone: {manifests: [rest]},
    user: {manifests: [configMap('default', 'user'), tool(group, 'used', 1)]},
  })
  await agent.waitFor({event: 'failed', app: 'alone', code: 'HOLDS_OTHERS'})
  assert.equal(await sizeOf(toolsOf(group), 'used'), 1)
  await bridge.publish({alone: {manifests: [rest]}, user: {manifests: [configMap('default', 'user')]}})
  await waitUntil(
    async () => (await read(definitionType, `tools.${group}`)) === 'absent',
    'the definition pruned',
    30_000,
  )
})

test('makes a deleted definition anew, and then the objects that went with it', async (t) => {
  const group = 'lost.example'
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const manifests = [definition(group), tool(group, 'a', 1), tool(group, 'b', 2), configMap('default', 'lost')]
  await bridge.publish({lost: {manifests}})
  await agent.waitFor({event: 'healthy', app: 'lost'})
  const before = await read(definitionType, `tools.${group}`)
  const seen = {events: agent.events.length, writes: writesTo(agent, group).length}
  await deleteDefinition(group)
  await agent.waitFor({
    event: 'drifted',
    app: 'lost',
    object: `apiextensions.k8s.io/CustomResourceDefinition//tools.${group}`,
  })
  const isAnew = async () => {
    const now = await read(definitionType, `tools.${group}`)
    if (before === 'absent' || now === 'absent' || now.metadata.uid === before.metadata.uid) return false
    return (await servedSize(group, 'a')) === 1 && (await servedSize(group, 'b')) === 2
  }
  await waitUntil(isAnew, () => `both: ${agent.lines.slice(-10).join('\n')}`, 40_000)
  await waitUntil(() => bridge.report()?.apps[0]?.ready === 'True', 'the app ready', 30_000)
  await waitUntil(() => bridge.report()?.apps[0]?.driftedTotal === 0, 'no drift in the report')
  const writes = writesTo(agent, group).length - seen.writes
  assert.ok(writes <= 20, `${writes} writes for two objects`)
  // It is followed again: the next drift is noticed too.
  const events = agent.events.length
  await applyAs(cluster.admin, 'somebody', toolsOf(group), tool(group, 'a', 9))
  await agent.waitFor({event: 'healed', object: `${group}/Tool/default/a`}, {after: events})
  assert.equal(await sizeOf(toolsOf(group), 'a'), 1)
})

test("says that a kind is gone whose definition was somebody else's, asks for it ever more seldom, and goes on when it is back", async (t) => {
  const group = 'foreign.example'
  await applyAs(cluster.admin, 'somebody', definitionType, definition(group))
  await waitUntil(async () => (await cluster.admin.listTypes(`${group}/v1`)) !== 'absent', 'the kind served')
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  await bridge.publish({
    foreign: {manifests: [tool(group, 'a', 1), configMap('default', 'foreign', {v: '1'})]},
    plain: {manifests: [configMap('default', 'plain', {v: '1'})]},
  })
  await agent.waitFor({event: 'healthy', app: 'foreign'})
  await agent.waitFor({event: 'healthy', app: 'plain'})
  await deleteDefinition(group)
  await agent.waitFor({event: 'drifted', app: 'foreign', object: `${group}/Tool/default/a`})
  await waitUntil(
    () => bridge.report()?.apps.find(({name}) => name === 'foreign')?.ready === 'False',
    'the app not ready',
  )
  const reported = bridge.report()?.apps.find(({name}) => name === 'foreign')
  assert.match(reported?.message ?? '', /Tool/)
  const seen = agent.events.length
  await bridge.publish({
    foreign: {manifests: [tool(group, 'a', 1), configMap('default', 'foreign', {v: '1'})]},
    plain: {manifests: [configMap('default', 'plain', {v: '2'})]},
  })
  await agent.waitFor({event: 'healthy', app: 'plain'}, {after: seen})
  await applyAs(cluster.admin, 'somebody', definitionType, definition(group))
  await waitUntil(
    async () => (await servedSize(group, 'a')) === 1,
    () => `the object back: ${agent.lines.slice(-10).join('\n')}`,
    60_000,
  )
  const writes = writesTo(agent, group).length
  assert.ok(writes <= 20, `${writes} writes for one object`)
})

test('follows a definition to a new version while it runs, and sees drift when the old one is no longer served', async (t) => {
  const group = 'versioned.example'
  const bridge = await createTestBridge(cluster, t)
  // Long enough for the same term to outlive the API server's restart.
  const agent = bridge.startAgent({config: {leaseSeconds: 60}})
  const publish = async (manifests: Manifest[]) => {
    const seen = agent.events.length
    await bridge.publish({versioned: {manifests}})
    await agent.waitFor({event: 'healthy', app: 'versioned'}, {after: seen})
  }
  await publish([definition(group), tool(group, 'a', 1)])
  const first = await read(toolsOf(group), 'a')
  await publish([definition(group, ['v1', 'v2']), tool(group, 'a', 2, 'v2')])
  const second = await read(toolsOf(group, 'v2'), 'a')
  assert.ok(first !== 'absent' && second !== 'absent')
  assert.equal(second.metadata.uid, first.metadata.uid)
  await publish([definition(group, ['v1', 'v2'], ['v1']), tool(group, 'a', 2, 'v2')])
  await waitUntil(async () => (await cluster.admin.listTypes(`${group}/v1`)) === 'absent', 'v1 no longer served')
  // What watches the old version is kept for a while, and never again once it ended.
  await cluster.cluster.stopApiServer()
  await cluster.cluster.startApiServer()
  const seen = agent.events.length
  await applyAs(cluster.admin, 'somebody', toolsOf(group, 'v2'), tool(group, 'a', 9, 'v2'))
  await agent.waitFor({event: 'healed', object: `${group}/Tool/default/a`}, {after: seen, timeoutMs: 30_000})
  assert.equal(await sizeOf(toolsOf(group, 'v2'), 'a'), 2)
  await publish([definition(group, ['v1', 'v2'], ['v1'])])
  assert.equal(await sizeOf(toolsOf(group, 'v2'), 'a'), 'absent')
})

test('makes all of an app anew whose namespace was deleted, once it is gone', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const own = 'swept'
  const data = async (name: string) => {
    const found = await read(types.configMap, name, own)
    return found === 'absent' ? 'absent' : childObject(found, 'data')?.v
  }
  await bridge.publish({
    [own]: {manifests: [namespace(own), ...['a', 'b', 'c'].map((name) => configMap(own, name, {v: name}))]},
  })
  await agent.waitFor({event: 'healthy', app: own})
  const before = await read(types.namespace, own)
  await cluster.admin.delete(types.namespace, {namespace: '', name: own}, {propagation: 'Background'})
  await waitUntil(
    async () => {
      const now = await read(types.namespace, own)
      const anew = now !== 'absent' && before !== 'absent' && now.metadata.uid !== before.metadata.uid
      return anew && (await data('a')) === 'a' && (await data('b')) === 'b' && (await data('c')) === 'c'
    },
    () => `all of it: ${agent.lines.slice(-10).join('\n')}`,
    60_000,
  )
  await waitUntil(() => bridge.report()?.apps[0]?.ready === 'True', 'the app ready', 30_000)
  await waitUntil(() => bridge.report()?.apps[0]?.driftedTotal === 0, 'no drift in the report', 30_000)
  const writes = agent.requests.filter(
    ({method, path}) => method === 'PATCH' && path.includes(`/namespaces/${own}`) && !path.includes('dryRun'),
  )
  assert.ok(writes.length <= 40, `${writes.length} applies for four objects`)
})
