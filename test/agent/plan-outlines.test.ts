import assert from 'node:assert/strict'
import {test} from 'node:test'
import type {Discovery} from '#agent/kube/discovery.ts'
import {outlineOf} from '#agent/outline-manifest.ts'
import {type PlannedBundle, planObjects, planOutlines} from '#agent/plan-objects.ts'
import type {Manifest} from '#shared/model/manifest.ts'
import {configMap, namespace, types} from './start-test-agent.ts'

const discovery: Discovery = {
  find: async (_, kind) => Object.values(types).find((type) => type.kind === kind),
  known: () => undefined,
  forget: () => undefined,
}

const annotated = (name: string, annotations: Record<string, string>): Manifest => {
  const {apiVersion, kind} = configMap('web', name)
  return {
    apiVersion,
    kind,
    metadata: {name, annotations: {...annotations, other: 'x'}, labels: {a: 'b'}},
    data: {a: name},
  }
}
const definition: Manifest = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {name: 'widgets.example.com'},
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: {kind: 'Widget', plural: 'widgets', shortNames: ['w']},
    versions: [{name: 'v1', served: true, schema: {openAPIV3Schema: {type: 'object'}}}],
  },
}
const manifests: Manifest[] = [
  {apiVersion: 'example.com/v1', kind: 'Widget', metadata: {name: 'w'}, spec: {size: 1}},
  definition,
  namespace('web'),
  configMap('', 'plain'),
  annotated('hook', {'argocd.argoproj.io/hook': 'PreSync,PostSync'}),
  {
    ...annotated('run', {'argocd.argoproj.io/hook': 'PreSync'}),
    metadata: {name: 'run', generateName: 'run-', annotations: {'argocd.argoproj.io/hook': 'PreSync,PostSync'}},
  },
  annotated('late', {'argocd.argoproj.io/sync-wave': '3'}),
  annotated('once', {'kustomize.toolkit.fluxcd.io/ssa': 'IfNotPresent'}),
  annotated('never', {'kustomize.toolkit.fluxcd.io/reconcile': 'disabled'}),
  {apiVersion: 'v1', kind: 'Secret', metadata: {name: 's'}, stringData: {a: 'b'}},
]

const show = ({steps, objects, hooks, once, untouched}: PlannedBundle) =>
  JSON.parse(JSON.stringify([steps, [...objects], [...hooks], [...once], [...untouched]]))

test('a bundle is planned by the outlines of its objects as it is by all of them', async () => {
  const options = {app: 'web', namespace: 'web', discovery, bundle: `sha256:${'0'.repeat(64)}`}
  const outlined = await planOutlines(manifests.map(outlineOf), options)
  for (const manifest of manifests) outlined.fill(manifest)
  outlined.close()
  const whole = show(await planObjects(manifests, options))
  assert.deepEqual(show(outlined.planned), whole)
  assert.match(JSON.stringify(whole), /\\"size\\":1/)
})
