import assert from 'node:assert/strict'
import {type TestContext, test} from 'node:test'
import type {PublishRange} from '#shared/model/publish-request.ts'
import {ObjectStoreError} from '#shared/ports/object-store-error.ts'
import {QueueError} from '#shared/ports/queue-error.ts'
import {SourceError} from '#shared/ports/source-error.ts'
import {createRepository, git, RenderBridge, renderPool, startRenderBridge, temporaryFolder} from './bridge-fixture.ts'
import {app, cluster, configMap, oneApp} from './fleet-files.ts'

/** `name: outcome` of each app in each cluster. */
function summary(requests: readonly PublishRange[]): string[] {
  return requests.flatMap(({cluster: name, apps}) =>
    apps.map((each) => (each.outcome === 'ready' ? `${name}/${each.app.name} ready` : `${name}/${each.name} failed`)),
  )
}

function events(bridge: RenderBridge): string[] {
  return bridge.journal
    .splice(0)
    .map(({event, app: name, cluster: at, message}) => [event, at, name, message].filter(Boolean).join(' '))
}

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
    'chart/templates/cm.yaml': configMap('{{ .Release.Name }}', '{{ .Values.word }}'),
  })
  const {requests, findings, outcomes} = await bridge.push(repository.url, commit)
  assert.deepEqual(findings, [])
  assert.equal(outcomes[0]?.commit, commit)
  assert.equal(requests.length, 1)
  const objects = (requests[0]?.apps ?? []).flatMap((each) =>
    each.outcome === 'ready' ? bridge.manifests(each.app.bundle).map(({metadata, data}) => ({metadata, data})) : [],
  )
  assert.deepEqual(objects, [
    {metadata: {name: 'chart'}, data: {value: 'inline'}},
    {metadata: {name: 'dev-base'}, data: {value: 'v'}},
    {metadata: {name: 'a', namespace: 'web'}, data: {value: 'v'}},
    {metadata: {name: 'b', namespace: 'web'}, data: {value: 'v'}},
  ])
  assert.deepEqual(events(bridge).sort(), ['rendered dev chart', 'rendered dev kust', 'rendered dev plain'])
})

async function startTwoApps(t: TestContext) {
  const started = await startRenderBridge(t)
  const {bridge, repository} = started
  await repository.push({
    'drawbridge.yaml':
      cluster('dev') +
      cluster('prod') +
      app('one', '{source: {path: one}, clusters: [dev, prod]}') +
      app('two', '{source: {path: two}, clusters: [dev]}'),
    'one/a.yaml': configMap('a'),
    'two/b.yaml': configMap('b'),
  })
  const first = await bridge.push(repository.url)
  assert.deepEqual(summary(first.requests), ['dev/one ready', 'dev/two ready', 'prod/one ready'])
  await bridge.publish(first.requests)
  events(bridge)
  return {...started, first}
}

test('renders and publishes only what changed; what lies between is carried over as it is', async (t) => {
  const {bridge, repository} = await startTwoApps(t)
  const commit = await repository.push({'two/b.yaml': configMap('b', 'new'), 'unrelated.txt': 'x'})
  const {requests} = await bridge.push(repository.url, commit)
  assert.deepEqual(events(bridge), ['rendered dev two'])
  assert.deepEqual(summary(requests), ['dev/two ready'])
  assert.deepEqual(requests[0]?.range, {from: 'two'})
  const [changed] = requests[0]?.apps ?? []
  assert.ok(changed?.outcome === 'ready')
  assert.equal(changed.app.revision, `main@sha1:${commit}`)
  await bridge.publish(requests)

  const declaration = await repository.read('drawbridge.yaml')
  await repository.push({
    'drawbridge.yaml': declaration + app('zoo', '{source: {path: one}, clusters: [dev]}'),
    'one/a.yaml': configMap('a', 'new'),
  })
  const around = (await bridge.push(repository.url)).requests.filter(({cluster: name}) => name === 'dev')
  assert.deepEqual(summary(around), ['dev/one ready', 'dev/two ready', 'dev/zoo ready'])
  assert.deepEqual(around[0]?.range, {from: ''})
  assert.deepEqual(around[0]?.apps[1], changed)
})

test('a push that changes nothing, and one that arrives again, publish nothing', async (t) => {
  const {bridge, repository} = await startTwoApps(t)
  assert.deepEqual((await bridge.push(repository.url)).requests, [])
  const commit = await repository.push({'readme.md': 'words'})
  const {requests, findings, outcomes} = await bridge.push(repository.url, commit)
  assert.deepEqual([requests, findings, outcomes.length], [[], [], 1])
  assert.deepEqual(events(bridge), Array(2).fill('skipped changes nothing in any cluster'))
})

test('a push that was overtaken leads to the newer commit', async (t) => {
  const {bridge, repository} = await startTwoApps(t)
  const old = await repository.push({'one/a.yaml': configMap('a', 'old')})
  const head = await repository.push({'one/a.yaml': configMap('a', 'new')})
  const {requests, outcomes} = await bridge.push(repository.url, old)
  assert.deepEqual(
    requests.map(({commit}) => commit),
    [head, head],
  )
  assert.equal(outcomes[0]?.commit, head)
  assert.ok(events(bridge).includes(`skipped superseded by ${head}`))
  await bridge.publish(requests)
  assert.deepEqual((await bridge.push(repository.url, head)).requests, [])
})

test("one app's failure leaves the others alone, and what it has in the cluster as it is", async (t) => {
  const {bridge, repository} = await startTwoApps(t)
  await repository.push({'one/a.yaml': 'broken: [', 'two/b.yaml': configMap('b', 'new')})
  const {requests, findings} = await bridge.push(repository.url)
  assert.deepEqual(summary(requests), ['dev/two ready'])
  await bridge.publish(requests)
  assert.deepEqual(
    bridge.desiredApps('dev').map(({name}) => name),
    ['one', 'two'],
  )
  assert.deepEqual(
    findings.map(({app: name, cluster: at, code}) => `${at}/${name} ${code}`),
    ['dev/one YAML_INVALID', 'prod/one YAML_INVALID'],
  )
})

test('an app taken out of drawbridge.yaml, and a cluster, are published as gone', async (t) => {
  const {bridge, repository} = await startTwoApps(t)
  await repository.push({'drawbridge.yaml': cluster('dev') + app('one', '{source: {path: one}, clusters: [dev]}')})
  const {requests} = await bridge.push(repository.url)
  assert.deepEqual(
    requests.map(({cluster: name, range, apps}) => [name, range.from, range.to, apps.length]),
    [
      ['dev', 'two', undefined, 0],
      ['prod', '', undefined, 0],
    ],
  )
  assert.deepEqual(events(bridge), [])
})

test('an unusable drawbridge.yaml changes nothing in any cluster', async (t) => {
  const {bridge, repository} = await startTwoApps(t)
  for (const text of ['', cluster('dev'), `${cluster('dev')}kind: Ap\n`, undefined]) {
    await repository.push({'drawbridge.yaml': text, 'one/a.yaml': configMap('a', 'new')})
    const {requests, findings} = await bridge.push(repository.url)
    assert.deepEqual(requests, [])
    assert.equal(findings.length, 1)
  }
})

test('ignores a push to a branch that nothing is followed from, and the deletion of one', async (t) => {
  const {bridge, repository} = await startTwoApps(t)
  const commit = await repository.push({'one/a.yaml': configMap('a', 'feature')}, 'feature')
  for (const after of [commit, undefined]) {
    const {requests, outcomes, again} = await bridge.push(repository.url, after, 'refs/heads/feature')
    assert.deepEqual([requests, outcomes, again], [[], [], false])
  }
  assert.match(events(bridge)[0] ?? '', /^skipped feature is not a ref/)
  const {fetchTree} = bridge.ports.git
  bridge.ports.git.fetchTree = async () => Promise.reject(new Error('it was read before'))
  assert.equal((await bridge.push(repository.url, commit, 'refs/heads/feature')).again, false)
  bridge.ports.git.fetchTree = fetchTree
  await git(repository.url, 'update-ref', '-d', 'refs/heads/main')
  await git(repository.url, 'update-ref', '-d', 'refs/heads/feature')
  assert.deepEqual((await bridge.push(repository.url)).requests, [])
})

test('follows the branches and repositories that apps name as their sources', async (t) => {
  const folder = await temporaryFolder(t)
  const fleet = await createRepository(folder, 'fleet')
  const code = await createRepository(folder, 'code')
  const bridge = new RenderBridge(folder, await renderPool(), [{url: fleet.url}], {})
  const codeCommit = await code.push({'deploy/a.yaml': configMap('a')})
  await fleet.push({'branch/b.yaml': configMap('b')}, 'release')
  const commit = await fleet.push({
    'drawbridge.yaml':
      cluster('dev') +
      app('code', `{source: {repository: "${code.url}/", path: deploy}, clusters: [dev]}`) +
      app('release', '{source: {ref: release, path: branch}, clusters: [dev]}'),
  })
  const {requests, findings} = await bridge.push(fleet.url, commit)
  assert.deepEqual(findings, [])
  assert.deepEqual(summary(requests), ['dev/code ready', 'dev/release ready'])
  const heads = requests[0]?.heads.map(({ref, commit: at}) => `${ref} ${at}`)
  const releaseCommit = await git(fleet.workTree, 'rev-parse', 'release')
  assert.deepEqual(heads, [
    `refs/heads/main ${commit}`,
    `refs/heads/main ${codeCommit}`,
    `refs/heads/release ${releaseCommit}`,
  ])
  await bridge.publish(requests)
  events(bridge)

  const newCode = await code.push({'deploy/a.yaml': configMap('a', 'new')})
  const pushed = await bridge.push(code.url, newCode)
  assert.deepEqual(events(bridge), ['rendered dev code'])
  assert.deepEqual(
    pushed.outcomes.map(({repository, commit: at}) => [repository, at]),
    [[code.url, newCode]],
  )
  assert.deepEqual(
    pushed.requests.map(({declaredIn, commit: at}) => [declaredIn.repository, at]),
    [[fleet.url, commit]],
  )
  await bridge.publish(pushed.requests)

  await git(fleet.workTree, 'checkout', '-q', 'release')
  await fleet.push({'branch/b.yaml': configMap('b', 'new')}, 'release')
  const released = await bridge.push(fleet.url, undefined, 'refs/heads/release')
  assert.deepEqual(events(bridge), ['rendered dev release'])
  assert.equal(released.requests.length, 1)
})

test('an app name that another declaration has in the cluster is refused', async (t) => {
  const {bridge, folder, first} = await startTwoApps(t)
  const other = await createRepository(folder, 'other')
  await other.push({
    'drawbridge.yaml': cluster('dev') + app('one', '{source: {path: app}, clusters: [dev]}'),
    'app/a.yaml': configMap('x'),
  })
  const second = new RenderBridge(folder, await renderPool(), [{url: other.url}], {store: bridge.ports.store})
  const {requests, findings} = await second.push(other.url)
  assert.deepEqual(requests, [])
  assert.match(findings[0]?.message ?? '', /cluster dev has an app one already, declared in .*fleet\.git/)
  assert.ok(first.requests.length > 0)
})

test('renders once what is the same for many clusters, and bundles it for each', async (t) => {
  let reads = 0
  const {bridge, repository} = await startRenderBridge(t)
  const {git: source} = bridge.ports
  bridge.ports.git = {
    ...source,
    async fetchTree(...args) {
      const tree = await source.fetchTree(...args)
      return {
        ...tree,
        read: (path, max) => {
          if (path === 'app/a.yaml') reads += 1
          return tree.read(path, max)
        },
      }
    },
  }
  const names = Array.from({length: 5}, (_, index) => `c${index}`)
  await repository.push({
    'drawbridge.yaml':
      names.map((name) => cluster(name, '{all: x}')).join('') +
      app('shop', '{source: {path: app}, clusters: {matchLabels: {all: x}}}'),
    'app/a.yaml': configMap('a'),
  })
  const {requests} = await bridge.push(repository.url)
  assert.equal(requests.length, 5)
  assert.equal(reads, 1)
  const digests = requests.flatMap(({apps}) => apps.map((each) => each.outcome === 'ready' && each.app.bundle.digest))
  assert.equal(new Set(digests).size, 5)
})

test('a Secret in plain text passes where the App says so', async (t) => {
  const {bridge, repository} = await startRenderBridge(t)
  const annotated = app('shop', undefined, ', annotations: {drawbridge.dev/allow-plaintext-secrets: "true"}')
  await repository.push({
    'drawbridge.yaml': cluster('dev') + annotated,
    'app/s.yaml': 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: b}\n',
  })
  const {requests, findings} = await bridge.push(repository.url)
  assert.deepEqual([requests.length, findings], [1, []])
})

test('an encrypted Secret and one without data pass', async (t) => {
  const {bridge, repository} = await startRenderBridge(t)
  await repository.push({
    'drawbridge.yaml': oneApp,
    'app/s.yaml':
      'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: "ENC[AES256_GCM,data:x]"}\nsops: {version: 3.9.0}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: t}\ntype: kubernetes.io/service-account-token\n',
  })
  const {requests, findings} = await bridge.push(repository.url)
  assert.deepEqual([requests.length, findings], [1, []])
})

test("helm: test hooks are left out, other hooks and CRDs kept, the cluster's version is what charts see", async (t) => {
  const {bridge, repository} = await startRenderBridge(t)
  const hook = (name: string, kinds: string) =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, annotations: {"helm.sh/hook": "${kinds}"}}\n`
  const crd =
    'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.example.com}\nspec: {}\n'
  await repository.push({
    'drawbridge.yaml':
      cluster('dev', '{}', '{kubeVersion: "1.31.4", apiVersions: [example.com/v1]}') +
      app(
        'shop',
        '{source: {path: app}, clusters: [dev], namespace: web, helm: {releaseName: rel, valueFiles: ["${cluster.name}.yaml", ../shared.yaml], values: {c: 3}}}',
      ),
    'app/Chart.yaml': 'apiVersion: v2\nname: c\nversion: 0.1.0\n',
    'app/crds/crd.yaml': crd,
    'app/dev.yaml': 'a: 1\nb: 1\nc: 1\n',
    'shared.yaml': 'b: 2\nc: 2\n',
    'app/templates/a.yaml': `${hook('test-only', 'test')}---\n${hook('pre', 'pre-install,pre-upgrade')}---\n${configMap('{{ .Release.Name }}-{{ .Release.Namespace }}', '{{ .Values.a }}{{ .Values.b }}{{ .Values.c }} {{ .Capabilities.KubeVersion.Version }} {{ .Capabilities.APIVersions.Has "example.com/v1" }}')}`,
  })
  const {requests, findings} = await bridge.push(repository.url)
  assert.deepEqual(findings, [])
  const [entry] = requests[0]?.apps ?? []
  assert.ok(entry?.outcome === 'ready')
  const manifests = bridge.manifests(entry.app.bundle)
  assert.deepEqual(
    manifests.map(({metadata}) => metadata.name),
    ['pre', 'rel-web', 'things.example.com'],
  )
  assert.deepEqual(manifests[1]?.data, {value: '123 v1.31.4 true'})
})

test('a message that can never be handled goes to the dead letters with its reason', async (t) => {
  const {bridge, repository} = await startRenderBridge(t)
  for (const message of ['not json', {kind: 'Nonsense'}, {apiVersion: 'drawbridge.dev/v1alpha1', kind: 'PushEvent'}]) {
    assert.equal((await bridge.send(message)).again, false)
  }
  assert.deepEqual(
    bridge.deadLetters.map(({reason}) => /^not a PushEvent, Sweep or ContinueRender/.test(reason ?? '')),
    [true, true, true],
  )
  await repository.push({'drawbridge.yaml': oneApp})
  bridge.ports.git = {
    ...bridge.ports.git,
    resolveRef: async () => Promise.reject(new SourceError('ACCESS_DENIED', 'no')),
  }
  assert.equal((await bridge.push(repository.url)).again, false)
  assert.equal(bridge.deadLetters[3]?.reason, 'ACCESS_DENIED: no')
  bridge.ports.deadLetters.send = async () => Promise.reject(new QueueError('UNAVAILABLE', 'down'))
  assert.equal((await bridge.push(repository.url)).again, true)
})

test('an unavailable git host, store or queue means another try, which then does all', async (t) => {
  const {bridge, repository} = await startRenderBridge(t)
  await repository.push({'drawbridge.yaml': oneApp, 'app/a.yaml': configMap('a')})
  const {ports} = bridge
  const {git: source, store, publishQueue, outcomes} = ports
  const down = async () => Promise.reject(new SourceError('UNAVAILABLE', 'down'))
  const broken = async () => Promise.reject(new ObjectStoreError('UNAVAILABLE', 'down'))
  const breaks: (() => void)[] = [
    () => Object.assign(ports, {git: {...source, resolveRef: down}}),
    () => Object.assign(ports, {git: {...source, fetchTree: down}}),
    () => Object.assign(ports, {store: {...store, list: broken}}),
    () => Object.assign(ports, {store: {...store, create: broken}}),
    () => Object.assign(ports, {publishQueue: {send: broken}}),
    () => Object.assign(ports, {outcomes: {send: broken}}),
  ]
  for (const breakPort of breaks) {
    breakPort()
    assert.equal((await bridge.push(repository.url)).again, true)
    Object.assign(ports, {git: source, store, publishQueue, outcomes})
    const {requests, again} = await bridge.push(repository.url)
    assert.deepEqual([requests.length, again], [1, false])
  }
  assert.deepEqual(bridge.deadLetters, [])
})

test("another repository that can't be reached fails its own app, and is tried again", async (t) => {
  const {bridge, repository} = await startRenderBridge(t)
  const away = app('away', '{source: {repository: "http://127.0.0.1:9/o/r"}, clusters: [dev]}')
  await repository.push({'drawbridge.yaml': oneApp + away, 'app/a.yaml': configMap('a')})
  const {requests, findings, again} = await bridge.push(repository.url)
  assert.deepEqual(summary(requests), ['dev/shop ready'])
  assert.deepEqual(
    findings.map(({app: name, code}) => `${name} ${code}`),
    ['away UNAVAILABLE'],
  )
  assert.equal(again, true)
})

test('a sweep finds what no webhook told of, and says the same thing once', async (t) => {
  const {bridge, repository} = await startRenderBridge(t)
  assert.deepEqual((await bridge.sweep()).requests, [])
  await repository.push({'drawbridge.yaml': oneApp, 'app/a.yaml': configMap('a')})
  const {requests, outcomes} = await bridge.sweep()
  assert.deepEqual([summary(requests), outcomes.length], [['dev/shop ready'], 1])
  await bridge.publish(requests)
  const quiet = await bridge.sweep()
  assert.deepEqual([quiet.requests, quiet.outcomes], [[], []])
  await repository.push({'app/a.yaml': 'broken: ['})
  assert.equal((await bridge.sweep()).findings.length, 1)
  assert.equal((await bridge.sweep()).outcomes.length, 0)
})

test('a sweep says that a commit is well again once what it lacked elsewhere is there', async (t) => {
  const {bridge, repository} = await startRenderBridge(t)
  await repository.push({'app/a.yaml': configMap('a')}, 'other')
  const declaration = cluster('dev') + app('shop', '{source: {path: app, ref: other}, clusters: [dev]}')
  const commit = await repository.push({'drawbridge.yaml': declaration})
  await bridge.publish((await bridge.push(repository.url)).requests)
  await git(repository.workTree, 'push', '-q', 'origin', ':other')
  assert.equal((await bridge.sweep()).findings[0]?.code, 'SOURCE_UNREADABLE')
  await git(repository.workTree, 'push', '-q', 'origin', 'other')
  const {outcomes} = await bridge.sweep()
  assert.deepEqual(
    outcomes.map((outcome) => [outcome.commit, outcome.findings]),
    [[commit, []]],
  )
  assert.deepEqual((await bridge.sweep()).outcomes, [])
})

test('a sweep asks for new signatures on what has less than half of its life left', async (t) => {
  const {bridge, repository} = await startRenderBridge(t)
  await repository.push({'drawbridge.yaml': oneApp, 'app/a.yaml': configMap('a')})
  const {requests} = await bridge.push(repository.url)
  const sent: string[] = []
  bridge.ports.publishQueue = {send: async (body) => void sent.push(body)}
  const hours = (count: number) => new Date(Date.now() + count * 3_600_000).toISOString()
  await bridge.publish(requests, {issuedAt: hours(-4), expiresAt: hours(6)})
  await bridge.sweep()
  assert.deepEqual(sent, [])
  await bridge.publish(requests, {issuedAt: hours(-6), expiresAt: hours(4)})
  await bridge.sweep()
  assert.deepEqual(
    sent.map((body) => JSON.parse(body).kind),
    ['RefreshRequest'],
  )
})

test('a commit that is too much to be fetched is told to its author, and keeps no desired state from a new signature', async (t) => {
  const {bridge, repository} = await startRenderBridge(t)
  const first = await repository.push({'drawbridge.yaml': oneApp, 'app/a.yaml': configMap('a')})
  const hours = (count: number) => new Date(Date.now() + count * 3_600_000).toISOString()
  await bridge.publish((await bridge.push(repository.url)).requests, {issuedAt: hours(-6), expiresAt: hours(4)})
  const commit = await repository.push({'huge.bin': 'x'})
  assert.notEqual(commit, first)
  const {git} = bridge.ports
  const order: string[] = []
  bridge.ports.git = {
    ...git,
    fetchTree: async () => {
      order.push('fetch')
      throw new SourceError('REPOSITORY_TOO_LARGE', 'it has too many files')
    },
  }
  const {outcomes} = await bridge.push(repository.url)
  assert.deepEqual(
    outcomes.map((outcome) => [outcome.commit, outcome.findings]),
    [[commit, [{code: 'REPOSITORY_TOO_LARGE', message: 'it has too many files'}]]],
  )
  order.length = 0
  bridge.ports.publishQueue = {send: async (body) => void order.push(JSON.parse(body).kind)}
  await bridge.sweep()
  assert.deepEqual(order, ['RefreshRequest', 'fetch'])
})

test('nine hundred apps are sent to publish in ranges of a hundred at most', async (t) => {
  const {bridge, repository} = await startRenderBridge(t)
  const long = 'a'.repeat(240)
  const many = Array.from({length: 900}, (_, index) =>
    app(`app-${index}`, `{source: {path: "${long}/${long}"}, clusters: [dev]}`),
  )
  await repository.push({'drawbridge.yaml': cluster('dev') + many.join(''), [`${long}/${long}/a.yaml`]: configMap('a')})
  const {requests, findings} = await bridge.push(repository.url)
  assert.deepEqual(findings, [])
  assert.deepEqual(
    requests.map(({apps}) => apps.length),
    Array(9).fill(100),
  )
  const ranges = requests.map(({range}) => range).sort((a, b) => (a.from < b.from ? -1 : 1))
  assert.equal(ranges[0]?.from, '')
  assert.deepEqual(
    ranges.map(({to}) => to),
    [...ranges.slice(1).map(({from}) => from), undefined],
  )
})
