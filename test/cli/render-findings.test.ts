import assert from 'node:assert/strict'
import {type TestContext, test} from 'node:test'
import {formatFinding} from '#shared/model/outcome.ts'
import {startRenderBridge} from '#test/functions/render/bridge-fixture.ts'
import {app, cluster, configMap} from '#test/functions/render/fleet-files.ts'
import {runCli} from './run-cli.ts'

const random = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {key: {{ randAlphaNum 20 | quote }}}\n'
const chart = {'Chart.yaml': 'apiVersion: v2\nname: c\nversion: 0.1.0\n'}
const within = (folder: string, files: Record<string, string>) =>
  Object.fromEntries(Object.entries(files).map(([name, text]) => [`${folder}/${name}`, text]))

async function pushAll(t: TestContext, apps: Record<string, Record<string, string>>) {
  const {bridge, repository} = await startRenderBridge(t)
  const declared = Object.keys(apps).map((name) => app(name, `{source: {path: ${name}}, clusters: [dev]}`))
  const files = Object.entries(apps).map(([name, each]) => within(name, each))
  await repository.push({'drawbridge.yaml': cluster('dev') + declared.join(''), ...Object.assign({}, ...files)})
  return {sent: await bridge.push(repository.url), repository}
}

test('render says offline, without a cluster named, what the push is told', async (t) => {
  const {sent, repository} = await pushAll(t, {
    base: {'kustomization.yaml': 'resources:\n- https://example.com/a.yaml\n'},
    lost: {'kustomization.yaml': 'resources:\n- missing.yaml\n'},
    shop: {...chart, 'templates/a.yaml': '{{ fail "no" }}\n'},
    tab: {'a.yaml': 'a:\n\tb: c\n'},
    warned: {...chart, 'templates/a.yaml': random},
    well: {'a.yaml': configMap('well')},
  })
  const {status, stdout, stderr} = await runCli(['render', '--repo', repository.url])
  const told = sent.findings.map(formatFinding)
  const warnings = sent.outcomes.flatMap((outcome) => outcome.warnings ?? [])
  assert.equal(told.length, 4)
  assert.equal(warnings.length, 1)
  const expected = [...told, ...warnings.map((warning) => `warning: ${formatFinding(warning)}`)]
  assert.deepEqual(stderr.trim().split('\n').sort(), expected.sort())
  assert.equal(status, 1)
  assert.match(stdout, /^---\n# app: warned\n/)
  assert.match(stdout, /^---\n# app: well\napiVersion: v1\n/m)
})

test('render refuses an app of which nothing is left', async (t) => {
  const {repository} = await pushAll(t, {web: {'a.yaml': configMap('a'), '.drawbridgeignore': '*\n'}})
  const {status, stdout, stderr} = await runCli(['render', '--repo', repository.url])
  assert.equal(status, 1)
  assert.equal(stdout, '')
  assert.match(stderr, /^EMPTY_RENDER app web: .*1 file by web\/\.drawbridgeignore/)
})
