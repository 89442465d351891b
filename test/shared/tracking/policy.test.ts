import assert from 'node:assert/strict'
import {test} from 'node:test'
import type {Manifest} from '#shared/model/manifest.ts'
import {trackedRepositoriesSchema} from '#shared/model/tracked-repository.ts'
import {checkCluster, checkServiceAccount, checkSource} from '#shared/tracking/check-declared.ts'
import {findForbiddenObject} from '#shared/tracking/check-objects.ts'
import {findTracked} from '#shared/tracking/find-tracked.ts'
import {isAllowed} from '#shared/tracking/match-pattern.ts'

const lists: readonly [list: readonly string[] | undefined, name: string, allowed: boolean][] = [
  [undefined, 'anything', true],
  [[], 'anything', false],
  [['prod'], 'prod', true],
  [['prod'], 'prod-eu', false],
  [['prod-*'], 'prod-eu', true],
  [['*', '!prod-*'], 'prod-eu', false],
  [['!prod-*', '*'], 'prod-eu', false],
  [['*', '!prod-*'], 'staging', true],
  [['*'], 'a/b', true],
  [['team-a/*'], 'team-a/deployer', true],
  [['team-a/*'], 'team-b/deployer', false],
  [['*/deployer'], 'a/b/deployer', false],
  [['**/deployer'], 'a/b/deployer', true],
  [['a.c'], 'abc', false],
]

for (const [list, name, allowed] of lists) {
  test(`the list ${JSON.stringify(list)} ${allowed ? 'allows' : 'forbids'} ${name}`, () => {
    assert.equal(isAllowed(list, name), allowed)
  })
}

test('a hostile name costs no more than its length', () => {
  assert.equal(isAllowed([`${'**a'.repeat(20)}b`], 'a'.repeat(5_000)), false)
})

const declaredIn = 'https://github.com/acme/fleet'
const sources: readonly [list: string[], repository: string, allowed: boolean][] = [
  [[], 'git@github.com:acme/fleet.git', true],
  [['https://github.com/Acme/*'], 'https://github.com/acme/charts.git', true],
  [['https://github.com/acme/*'], 'https://github.com/acme-evil/charts', false],
  [['https://github.com/acme/*'], 'git@github.com:acme/charts', true],
  [['https://github.com/acme/*'], 'http://github.com/acme/charts', false],
  [['https://gitlab.example/acme/*'], 'https://gitlab.example/acme/sub/charts', false],
  [['https://gitlab.example/acme/**'], 'https://gitlab.example/acme/sub/charts', true],
  [['*', '!https://github.com/acme/secret.git'], 'https://github.com/acme/Secret', false],
]

for (const [list, repository, allowed] of sources) {
  test(`sourceRepositories ${JSON.stringify(list)} ${allowed ? 'allows' : 'forbids'} ${repository}`, () => {
    const refusal = checkSource({sourceRepositories: list}, {repository, declaredIn})
    assert.equal(refusal?.code, allowed ? undefined : 'SOURCE_NOT_ALLOWED')
  })
}

test('an app without a ServiceAccount is refused where the policy lists some', () => {
  const policy = {serviceAccounts: ['team-a/*']}
  assert.equal(checkServiceAccount(policy, 'team-a/deployer'), undefined)
  assert.equal(checkServiceAccount(policy, 'kube-system/admin')?.code, 'SERVICE_ACCOUNT_NOT_ALLOWED')
  assert.equal(checkServiceAccount(policy, undefined)?.code, 'SERVICE_ACCOUNT_NOT_ALLOWED')
  assert.equal(checkServiceAccount(undefined, undefined), undefined)
  assert.equal(checkCluster({clusters: ['staging']}, 'prod')?.code, 'CLUSTER_NOT_ALLOWED')
})

const object = (apiVersion: string, kind: string, namespace?: string, name = 'x'): Manifest => ({
  apiVersion,
  kind,
  metadata: {name, ...(namespace !== undefined && {namespace})},
})

const objects: readonly [string, object: Manifest, namespace: string | undefined, code: string | undefined][] = [
  ['an object in an allowed namespace', object('v1', 'ConfigMap', 'team-a'), undefined, undefined],
  ['an object elsewhere', object('v1', 'ConfigMap', 'kube-system'), undefined, 'NAMESPACE_NOT_ALLOWED'],
  ['an object that goes where the app goes', object('v1', 'ConfigMap'), 'team-a', undefined],
  ['an object in the default namespace', object('v1', 'ConfigMap'), undefined, 'NAMESPACE_NOT_ALLOWED'],
  ['an app that goes elsewhere', object('v1', 'ConfigMap', 'team-a'), 'kube-system', 'NAMESPACE_NOT_ALLOWED'],
  ['an allowed cluster-wide kind', object('storage.k8s.io/v1', 'StorageClass'), undefined, undefined],
  ['another', object('rbac.authorization.k8s.io/v1', 'ClusterRole'), undefined, 'KIND_NOT_ALLOWED'],
  [
    'a cluster-wide kind that names a namespace',
    object('rbac.authorization.k8s.io/v1', 'ClusterRole', 'team-a'),
    undefined,
    'KIND_NOT_ALLOWED',
  ],
  ['an allowed Namespace', object('v1', 'Namespace', undefined, 'team-a-web'), undefined, undefined],
  ['another Namespace', object('v1', 'Namespace', undefined, 'kube-system'), undefined, 'NAMESPACE_NOT_ALLOWED'],
  ['a third-party object that names no namespace', object('a.example/v1', 'Widget'), 'team-a', 'KIND_NOT_ALLOWED'],
  ['a third-party object in an allowed one', object('a.example/v1', 'Widget', 'team-a'), undefined, undefined],
]

for (const [what, manifest, namespace, code] of objects) {
  test(`${what} is ${code === undefined ? 'allowed' : `refused: ${code}`}`, () => {
    const policy = {namespaces: ['team-a', 'team-a-*'], clusterKinds: ['StorageClass.storage.k8s.io', 'Namespace']}
    assert.equal(findForbiddenObject(policy, {namespace, createNamespace: false}, [manifest])?.code, code)
  })
}

test('a third-party object cannot get into the default namespace by naming none', () => {
  const policy = {namespaces: ['team-a']}
  const widget = object('a.example/v1', 'Widget')
  assert.equal(findForbiddenObject(policy, {createNamespace: false}, [widget])?.code, 'NAMESPACE_NOT_ALLOWED')
  assert.equal(findForbiddenObject(policy, {namespace: 'team-a', createNamespace: false}, [widget]), undefined)
})

const wrong: readonly [string, unknown][] = [
  ['only forbids', [{url: declaredIn, policy: {clusters: ['!prod']}}]],
  ['must be a pattern', [{url: declaredIn, policy: {clusters: ['prod-[ab]']}}]],
  [
    'a second time',
    [
      {url: declaredIn, ref: 'main'},
      {url: 'git@github.com:acme/fleet', ref: 'refs/heads/main'},
    ],
  ],
  ['is a path', [{url: '/srv/fleet.git'}]],
]

for (const [words, repositories] of wrong) {
  test(`a list of tracked repositories is refused that ${words}`, () => {
    const parsed = trackedRepositoriesSchema.safeParse(repositories)
    assert.match(parsed.error?.issues[0]?.message ?? '', new RegExp(words))
  })
}

test('the entry that names a ref goes before the one that follows HEAD, and an unknown repository is never asked', async () => {
  const asked: string[] = []
  const git = {
    resolveRef: async (url: string) => {
      asked.push(url)
      return {ref: 'refs/heads/main', commit: '1'.repeat(40)}
    },
  }
  const head = {url: declaredIn}
  const release = {url: declaredIn, ref: 'release'}
  const find = (repository: string, ref: string) => findTracked(git, [head, release], {repository, ref})
  assert.equal(await find(declaredIn, 'refs/heads/release'), release)
  assert.deepEqual(asked, [])
  assert.equal(await find(declaredIn, 'refs/heads/main'), head)
  assert.equal(await find(declaredIn, 'refs/heads/other'), undefined)
  assert.deepEqual(asked, [declaredIn, declaredIn])
  assert.equal(await find('https://github.com/evil/fleet', 'refs/heads/main'), undefined)
  assert.equal(asked.length, 2)
})
