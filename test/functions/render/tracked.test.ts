import assert from 'node:assert/strict'
import {test} from 'node:test'
import {createGitSource} from '#shared/git/create-git-source.ts'
import type {RepositoryPolicy} from '#shared/model/tracked-repository.ts'
import {systemClock} from '#shared/ports/clock.ts'
import {createRepository, RenderBridge, renderPool, temporaryFolder} from './bridge-fixture.ts'

const configMap = (namespace: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: ${namespace}}\n`
const role = 'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: all}\n'
const cluster = (name: string) => `---\napiVersion: drawbridge.dev/v1alpha1\nkind: Cluster\nmetadata: {name: ${name}}\n`
const app = (name: string, spec: string) =>
  `---\napiVersion: drawbridge.dev/v1alpha1\nkind: App\nmetadata: {name: ${name}}\nspec: {${spec}}\n`

const good = 'source: {path: good}, clusters: [dev], serviceAccount: team-a/deployer'
const policies: readonly [what: string, policy: RepositoryPolicy, spec: string, code: string][] = [
  [
    'a cluster',
    {clusters: ['dev']},
    'source: {path: good}, clusters: [prod], serviceAccount: team-a/deployer',
    'CLUSTER_NOT_ALLOWED',
  ],
  [
    'a source',
    {sourceRepositories: ['https://github.com/acme/*']},
    'source: {repository: "https://nowhere.invalid/a/b"}, clusters: [dev]',
    'SOURCE_NOT_ALLOWED',
  ],
  [
    'a namespace',
    {namespaces: ['team-*', '!team-b']},
    'source: {path: elsewhere}, clusters: [dev]',
    'NAMESPACE_NOT_ALLOWED',
  ],
  ['a cluster-wide kind', {clusterKinds: ['Namespace']}, 'source: {path: role}, clusters: [dev]', 'KIND_NOT_ALLOWED'],
  [
    'the agent itself as who applies',
    {serviceAccounts: ['team-a/*']},
    'source: {path: good}, clusters: [dev]',
    'SERVICE_ACCOUNT_NOT_ALLOWED',
  ],
]

for (const [what, policy, spec, code] of policies) {
  test(`an app that names ${what} which the configuration forbids is a finding, and the others go on`, async (context) => {
    const folder = await temporaryFolder(context)
    const repository = await createRepository(folder, 'fleet')
    const asked: string[] = []
    const source = createGitSource({cacheDir: folder, clock: systemClock})
    const git: typeof source = {
      ...source,
      resolveRef: async (url, ref) => {
        asked.push(url)
        return source.resolveRef(url, ref)
      },
    }
    await repository.push({
      'drawbridge.yaml': `${cluster('dev')}${cluster('prod')}${app('good', good)}${app('bad', spec)}`,
      'good/a.yaml': configMap('team-a'),
      'elsewhere/a.yaml': configMap('team-b'),
      'role/a.yaml': role,
    })
    const bridge = new RenderBridge(folder, await renderPool(), [{url: repository.url, policy}], {git})
    const {requests, findings} = await bridge.push(repository.url)
    assert.deepEqual(
      findings.map((finding) => [finding.app, finding.code]),
      [['bad', code]],
    )
    const ready = requests.flatMap(({apps}) =>
      apps.flatMap((each) => (each.outcome === 'ready' ? [each.app.name] : [])),
    )
    assert.deepEqual(ready, ['good'])
    assert.ok(asked.every((url) => url === repository.url))
  })
}

test('a policy that came later is held against what renders to the same as before', async (context) => {
  const folder = await temporaryFolder(context)
  const repository = await createRepository(folder, 'fleet')
  await repository.push({
    'drawbridge.yaml': `${cluster('dev')}${app('web', 'source: {path: web}, clusters: [dev]')}`,
    'web/a.yaml': configMap('team-b'),
  })
  const before = new RenderBridge(folder, await renderPool(), [{url: repository.url}], {})
  await before.publish((await before.push(repository.url)).requests)
  const start = (policy: RepositoryPolicy) =>
    new RenderBridge(folder, before.ports.renderers, [{url: repository.url, policy}], {store: before.ports.store})
  const {requests, findings} = await start({namespaces: ['team-a']}).sweep()
  assert.deepEqual(requests, [])
  assert.deepEqual(
    findings.map(({code}) => code),
    ['NAMESPACE_NOT_ALLOWED'],
  )
  const same = await start({namespaces: ['team-*']}).sweep()
  assert.deepEqual([same.requests, same.findings], [[], []])
})

test('a removal in a cluster that may not be named any more removes nothing there, and is told', async (context) => {
  const folder = await temporaryFolder(context)
  const repository = await createRepository(folder, 'fleet')
  const web = app('web', 'source: {path: web}, clusters: [dev]')
  const files = {'web/a.yaml': configMap('team-a'), 'drawbridge.yaml': `${cluster('dev')}${web}`}
  await repository.push(files)
  const before = new RenderBridge(folder, await renderPool(), [{url: repository.url}], {})
  await before.publish((await before.push(repository.url)).requests)
  const other = `${cluster('staging')}${app('other', 'source: {path: web}, clusters: [staging]')}`
  await repository.push({'drawbridge.yaml': other})
  const limited = [{url: repository.url, policy: {clusters: ['staging']}}]
  const after = new RenderBridge(folder, before.ports.renderers, limited, {store: before.ports.store})
  const {requests, findings} = await after.push(repository.url)
  assert.deepEqual(
    requests.map((request) => request.cluster),
    ['staging'],
  )
  assert.deepEqual(
    findings.map((finding) => [finding.code, finding.app, finding.cluster]),
    [['CLUSTER_NOT_ALLOWED', 'web', 'dev']],
  )
})

test('a declaration that is not tracked any more is told once by the sweep, and nothing of it is removed', async (context) => {
  const folder = await temporaryFolder(context)
  const [old, fresh] = await Promise.all([createRepository(folder, 'old'), createRepository(folder, 'fresh')])
  const declare = (name: string) => ({
    'drawbridge.yaml': `${cluster('dev')}${app(name, `source: {path: ${name}}, clusters: [dev]`)}`,
    [`${name}/a.yaml`]: configMap('team-a'),
  })
  await old.push(declare('old-app'))
  await fresh.push(declare('new-app'))
  const before = new RenderBridge(folder, await renderPool(), [{url: old.url}, {url: fresh.url}], {})
  const first = await before.sweep()
  await before.publish(first.requests)
  assert.deepEqual(first.findings, [])
  const after = new RenderBridge(folder, before.ports.renderers, [{url: fresh.url}], {store: before.ports.store})
  const {requests, outcomes} = await after.sweep()
  assert.deepEqual(requests, [])
  const [outcome] = outcomes
  assert.equal(outcome?.repository, old.url)
  assert.deepEqual(
    outcome?.findings.map(({code, ...about}) => [code, about.app, about.cluster]),
    [['DECLARATION_NOT_TRACKED', 'old-app', 'dev']],
  )
  assert.deepEqual((await after.sweep()).outcomes, [])
})
