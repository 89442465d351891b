import assert from 'node:assert/strict'
import {test} from 'node:test'
import {startRenderBridge} from './bridge-fixture.ts'

const cluster = (name: string, labels = '{}') =>
  `apiVersion: drawbridge.dev/v1alpha1\nkind: Cluster\nmetadata: {name: ${name}, labels: ${labels}}\n---\n`
const app = (name: string, spec: string) =>
  `apiVersion: drawbridge.dev/v1alpha1\nkind: App\nmetadata: {name: ${name}}\nspec: ${spec}\n---\n`
const configMap = (name: string, value = 'v') =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {value: "${value}"}\n`

test('renders a plain, a kustomize and a helm app of a pushed repository into bundles', async (t) => {
  const {bridge, repository} = await startRenderBridge(t)
  const commit = await repository.push({
    'drawbridge.yaml':
      cluster('dev', '{tier: low}') +
      app('plain', '{source: {path: plain}, clusters: [dev], namespace: web}') +
      app('kust', '{source: {path: "kust/overlays/${cluster.name}"}, clusters: {matchLabels: {tier: low}}}') +
      app('chart', '{source: {path: chart}, clusters: [dev], helm: {values: {word: inline}}}'),
    'plain/a.yaml': `${configMap('a')}---\n${configMap('b')}`,
    'kust/base/kustomization.yaml': 'resources: [cm.yaml]\n',
    'kust/base/cm.yaml': configMap('base'),
    'kust/overlays/dev/kustomization.yaml': 'resources: [../../base]\nnamePrefix: dev-\n',
    'chart/Chart.yaml': 'apiVersion: v2\nname: other\nversion: 0.1.0\n',
    'chart/values.yaml': 'word: default\n',
    'chart/templates/cm.yaml': `${configMap('{{ .Release.Name }}', '{{ .Values.word }}')}`,
  })
  const {requests, findings, outcomes} = await bridge.push(repository.url, commit)
  assert.deepEqual(findings, [])
  assert.equal(outcomes[0]?.commit, commit)
  assert.equal(requests.length, 1)
  const objects = (requests[0]?.apps ?? []).flatMap((each) =>
    each.outcome === 'ready' ? bridge.manifests(each.app.bundle).map(({metadata, data}) => ({metadata, data})) : [],
  )
  assert.deepEqual(objects, [
    {metadata: {name: 'a', namespace: 'web'}, data: {value: 'v'}},
    {metadata: {name: 'b', namespace: 'web'}, data: {value: 'v'}},
    {metadata: {name: 'dev-base'}, data: {value: 'v'}},
    {metadata: {name: 'chart'}, data: {value: 'inline'}},
  ])
  assert.deepEqual(bridge.journal.map(({event, app: name}) => `${event} ${name}`).sort(), [
    'rendered chart',
    'rendered kust',
    'rendered plain',
  ])
})
