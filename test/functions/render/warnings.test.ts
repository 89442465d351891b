import assert from 'node:assert/strict'
import {type TestContext, test} from 'node:test'
import {RenderBridge, renderPool, startRenderBridge} from './bridge-fixture.ts'
import {app, cluster, configMap, oneApp} from './fleet-files.ts'

const random = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {key: {{ randAlphaNum 20 | quote }}}\n'
const fleet = {
  'drawbridge.yaml':
    cluster('dev') +
    app('shop', '{source: {path: shop}, clusters: [dev]}') +
    app('web', '{source: {path: web}, clusters: [dev]}'),
  'shop/Chart.yaml': 'apiVersion: v2\nname: c\nversion: 0.1.0\n',
  'shop/templates/a.yaml': random,
  'web/a.yaml': configMap('web'),
}

async function start(t: TestContext) {
  const {bridge, repository} = await startRenderBridge(t)
  await repository.push(fleet)
  const first = await bridge.push(repository.url)
  await bridge.publish(first.requests)
  return {bridge, repository, first}
}

type Sent = Awaited<ReturnType<RenderBridge['push']>>
const told = ({outcomes}: Sent) =>
  outcomes.map(({warnings = []}) => warnings.map(({code, app: name, file}) => `${code} ${name} ${file}`))
const warning = 'NOT_REPRODUCIBLE shop shop/templates/a.yaml'

test('a warning is repeated with each outcome as long as it holds, and gone when it does not', async (t) => {
  const {bridge, repository, first} = await start(t)
  assert.deepEqual(told(first), [[warning]])
  await repository.push({'web/a.yaml': configMap('web', 'new')})
  const unrelated = await bridge.push(repository.url)
  assert.deepEqual(told(unrelated), [[warning]])
  await bridge.publish(unrelated.requests)
  await repository.push({'readme.md': 'x'})
  assert.deepEqual(told(await bridge.push(repository.url)), [[warning]])
  // Delivered again: nothing is to be done.
  assert.deepEqual(told(await bridge.push(repository.url)), [[warning]])
  await repository.push({'shop/templates/a.yaml': configMap('a')})
  const mended = await bridge.push(repository.url)
  assert.deepEqual(told(mended), [[]])
})

test('another process repeats a warning without rendering the app', async (t) => {
  const {bridge, repository} = await start(t)
  const fresh = new RenderBridge(bridge.folder, await renderPool(), [{url: repository.url}], {
    store: bridge.ports.store,
  })
  const rendered: string[] = []
  const {renderers} = fresh.ports
  fresh.ports.renderers = {
    ...renderers,
    render: (order) => {
      rendered.push(order.app.metadata.name)
      return renderers.render(order)
    },
  }
  await repository.push({'readme.md': 'x'})
  assert.deepEqual(told(await fresh.push(repository.url)), [[warning]])
  assert.deepEqual(rendered, [])
})

test('an app that has nothing left is refused where a cluster has objects of it, with what left them out', async (t) => {
  const {bridge, repository} = await startRenderBridge(t)
  await repository.push({'drawbridge.yaml': oneApp, 'app/a.yaml': configMap('a')})
  await bridge.publish((await bridge.push(repository.url)).requests)
  await repository.push({'app/.drawbridgeignore': '*\n'})
  const {findings, requests} = await bridge.push(repository.url)
  assert.deepEqual(
    findings.map(({code, app: name, cluster: where}) => [code, name, where]),
    [['EMPTY_RENDER', 'shop', 'dev']],
  )
  assert.match(findings[0]?.message ?? '', /Left out of app are 1 file by app\/\.drawbridgeignore\./)
  assert.ok(requests.every(({apps}) => apps.every(({outcome}) => outcome === 'failed')))
})

test('an app that never had anything is published empty, with a warning', async (t) => {
  const {bridge, repository} = await startRenderBridge(t)
  await repository.push({'drawbridge.yaml': oneApp, 'app/readme.md': 'x'})
  const sent = await bridge.push(repository.url)
  assert.deepEqual([sent.findings, told(sent)], [[], [['EMPTY_RENDER shop undefined']]])
})
