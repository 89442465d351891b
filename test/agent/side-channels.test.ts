import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import type {Manifest} from '#shared/model/manifest.ts'
import {addTenant} from './add-tenant.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import type {TestApp} from './publish-state.ts'
import {
  annotated,
  applyAs,
  configMap,
  createTestBridge,
  deployment,
  namespace,
  type TestAgent,
  type TestBridge,
  types,
  waitUntil,
} from './start-test-agent.ts'

let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster.stop())

const secret = (inNamespace: string, name: string): Manifest =>
  ({apiVersion: 'v1', kind: 'Secret', metadata: {namespace: inNamespace, name}, stringData: {v: 'x'}}) as Manifest

/** All that is told of an app: its part of the report, its events and its App object; without times, ids and what it is called. */
async function toldOf(bridge: TestBridge, agent: TestAgent, app: string, object: string): Promise<string> {
  const report = bridge.report()?.apps.find(({name}) => name === app)
  const {ready, reason, message, health, objects, unhealthy, drifted} = report ?? {}
  const events = agent.events
    .filter((event) => event.app === app && event.event !== 'pulled')
    .map(({event, code, message: words, object: key}) => ({event, code, words, key}))
  const told = JSON.stringify({report: {ready, reason, message, health, objects, unhealthy, drifted}, events}, null, 1)
  return told
    .replaceAll(app, '<app>')
    .replaceAll(object, '<object>')
    .replaceAll(/sha256:[0-9a-f]+/g, '<digest>')
    .replaceAll(/main@sha1:[0-9a-f]+/g, '<revision>')
}

interface Probe {
  what: string
  /** What the owner has of the two: one is there, the other is not. */
  present: (space: string) => Manifest
  /** What the tenant declares to find out. */
  probe: (space: string, name: string) => Partial<TestApp> & {manifests: Manifest[]}
}

const hook = (manifest: Manifest): Manifest => annotated(manifest, {'argocd.argoproj.io/hook': 'PreSync'})
const probes: Probe[] = [
  {
    what: 'a hook of the name of a Secret',
    present: (space) => secret(space, 'taken'),
    probe: (space, name) => ({manifests: [hook(secret(space, name))]}),
  },
  {
    what: 'a hook that keeps what is there of its last run',
    present: (space) => secret(space, 'taken'),
    probe: (space, name) => ({
      manifests: [
        annotated(secret(space, name), {
          'argocd.argoproj.io/hook': 'Sync',
          'argocd.argoproj.io/hook-delete-policy': 'HookSucceeded',
        }),
      ],
    }),
  },
  {
    what: 'an object of the name of a Secret',
    present: (space) => secret(space, 'taken'),
    probe: (space, name) => ({manifests: [secret(space, name)]}),
  },
  {
    what: 'an object that is only to be created',
    present: (space) => secret(space, 'taken'),
    probe: (space, name) => ({
      manifests: [annotated(secret(space, name), {'kustomize.toolkit.fluxcd.io/ssa': 'IfNotPresent'})],
    }),
  },
  {
    what: 'an object that is to be replaced',
    present: (space) => configMap(space, 'taken', {v: 'theirs'}),
    probe: (space, name) => ({
      manifests: [annotated(configMap(space, name), {'argocd.argoproj.io/sync-options': 'Replace=true,Force=true'})],
    }),
  },
  {
    what: 'an object of which fields are left to others',
    present: (space) => configMap(space, 'taken', {v: 'theirs'}),
    probe: (space, name) => ({
      manifests: [configMap(space, name)],
      sync: {ignoreDifferences: [{kind: 'ConfigMap', jsonPointers: ['/data/v']}]},
    }),
  },
  {
    what: 'an object of the name of a Deployment that fails',
    present: (space) => deployment(space, 'taken'),
    probe: (space, name) => ({manifests: [deployment(space, name)], sync: {timeoutSeconds: 1}}),
  },
]

for (const managed of [true, false]) {
  const owner = managed ? 'an app owns' : 'somebody made'
  test(`tells a tenant nothing of what ${owner} in another tenant's namespace`, async (t) => {
    const bridge = await createTestBridge(cluster, t)
    const spy = managed ? 'spy-a' : 'spy-b'
    const serviceAccount = await addTenant(cluster, spy)
    const agent = bridge.startAgent()
    const spaces = probes.map((_, index) => `${spy}-of-${index}`)
    for (const space of spaces) await applyAs(cluster.admin, 'somebody', types.namespace, namespace(space))
    const presents = probes.map(({present}, index) => present(spaces[index] ?? ''))
    const victim: Record<string, TestApp> = managed ? {'m-victim': {manifests: presents}} : {}
    if (!managed) {
      for (const manifest of presents) {
        const type = Object.values(types).find(({kind}) => kind === manifest.kind)
        if (type !== undefined) await applyAs(cluster.admin, 'somebody', type, manifest)
      }
    }
    await bridge.publish(victim)
    if (managed) await agent.waitFor({event: 'applied', app: 'm-victim'})
    await cluster.transport.send({
      method: 'PATCH',
      path: `/apis/apps/v1/namespaces/${spaces.at(-1)}/deployments/taken/status`,
      contentType: 'application/merge-patch+json',
      body: JSON.stringify({
        status: {
          observedGeneration: 1,
          conditions: [
            {
              type: 'Progressing',
              status: 'False',
              reason: 'ProgressDeadlineExceeded',
              message: 'the words of another tenant',
            },
          ],
        },
      }),
      what: 'set a status',
    })
    const apps = new Map<string, TestApp>()
    // Before and after the owner's by name: who comes first must not matter.
    for (const place of ['a', 'z']) {
      for (const [index, {probe}] of probes.entries()) {
        for (const name of ['taken', 'spare']) {
          const app = {serviceAccount, ...probe(spaces[index] ?? '', name)}
          apps.set(`${place}-${index}-${name}`, app)
        }
      }
    }
    await bridge.publish({...victim, ...Object.fromEntries(apps)})
    for (const app of apps.keys()) await agent.waitFor({event: 'failed', app})
    await waitUntil(
      () => [...apps.keys()].every((app) => bridge.report()?.apps.find(({name}) => name === app)?.ready === 'False'),
      'all probes failed',
    )
    for (const place of ['a', 'z']) {
      for (const [index, {what}] of probes.entries()) {
        const [taken, spare] = await Promise.all(
          ['taken', 'spare'].map((name) => toldOf(bridge, agent, `${place}-${index}-${name}`, name)),
        )
        assert.equal(taken, spare, `${what}, ${place}`)
        assert.doesNotMatch(taken ?? '', /words of another|m-victim/)
      }
    }
  })
}

test('tells a tenant nothing of whether a namespace is there', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const serviceAccount = await addTenant(cluster, 'spy-spaces')
  await applyAs(cluster.admin, 'somebody', types.namespace, namespace('spied-there'))
  const agent = bridge.startAgent()
  const probe = (name: string): TestApp => ({
    manifests: [configMap('spy-spaces', `own-${name}`)],
    serviceAccount,
    namespace: name,
    createNamespace: true,
  })
  await bridge.publish({'probe-there': probe('spied-there'), 'probe-gone': probe('spied-gone')})
  for (const app of ['probe-there', 'probe-gone']) await agent.waitFor({event: 'healthy', app})
})

test('an app that depends on one of another identity is told that it is not ready, and not why', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const serviceAccount = await addTenant(cluster, 'spy-depends')
  const agent = bridge.startAgent()
  const broken = configMap('default', 'spied-broken', {'no key': 'inner words'})
  await bridge.publish({
    'spied-on': {manifests: [broken]},
    spy: {manifests: [configMap('spy-depends', 'own')], serviceAccount, dependsOn: [{name: 'spied-on'}]},
    friend: {manifests: [configMap('default', 'spied-friend')], dependsOn: [{name: 'spied-on'}]},
  })
  await agent.waitFor({event: 'failed', app: 'spied-on'})
  const messageOf = (app: string) => bridge.report()?.apps.find(({name}) => name === app)?.message ?? ''
  await waitUntil(
    () => /spied-broken/.test(messageOf('friend')),
    () => messageOf('friend'),
  )
  await waitUntil(
    () => messageOf('spy') === 'waits for app spied-on: ReconciliationFailed',
    () => messageOf('spy'),
  )
})
