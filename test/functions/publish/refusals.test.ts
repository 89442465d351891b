import assert from 'node:assert/strict'
import {test} from 'node:test'
import {digestOf} from '#shared/model/digest.ts'
import {keys} from '#shared/model/keys.ts'
import type {Manifest} from '#shared/model/manifest.ts'
import type {PublishRequest} from '#shared/model/publish-request.ts'
import {
  type AppOptions,
  COMMIT_1,
  COMMIT_2,
  configMap,
  createPublishKit,
  MAIN,
  type PublishKit,
  REPOSITORY,
} from './publish-kit.ts'

const clusterRole: Manifest = {apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: {name: 'all'}}
const custom: Manifest = {apiVersion: 'example.com/v1', kind: 'Widget', metadata: {name: 'w'}}
const namespace = (name: string): Manifest => ({apiVersion: 'v1', kind: 'Namespace', metadata: {name}})

const policies: {name: string; manifests: Manifest[]; options: AppOptions; code: string | undefined; says?: RegExp}[] =
  [
    {
      name: 'an object in a namespace that is not allowed',
      manifests: [configMap('a', 'web'), configMap('b', 'kube-system')],
      options: {allow: {namespaces: ['web']}},
      code: 'NAMESPACE_NOT_ALLOWED',
      says: /ConfigMap kube-system\/b/,
    },
    {
      name: 'an object that would land in a default namespace that is not allowed',
      manifests: [configMap('a')],
      options: {allow: {namespaces: ['web']}},
      code: 'NAMESPACE_NOT_ALLOWED',
      says: /namespace default/,
    },
    {
      name: 'a Namespace that is not allowed',
      manifests: [namespace('other')],
      options: {allow: {namespaces: ['web']}},
      code: 'NAMESPACE_NOT_ALLOWED',
    },
    {
      name: 'a cluster-wide object of an app that is limited to namespaces',
      manifests: [clusterRole],
      options: {allow: {namespaces: ['web']}},
      code: 'NAMESPACE_NOT_ALLOWED',
      says: /allow\.kinds/,
    },
    {
      name: 'a cluster-wide object that claims an allowed namespace',
      manifests: [{...clusterRole, metadata: {name: 'all', namespace: 'web'}}],
      options: {allow: {namespaces: ['web']}},
      code: 'NAMESPACE_NOT_ALLOWED',
    },
    {
      name: 'a custom object without a namespace of an app that is limited to namespaces',
      manifests: [custom],
      options: {allow: {namespaces: ['web']}},
      code: 'NAMESPACE_NOT_ALLOWED',
    },
    {
      name: 'a namespace to be created that is not allowed',
      manifests: [configMap('a', 'web')],
      options: {allow: {namespaces: ['web']}, namespace: 'other', createNamespace: true},
      code: 'NAMESPACE_NOT_ALLOWED',
    },
    {
      name: 'a kind that is not allowed',
      manifests: [configMap('a'), clusterRole],
      options: {allow: {kinds: ['ConfigMap']}},
      code: 'KIND_NOT_ALLOWED',
      says: /ClusterRole\.rbac\.authorization\.k8s\.io all/,
    },
    {
      name: 'a kind of another group than the allowed one',
      manifests: [custom],
      options: {allow: {kinds: ['Widget.other.org']}},
      code: 'KIND_NOT_ALLOWED',
    },
    {
      name: 'nothing where all is allowed by name',
      manifests: [configMap('a', 'web'), clusterRole, namespace('web')],
      options: {
        allow: {namespaces: ['web'], kinds: ['ConfigMap', 'ClusterRole.rbac.authorization.k8s.io', 'Namespace']},
      },
      code: undefined,
    },
    {
      name: 'nothing where an object takes the allowed namespace of its app',
      manifests: [configMap('a')],
      options: {allow: {namespaces: ['web']}, namespace: 'web', createNamespace: true},
      code: undefined,
    },
    {name: 'nothing without a policy', manifests: [clusterRole, custom], options: {}, code: undefined},
  ]

for (const {name, manifests, options, code, says} of policies) {
  test(`refuses ${name}`, async () => {
    const kit = createPublishKit()
    await kit.deliver(kit.request([await kit.app('web', manifests, options), await kit.app('fine', [configMap('x')])]))
    const findings = kit.sentOutcomes().flatMap((outcome) => outcome.findings)
    assert.deepEqual(
      findings.map((finding) => [finding.app, finding.cluster, finding.code]),
      code === undefined ? [] : [['web', 'dev', code]],
    )
    if (says !== undefined) assert.match(findings[0]?.message ?? '', says)
    assert.deepEqual(
      kit.desired().apps.map((app) => app.name),
      code === undefined ? ['fine', 'web'] : ['fine'],
    )
  })
}

type Ready = Awaited<ReturnType<PublishKit['app']>>

const tampered: {name: string; code: string; spoil: (kit: PublishKit, web: Ready) => Promise<Ready> | Ready}[] = [
  {
    name: 'a bundle that is not in the store',
    code: 'BUNDLE_MISSING',
    spoil: (_, web) => ({...web, app: {...web.app, bundle: {...web.app.bundle, digest: digestOf('nowhere')}}}),
  },
  {
    name: 'a bundle whose bytes were changed',
    code: 'DIGEST_MISMATCH',
    spoil: async (kit, web) => {
      const key = keys.bundle(web.app.bundle.digest)
      const bytes = Uint8Array.from(kit.store.objects.get(key)?.bytes ?? [])
      bytes[20] = (bytes[20] ?? 0) ^ 1
      await kit.store.put(key, bytes)
      return web
    },
  },
  {
    name: 'a bundle that was cut',
    code: 'SIZE_MISMATCH',
    spoil: async (kit, web) => {
      const key = keys.bundle(web.app.bundle.digest)
      await kit.store.put(key, (kit.store.objects.get(key)?.bytes ?? new Uint8Array()).slice(0, 20))
      return web
    },
  },
  {
    name: 'a bundle of another app',
    code: 'WRONG_BUNDLE',
    spoil: async (kit) => {
      const inputs = 'the same for both'
      const other = await kit.app('other', [configMap('a')], {inputs})
      const web = await kit.app('web', [configMap('a')], {inputs})
      return {...web, app: {...web.app, bundle: other.app.bundle}}
    },
  },
  {
    name: 'a bundle of another cluster',
    code: 'WRONG_BUNDLE',
    spoil: async (kit) => await kit.app('web', [configMap('a')], {cluster: 'prod'}),
  },
  {
    name: 'a bundle of other inputs',
    code: 'WRONG_BUNDLE',
    spoil: (_, web) => ({...web, app: {...web.app, inputs: digestOf('others')}}),
  },
  {
    name: 'a promise of more objects than there are',
    code: 'MALFORMED',
    spoil: (_, web) => ({...web, app: {...web.app, bundle: {...web.app.bundle, objects: 2}}}),
  },
  {
    name: 'an app that claims another declaration',
    code: 'WRONG_DECLARATION',
    spoil: (_, web) => ({...web, app: {...web.app, declaredIn: {repository: 'https://git.example/x', ref: MAIN}}}),
  },
  {
    name: 'a source that is not among the checked heads',
    code: 'SOURCE_NOT_CHECKED',
    spoil: (_, web) => ({...web, app: {...web.app, source: {...web.app.source, commit: COMMIT_2}}}),
  },
]

for (const {name, code, spoil} of tampered) {
  test(`refuses ${name}, keeps what the cluster has of the app, and publishes the rest`, async () => {
    const kit = createPublishKit()
    const before = await kit.app('web', [configMap('before')])
    await kit.deliver(kit.request([before]))
    const web = await spoil(kit, await kit.app('web', [configMap('a')]))
    assert.equal(await kit.deliver(kit.request([web, await kit.app('api', [configMap('b')])])), 'done')
    assert.deepEqual(
      kit.sentOutcomes().flatMap(({findings}) => findings.map((finding) => [finding.app, finding.code])),
      [['web', code]],
    )
    const [api, kept] = kit.desired().apps
    assert.equal(api?.name, 'api')
    assert.equal(kept?.state === 'present' && kept.bundle.digest, before.app.bundle.digest)
    assert.ok(kit.events.some(({event, app, code: reason}) => event === 'refused' && app === 'web' && reason === code))
  })
}

test('refuses a name that another declaration owns', async () => {
  const kit = createPublishKit()
  const other = 'https://git.example/other'
  kit.git.moveRef(other, MAIN, COMMIT_1)
  await kit.deliver(kit.request([await kit.app('web', [configMap('a')])]))
  const theirs = await kit.app('web', [configMap('b')], {repository: other})
  await kit.deliver(kit.request([theirs], {repository: other}))
  assert.deepEqual(
    kit.sentOutcomes().map(({repository, findings}) => [repository, findings[0]?.code]),
    [[other, 'NAME_TAKEN']],
  )
  assert.equal(kit.desired().version, 1)
  assert.equal(kit.desired().apps[0]?.declaredIn.repository, 'https://git.example/fleet')
})

test('refuses a render that went empty, unless that is allowed', async () => {
  const kit = createPublishKit()
  await kit.deliver(kit.request([await kit.app('web', [configMap('a')])]))
  await kit.deliver(kit.request([await kit.app('web', [])]))
  assert.equal(kit.sentOutcomes()[0]?.findings[0]?.code, 'EMPTY_RENDER')
  assert.equal(kit.desired().version, 1)
  await kit.deliver(kit.request([await kit.app('web', [], {sync: {allowEmpty: true}, inputs: 'now allowed'})]))
  assert.equal(kit.desired().version, 2)
  const [web] = kit.desired().apps
  assert.equal(web?.state === 'present' && web.bundle.objects, 0)
})

test('publishes nothing where all apps of a first request are refused', async () => {
  const kit = createPublishKit()
  const bad = await kit.app('web', [clusterRole], {allow: {kinds: ['ConfigMap']}})
  const request: PublishRequest = kit.request([bad])
  assert.equal(await kit.deliver(request), 'done')
  assert.equal(kit.desiredOrNone(), undefined)
  assert.deepEqual(kit.notifications, [])
  assert.equal(kit.signer.signatures(), 0)
})

test('checks a bundle again where its app may write elsewhere now', async () => {
  const kit = createPublishKit()
  const allow = {namespaces: ['web']}
  const web = await kit.app('web', [configMap('a', 'web')], {allow})
  await kit.deliver(kit.request([web]))
  const moved = {...web, app: {...web.app, namespace: 'other', createNamespace: true}}
  await kit.deliver(kit.request([moved]))
  assert.equal(kit.sentOutcomes()[0]?.findings[0]?.code, 'NAMESPACE_NOT_ALLOWED')
  assert.equal(kit.desired().version, 1)
})

test('reads no bundle again of apps that did not change', async () => {
  const kit = createPublishKit()
  const web = await kit.app('web', [configMap('a')])
  const api = await kit.app('api', [configMap('b')])
  await kit.deliver(kit.request([web, api]))
  const read: string[] = []
  const get: typeof kit.store.get = async (key, options) => {
    read.push(key)
    return await kit.store.get(key, options)
  }
  const changed = await kit.app('web', [configMap('c')])
  await kit.deliver(kit.request([changed, api]), {over: {store: {...kit.store, get}}})
  assert.deepEqual(
    read.filter((key) => key.startsWith('bundles/')),
    [keys.bundle(changed.app.bundle.digest)],
  )
})

test('a request that does not name the commit of its own declaration as a head removes nothing', async () => {
  const kit = createPublishKit()
  await kit.deliver(kit.request([await kit.app('web', [configMap('a')])]))
  const other = 'https://git.example/other'
  kit.git.moveRef(other, MAIN, COMMIT_2)
  for (const heads of [
    [{repository: other, ref: MAIN, commit: COMMIT_2}],
    [{repository: REPOSITORY, ref: MAIN, commit: COMMIT_2}],
  ]) {
    assert.equal(await kit.deliver({...kit.request([]), heads}), 'done')
    assert.match(
      kit.deadLetters.sent.at(-1)?.reason ?? '',
      /heads must hold the commit that the declaration was read from/,
    )
  }
  assert.equal(kit.desired().apps[0]?.state, 'present')
})

test('refuses an app that no longer fits what the agent of a cluster can hold, and takes it once another went', async () => {
  const kit = createPublishKit()
  const many = Array.from({length: 15_000}, (_, index) => configMap(`c${index}`, 'web'))
  const [one, two, three] = await Promise.all(['one', 'two', 'three'].map((name) => kit.app(name, many)))
  assert.ok(one && two && three)
  await kit.deliver(kit.request([one, two, three]))
  const findings = kit.sentOutcomes().flatMap((outcome) => outcome.findings)
  assert.deepEqual(
    findings.map(({app, code}) => [app, code]),
    [['three', 'CLUSTER_FULL']],
  )
  assert.match(findings[0]?.message ?? '', /45000 objects; its agent holds at most .* 40000 objects/)
  await kit.deliver(kit.request([two, three]))
  assert.deepEqual(
    kit.desired().apps.map(({name, state}) => [name, state]),
    [
      ['one', 'removed'],
      ['three', 'present'],
      ['two', 'present'],
    ],
  )
})
