import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import type {JsonObject, Manifest} from '#shared/model/manifest.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {applyAs, configMap, createTestBridge, namespace, types} from './start-test-agent.ts'

let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster.stop())

const unplaced = ({metadata: {namespace: _, ...metadata}, ...manifest}: Manifest): Manifest =>
  ({...manifest, metadata}) as Manifest

function definition(scope: 'Namespaced' | 'Cluster', kind: string, group: string): Manifest {
  const plural = `${kind.toLowerCase()}s`
  const schema = {openAPIV3Schema: {type: 'object', 'x-kubernetes-preserve-unknown-fields': true}}
  const versions: JsonObject[] = [{name: 'v1', served: true, storage: true, schema}]
  const spec = {group, names: {kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List`}, scope, versions}
  const metadata = {name: `${plural}.${group}`}
  return {apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata, spec} as Manifest
}

const custom = (kind: string, name: string, inNamespace?: string): Manifest => ({
  apiVersion: 'same.example/v1',
  kind,
  metadata: {name, ...(inNamespace === undefined ? {} : {namespace: inNamespace})},
})

for (const [name, within, manifests, words] of [
  [
    'same-a',
    undefined,
    [unplaced(configMap('', 'same-a', {v: '1'})), configMap('default', 'same-a', {v: '2'})],
    /ConfigMap default\/same-a is declared twice: as object 1 .*without a namespace.* object 2 .*namespace: default/,
  ],
  [
    'same-b',
    'same-b',
    [custom('Same', 'x'), custom('Same', 'x', 'same-b')],
    /Same\.same\.example same-b\/x is declared twice/,
  ],
  [
    'same-c',
    undefined,
    [custom('Wide', 'x'), custom('Wide', 'x', 'anywhere')],
    /Wide\.same\.example x is declared twice/,
  ],
] as const) {
  test(`refuses two manifests of one live object before anything is applied (${name})`, async (t) => {
    const bridge = await createTestBridge(cluster, t)
    const agent = bridge.startAgent()
    await applyAs(cluster.admin, 'somebody', types.namespace, namespace('same-b'))
    const kinds = [definition('Namespaced', 'Same', 'same.example'), definition('Cluster', 'Wide', 'same.example')]
    await bridge.publish({kinds: {manifests: kinds}})
    await agent.waitFor({event: 'healthy', app: 'kinds'})
    await bridge.publish({
      kinds: {manifests: kinds},
      [name]: {
        manifests: [configMap('default', `${name}-other`), ...manifests],
        ...(within ? {namespace: within} : {}),
      },
    })
    const refused = await agent.waitFor({event: 'refused', app: name, code: 'DUPLICATE_OBJECT'})
    assert.match(refused.message ?? '', words)
    const other = {namespace: 'default', name: `${name}-other`}
    assert.equal(await cluster.admin.get(types.configMap, other, 'metadata'), 'absent')
  })
}
