import assert from 'node:assert/strict'
import {test} from 'node:test'
import fc from 'fast-check'
import {createRenderPool, type RenderPool} from '#functions/render/box/render-pool.ts'
import {renderForCluster} from '#functions/render/render-for-cluster.ts'
import {findRenderers} from '#infra/local/renderers/find-renderers.ts'
import {unpackBundle} from '#shared/bundle/unpack-bundle.ts'
import {renderPool, startRenderBridge} from './bridge-fixture.ts'
import {app, cluster, configMap} from './fleet-files.ts'

const files = {
  'drawbridge.yaml':
    cluster('dev') +
    cluster('prod') +
    app('plain', '{source: {path: plain}, clusters: [dev, prod], namespace: web}') +
    app('kust', '{source: {path: kust}, clusters: [dev]}') +
    app('chart', '{source: {path: chart}, clusters: [dev]}') +
    app('away', '{source: {repository: "https://example.com/o/r"}, clusters: [dev]}'),
  'plain/b.yaml': configMap('b'),
  'plain/a.json':
    '{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}]}',
  'plain/.hidden/c.yaml': 'not: a manifest\n',
  'kust/kustomization.yaml':
    'resources: [a.yaml]\nconfigMapGenerator:\n- name: g\n  files: [renamed.txt=words.txt]\ngenerators: [gen.yaml]\ntransformers: [prefix.yaml]\n',
  'kust/a.yaml': configMap('a'),
  'kust/words.txt': 'words\n',
  'kust/more.txt': 'more\n',
  'kust/gen.yaml': 'apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: h}\nfiles: [more.txt]\n',
  'kust/prefix.yaml':
    'apiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: p}\nprefix: pre-\nfieldSpecs: [{path: metadata/name}]\n',
  'chart/Chart.yaml': 'apiVersion: v2\nname: c\nversion: 0.1.0\n',
  'chart/templates/a.yaml': configMap('{{ .Release.Name }}'),
}

async function start(t: Parameters<typeof startRenderBridge>[0]) {
  const {bridge, repository, folder} = await startRenderBridge(t)
  const commit = await repository.push(files)
  const render = async (options: {cluster: string; app?: string}, renderers?: RenderPool) => {
    const tree = await bridge.ports.git.fetchTree(repository.url, commit, 'refs/heads/main')
    return renderForCluster({
      tree,
      repository: repository.url,
      ref: 'refs/heads/main',
      renderers: renderers ?? (await renderPool()),
      ...options,
    })
  }
  return {bridge, repository, folder, render}
}

test('renders what the render function publishes, byte for byte, every time', async (t) => {
  const {bridge, repository, render} = await start(t)
  const {requests} = await bridge.push(repository.url)
  const published = requests
    .filter(({cluster: name}) => name === 'dev')
    .flatMap(({apps}) => apps.flatMap((each) => (each.outcome === 'ready' ? [each.app.bundle.digest] : [])))
    .sort()
  const modules = await findRenderers({env: process.env, onProgress: () => undefined})
  const fresh = createRenderPool({modules})
  t.after(() => fresh.close())
  for (const renderers of [await renderPool(), fresh]) {
    const {apps} = await render({cluster: 'dev'}, renderers)
    assert.deepEqual(apps.flatMap(({bundle}) => bundle?.address.digest ?? []).sort(), published)
    for (const {bundle, manifests} of apps) {
      if (bundle === undefined) continue
      assert.equal(unpackBundle(bundle.bytes, bundle.address).manifests.length, manifests.length)
    }
  }
})

test('reads all that a kustomization names, through its generators and transformers too', async (t) => {
  const {render} = await start(t)
  const {apps} = await render({cluster: 'dev', app: 'kust'})
  assert.deepEqual(apps[0]?.findings, [])
  const objects = apps[0]?.manifests.map(
    ({metadata, data}) => `${metadata.name.replace(/-[a-z0-9]{10}$/, '')} ${JSON.stringify(data)}`,
  )
  assert.deepEqual(objects?.sort(), [
    'pre-a {"value":"v"}',
    'pre-g {"renamed.txt":"words\\n"}',
    'pre-h {"more.txt":"more\\n"}',
  ])
})

test('lists and JSON are read, hidden folders are not', async (t) => {
  const {render} = await start(t)
  const {apps} = await render({cluster: 'prod'})
  assert.deepEqual(
    apps.map(({app: name}) => name),
    ['plain'],
  )
  assert.deepEqual(
    apps[0]?.manifests.map(({metadata}) => `${metadata.namespace}/${metadata.name}`),
    ['web/a', 'web/b'],
  )
})

test('another repository, an unknown cluster and an unknown app are findings', async (t) => {
  const {render} = await start(t)
  const away = await render({cluster: 'dev', app: 'away'})
  assert.match(
    away.apps[0]?.findings[0]?.message ?? '',
    /https:\/\/example\.com\/o\/r at refs\/heads\/main, which is not fetched/,
  )
  assert.match((await render({cluster: 'pord'})).findings[0]?.message ?? '', /no cluster pord.*dev, prod/)
  assert.match(
    (await render({cluster: 'prod', app: 'kust'})).findings[0]?.message ?? '',
    /no app kust for cluster prod.*plain/,
  )
})

test('what is pushed is what is bundled, and rendered again it gives the same bundle', async (t) => {
  const {bridge, repository} = await startRenderBridge(t)
  const name = fc.stringMatching(/^[a-z]([a-z0-9-]{0,8}[a-z0-9])?$/)
  const data = fc.dictionary(name, fc.string({unit: 'grapheme-ascii', maxLength: 10}), {
    minKeys: 1,
    maxKeys: 3,
    noNullPrototype: true,
  })
  const objects = fc.dictionary(name, data, {minKeys: 1, maxKeys: 4, noNullPrototype: true})
  await fc.assert(
    fc.asyncProperty(objects, fc.boolean(), async (fleet, split) => {
      const documents = Object.entries(fleet).map(([key, value]) =>
        JSON.stringify({apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: key}, data: value}),
      )
      const layout = split
        ? Object.fromEntries(documents.map((text, index) => [`app/${index}.yaml`, text]))
        : {'app/all.yaml': documents.join('\n---\n')}
      await repository.push({app: undefined}).catch(() => undefined)
      await repository.push({'drawbridge.yaml': cluster('dev') + app('shop'), ...layout})
      const digests: unknown[] = []
      for (let round = 0; round < 2; round++) {
        const {requests, findings} = await bridge.push(repository.url)
        assert.deepEqual(findings, [])
        const [entry] = requests[0]?.apps ?? []
        assert.ok(entry?.outcome === 'ready')
        digests.push(entry.app.bundle.digest)
        const found = bridge.manifests(entry.app.bundle).map(({metadata, data: values}) => [metadata.name, values])
        assert.deepEqual(Object.fromEntries(found), fleet)
      }
      assert.equal(digests[0], digests[1])
    }),
    {numRuns: 8},
  )
})
