import assert from 'node:assert/strict'
import {test} from 'node:test'
import {API_VERSION} from '#shared/model/api-version.ts'
import type {Manifest} from '#shared/model/manifest.ts'
import {startTrace} from '#shared/model/trace.ts'
import type {RepositoryPolicy} from '#shared/model/tracked-repository.ts'
import {COMMIT_2, configMap, createPublishKit, MAIN, REPOSITORY} from './publish-kit.ts'

const role: Manifest = {apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: {name: 'all'}}
const elsewhere = 'https://git.example/charts'

test('signs nothing for a declaration that nobody configured, and asks the git host nothing about it', async () => {
  for (const repositories of [[{url: elsewhere, ref: MAIN}], [{url: REPOSITORY, ref: 'release'}], []]) {
    const kit = createPublishKit()
    const asked: string[] = []
    const git = {
      ...kit.git,
      resolveRef: async (url: string, ref: string) => {
        asked.push(url)
        return kit.git.resolveRef(url, ref)
      },
    }
    const request = kit.request([await kit.app('web', [configMap('a')])])
    assert.equal(await kit.deliver(request, {config: {repositories}, over: {git}}), 'done')
    assert.equal(kit.desiredOrNone(), undefined)
    assert.deepEqual(asked, [])
    assert.deepEqual(kit.sentOutcomes(), [])
    assert.equal(kit.events.at(-1)?.code, 'DECLARATION_NOT_TRACKED')
  }
})

test('what is no longer tracked stays as it is, and is signed anew when its time comes', async () => {
  const kit = createPublishKit()
  await kit.deliver(kit.request([await kit.app('web', [configMap('a')])]))
  await kit.deliver(kit.request([]), {config: {repositories: []}})
  assert.deepEqual(
    kit.desired().apps.map(({name, state}) => [name, state]),
    [['web', 'present']],
  )
  kit.advance(4 * 24 * 3_600)
  const {cluster} = kit
  await kit.deliver({apiVersion: API_VERSION, kind: 'RefreshRequest', cluster, trace: startTrace()})
  assert.equal(kit.desired().version, 2)
})

const policies: readonly [what: string, policy: RepositoryPolicy, codes: (string | undefined)[]][] = [
  ['another cluster', {clusters: ['staging']}, ['CLUSTER_NOT_ALLOWED']],
  ['a namespace', {namespaces: ['team-a']}, ['NAMESPACE_NOT_ALLOWED']],
  ['a source', {sourceRepositories: []}, ['SOURCE_NOT_ALLOWED']],
  ['a ServiceAccount', {serviceAccounts: ['team-a/*']}, ['SERVICE_ACCOUNT_NOT_ALLOWED']],
  ['a cluster-wide kind', {clusterKinds: ['Namespace']}, ['KIND_NOT_ALLOWED']],
]

for (const [what, policy, codes] of policies) {
  test(`refuses the one app that names ${what} which the configuration forbids`, async () => {
    const kit = createPublishKit()
    kit.git.moveRef(elsewhere, MAIN, COMMIT_2)
    const good = await kit.app('good', [configMap('a', 'team-a')])
    const bad = await kit.app('bad', [configMap('b', 'kube-system'), role])
    const entry = {
      ...bad,
      app: {
        ...bad.app,
        source: {...bad.app.source, repository: elsewhere, commit: COMMIT_2},
        serviceAccount: 'a/admin',
      },
    }
    const goodEntry = {...good, app: {...good.app, serviceAccount: 'team-a/deployer'}}
    const request = kit.request([goodEntry, entry])
    const heads = [...request.heads, {repository: elsewhere, ref: MAIN, commit: COMMIT_2}]
    await kit.deliver({...request, heads}, {config: {repositories: [{url: REPOSITORY, ref: MAIN, policy}]}})
    assert.deepEqual(
      kit.sentOutcomes().flatMap(({findings}) => findings.map(({code}) => code)),
      codes,
    )
    const published = kit.desiredOrNone()?.apps.map(({name}) => name)
    assert.deepEqual(published, policy.clusters === undefined ? ['good'] : undefined)
  })
}

test('publishes what the configuration allows', async () => {
  const kit = createPublishKit()
  const policy = {clusters: ['d*'], namespaces: ['team-*', '!team-b'], clusterKinds: [], sourceRepositories: []}
  const request = kit.request([await kit.app('web', [configMap('a', 'team-a')])])
  await kit.deliver(request, {config: {repositories: [{url: REPOSITORY, ref: MAIN, policy}]}})
  assert.deepEqual(kit.sentOutcomes(), [])
  assert.equal(kit.desired().apps.length, 1)
})

test('an app that another version rendered with what publish does not know waits by name, and the others go on', async () => {
  const kit = createPublishKit()
  const [api, web] = [await kit.app('api', [configMap('a')]), await kit.app('web', [configMap('w')])]
  await kit.deliver(kit.request([api, web]))
  const changed = await kit.app('api', [configMap('b')])
  const odd = {...web, app: {...web.app, inputs: changed.app.inputs, sync: {...web.app.sync, pauseBefore: 'prune'}}}
  await kit.deliver({...kit.request([changed]), apps: [changed, odd]})
  const present = kit.desired().apps
  assert.deepEqual(
    present.map((app) => [app.name, app.state === 'present' && app.inputs]),
    [
      ['api', changed.app.inputs],
      ['web', web.app.inputs],
    ],
  )
  const [finding] = kit.sentOutcomes().flatMap(({findings}) => findings)
  assert.equal(finding?.app, 'web')
  assert.match(finding?.message ?? '', /pauseBefore/)
})
