import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import type {ResourceType} from '#agent/kube/kube-client.ts'
import type {Manifest} from '#shared/model/manifest.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {configMap, createTestBridge, namespace, types, waitUntil} from './start-test-agent.ts'

let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster?.stop())

const typeOf = (group: string): ResourceType => ({
  group,
  version: 'v1',
  kind: 'Thing',
  plural: 'things',
  namespaced: true,
})
const definitions: ResourceType = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
}

/** An operator: the definition of its kind, what runs it, and in a later wave an object that it keeps by a finalizer until it has cleaned up. */
function operator(space: string, group: string): Manifest[] {
  return [
    {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: {name: `things.${group}`},
      spec: {
        group,
        scope: 'Namespaced',
        names: {kind: 'Thing', plural: 'things', singular: 'thing', listKind: 'ThingList'},
        versions: [{name: 'v1', served: true, storage: true, schema: {openAPIV3Schema: {type: 'object'}}}],
      },
    },
    // What runs it: any object of an earlier wave will do.
    configMap(space, 'operator'),
    {
      apiVersion: `${group}/v1`,
      kind: 'Thing',
      metadata: {
        name: 'kept',
        namespace: space,
        finalizers: [`${group}/clean-up`],
        annotations: {'argocd.argoproj.io/sync-wave': '1'},
      },
    },
  ]
}

for (const how of ['removed', 'pruned'] as const) {
  test(`an operator that is ${how} stays until its finalizers are through; what hangs is told, and nothing is left`, async (t) => {
    const bridge = await createTestBridge(cluster, t)
    const space = `staged-${how}`
    const group = `${space}.example.com`
    const thing = typeOf(group)
    const agent = bridge.startAgent()
    const kept = [namespace(space), configMap(space, 'c')]
    const manifests = operator(space, group)
    await bridge.publish({[space]: {manifests: [...kept, ...manifests]}})
    const read = (type: ResourceType, name: string, within = space) =>
      cluster.admin.get(type, {namespace: within, name}, 'metadata')
    await waitUntil(async () => (await read(thing, 'kept')) !== 'absent', 'all of it', 40_000)

    if (how === 'removed') await bridge.publish({}, {removed: {[space]: 'Delete'}})
    else await bridge.publish({[space]: {manifests: kept}})
    await waitUntil(
      () => new RegExp(`Thing.${group} ${space}/kept`).test(bridge.report()?.apps[0]?.message ?? ''),
      'what hangs',
      40_000,
    )
    assert.notEqual(await read(types.configMap, 'operator'), 'absent', 'the operator is there to clean up')
    assert.notEqual(await read(definitions, `things.${group}`, ''), 'absent')

    await cluster.transport.send({
      method: 'PATCH',
      path: `/apis/${group}/v1/namespaces/${space}/things/kept`,
      contentType: 'application/merge-patch+json',
      body: JSON.stringify({metadata: {finalizers: null}}),
      what: 'clean up',
    })
    await waitUntil(async () => (await read(definitions, `things.${group}`, '')) === 'absent', 'the rest', 60_000)
    assert.equal(await read(types.configMap, 'operator'), 'absent')
    if (how === 'removed') await agent.waitFor({event: 'removed', app: space}, {timeoutMs: 40_000})
    else await waitUntil(() => bridge.report()?.apps[0]?.ready === 'True', 'that all is well', 40_000)
  })
}
