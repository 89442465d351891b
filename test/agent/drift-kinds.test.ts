import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import type {ResourceType} from '#agent/kube/kube-client.ts'
import type {KubeObject} from '#agent/kube/kube-object.ts'
import {childObject, type JsonObject, type Manifest} from '#shared/model/manifest.ts'
import {createOtherClients, type OtherClients} from './act-as.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {
  applyAs,
  createTestBridge,
  namespace,
  type TestAgent,
  type TestBridge,
  types,
  waitUntil,
} from './start-test-agent.ts'

let cluster: TestCluster
let others: OtherClients
before(async () => {
  cluster = await openTestCluster()
  others = await createOtherClients(cluster)
})
after(async () => {
  others.close()
  await cluster.stop()
})

/** The object that others act on: a Deployment with a value of each sort that somebody may change. */
function web(space: string, name = 'web', spec: JsonObject = {}): Manifest {
  const containers = [{name: 'app', image: 'app:1', env: [{name: 'MODE', value: 'ours'}]}]
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {name, namespace: space, labels: {tier: 'front'}},
    spec: {
      replicas: 2,
      selector: {matchLabels: {app: name}},
      template: {metadata: {labels: {app: name}}, spec: {containers}},
      ...spec,
    },
  }
}

async function read(type: ResourceType, space: string, name: string): Promise<KubeObject> {
  const found = await cluster.admin.get(type, {namespace: space, name}, 'whole')
  assert.ok(found !== 'absent', `${type.kind} ${space}/${name} is there`)
  return found
}

/** What counts of an object: all but what the server and status writers say. */
function content(object: KubeObject): JsonObject {
  const {labels = null, annotations = null} = object.metadata
  const {status: _, metadata: __, ...rest} = object
  return {...rest, labels, annotations}
}

const patch = (space: string, body: JsonObject, how: {by?: 'strategic-merge'; subresource?: 'scale' | 'status'} = {}) =>
  others.patch('kubectl', types.deployment, {namespace: space, name: 'web', ...how}, body)
const put = (space: string, object: KubeObject) =>
  cluster.admin.replace(types.deployment, {...object, metadata: {...object.metadata, namespace: space}})
const withEnv = (value: string): JsonObject => ({
  template: {spec: {containers: [{name: 'app', env: [{name: 'MODE', value}]}]}},
})
/** Times in managedFields are whole seconds. */
const nextSecond = () => {
  const now = Math.floor(Date.now() / 1000)
  return waitUntil(() => Math.floor(Date.now() / 1000) > now, 'the next second')
}
const ownApply = (space: string, replicas: number) => {
  const theirs = web(space, 'web', {replicas})
  const labels = {...childObject(theirs.metadata, 'labels'), 'drawbridge.dev/app': space}
  return applyAs(cluster.admin, 'drawbridge', types.deployment, {...theirs, metadata: {...theirs.metadata, labels}})
}
const partial = (space: string, spec: JsonObject): Manifest => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {name: 'web', namespace: space},
  spec,
})

/** What others do, and the field that drifts by it. */
const drifting: [string, RegExp, (space: string, live: KubeObject) => Promise<unknown>][] = [
  ['a merge patch of a value', /\/spec\/replicas/, (space) => patch(space, {spec: {replicas: 5}})],
  ["a label's value", /\/metadata\/labels\/tier/, (space) => patch(space, {metadata: {labels: {tier: 'theirs'}}})],
  ['a label removed', /\/metadata\/labels\/tier/, (space) => patch(space, {metadata: {labels: {tier: null}}})],
  [
    'the value of an environment variable',
    /containers\[name=app\]\/env\[name=MODE\]\/value/,
    (space) => patch(space, {spec: withEnv('theirs')}, {by: 'strategic-merge'}),
  ],
  ['the scale subresource', /\/spec\/replicas/, (space) => patch(space, {spec: {replicas: 7}}, {subresource: 'scale'})],
  [
    'a PUT of the whole object',
    /\/spec\/replicas/,
    (space, live) => put(space, {...live, spec: {...childObject(live, 'spec'), replicas: 3}}),
  ],
  [
    "another manager's forced apply",
    /\/spec\/replicas/,
    (space) => applyAs(cluster.admin, 'somebody', types.deployment, partial(space, {replicas: 9})),
  ],
  [
    'an Update under our own name',
    /\/spec\/replicas/,
    (space) => others.patch('drawbridge', types.deployment, {namespace: space, name: 'web'}, {spec: {replicas: 4}}),
  ],
  [
    'an Apply of other values under our own name',
    /\/spec\/replicas/,
    async (space) => {
      await nextSecond()
      await ownApply(space, 6)
    },
  ],
  [
    'an Apply of less under our own name',
    /\/metadata\/labels\/tier/,
    (space) => {
      const {labels: _, ...metadata} = web(space).metadata
      const labels = {'drawbridge.dev/app': space}
      return applyAs(cluster.admin, 'drawbridge', types.deployment, {...web(space), metadata: {...metadata, labels}})
    },
  ],
  [
    'managedFields stripped, and a value changed',
    /\/spec\/replicas/,
    (space, live) =>
      put(space, {
        ...live,
        metadata: {...live.metadata, managedFields: [{}]},
        spec: {...childObject(live, 'spec'), replicas: 8},
      }),
  ],
]

/** What others may do to the same object without a field of ours being touched. */
const harmless: [string, (space: string, live: KubeObject) => Promise<unknown>][] = [
  ['an annotation added', (space) => patch(space, {metadata: {annotations: {note: 'theirs'}}})],
  [
    'a container added by another manager',
    (space) =>
      applyAs(
        cluster.admin,
        'injector',
        types.deployment,
        partial(space, {template: {spec: {containers: [{name: 'sidecar', image: 'sidecar:1'}]}}}),
      ),
  ],
  [
    'a status written',
    (space) => patch(space, {status: {observedGeneration: 1, replicas: 2}}, {subresource: 'status'}),
  ],
  [
    'the same value applied by another manager',
    (space) => applyAs(cluster.admin, 'somebody', types.deployment, partial(space, {replicas: 2})),
  ],
  ['the same value patched', (space) => patch(space, {spec: {replicas: 2}})],
]

interface Watched {
  agent: TestAgent
  bridge: TestBridge
  heal: string
  detect: string
}

/** One app that heals and one that only detects, each with the Deployment and a second one to tell the end of a wait by. */
async function startBoth(
  test: {after(run: () => Promise<void>): void},
  name: string,
  manifests: (space: string) => Manifest[] = (space) => [web(space), web(space, 'marker')],
): Promise<Watched> {
  const bridge = await createTestBridge(cluster, test)
  const agent = bridge.startAgent()
  const [heal, detect] = [`${name}-heal`, `${name}-detect`]
  await bridge.publish({
    [heal]: {manifests: [namespace(heal), ...manifests(heal)]},
    [detect]: {manifests: [namespace(detect), ...manifests(detect)], sync: {drift: 'detect'}},
  })
  for (const app of [heal, detect]) {
    await agent.waitFor({event: 'applied', app})
    const reported = () => bridge.report()?.apps.find(({name: known}) => known === app)
    await waitUntil(() => reported()?.reason === 'Progressing' || reported()?.ready === 'True', `${app} applied`)
  }
  return {agent, bridge, heal, detect}
}

const reportOf = (bridge: TestBridge, app: string) => bridge.report()?.apps.find(({name}) => name === app)

for (const [index, [what, path, act]] of drifting.entries()) {
  test(`${what} is told by its path, healed where the app heals, and left where it only detects`, async (t) => {
    const {agent, bridge, heal, detect} = await startBoth(t, `kind-${index}`)
    const [ours, watched] = await Promise.all([
      read(types.deployment, heal, 'web'),
      read(types.deployment, detect, 'web'),
    ])
    await Promise.all([act(heal, ours), act(detect, watched)])
    const theirs = await read(types.deployment, detect, 'web')
    assert.notDeepEqual(content(theirs), content(watched), 'something was changed')
    for (const app of [heal, detect]) {
      const drifted = await agent.waitFor({event: 'drifted', app, object: `apps/Deployment/${app}/web`})
      assert.match(drifted.message ?? '', path)
      assert.doesNotMatch(drifted.message ?? '', /theirs/)
    }
    await agent.waitFor({event: 'healed', app: heal, object: `apps/Deployment/${heal}/web`})
    assert.deepEqual(content(await read(types.deployment, heal, 'web')), content(ours))
    await waitUntil(() => reportOf(bridge, heal)?.driftedTotal === 0, 'no drift in the report of the app that heals')
    await waitUntil(() => reportOf(bridge, detect)?.driftedTotal === 1, 'the drift in the report of the other')
    assert.match(reportOf(bridge, detect)?.drifted[0]?.what ?? '', path)
    assert.deepEqual(content(await read(types.deployment, detect, 'web')), content(theirs))
    assert.equal(agent.events.filter(({event, app}) => event === 'healed' && app === detect).length, 0)
  })
}

for (const [index, [what, act]] of harmless.entries()) {
  test(`${what} is no drift, and costs no request`, async (t) => {
    const {agent, heal, detect} = await startBoth(t, `harmless-${index}`)
    const requests = agent.requests.length
    for (const app of [heal, detect]) {
      await act(app, await read(types.deployment, app, 'web'))
      const theirs = await read(types.deployment, app, 'web')
      // The watch tells in order: what is seen of the second object was seen of the first.
      await applyAs(cluster.admin, 'somebody', types.deployment, {
        ...partial(app, {replicas: 9}),
        metadata: {name: 'marker', namespace: app},
      })
      await agent.waitFor({event: 'drifted', app, object: `apps/Deployment/${app}/marker`})
      assert.deepEqual(content(await read(types.deployment, app, 'web')), content(theirs))
    }
    assert.deepEqual(
      agent.requests.slice(requests).filter(({path}) => path.includes('/deployments/web')),
      [],
    )
    assert.ok(!agent.events.some(({object}) => object?.endsWith('/web')))
  })
}

test('managedFields stripped without a change are no drift, and our ownership is taken back where the app heals', async (t) => {
  const {agent, bridge, heal, detect} = await startBoth(t, 'stripped')
  for (const app of [heal, detect]) {
    const live = await read(types.deployment, app, 'web')
    await put(app, {...live, metadata: {...live.metadata, managedFields: [{}]}})
  }
  await waitUntil(async () => {
    const {managedFields} = (await read(types.deployment, heal, 'web')).metadata
    return JSON.stringify(managedFields ?? []).includes('"drawbridge"')
  }, 'our entry')
  assert.equal(agent.events.filter(({event}) => event === 'drifted').length, 0)
  // What is changed while ours is being written anew may be put right without a word; what is changed after that is noticed.
  let replicas = 5
  for (const app of [heal, detect])
    await waitUntil(async () => {
      await patch(app, {spec: {replicas: replicas++}})
      return agent.events.some((seen) => seen.event === 'drifted' && seen.app === app)
    }, `the drift of ${app}`)
  await agent.waitFor({event: 'healed', app: heal})
  await waitUntil(() => reportOf(bridge, detect)?.driftedTotal === 1, 'the drift in the report')
})

test('other values under our own name, applied while no agent watched, are found by the verification', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const first = bridge.startAgent()
  const own = 'same-fields'
  await bridge.publish({[own]: {manifests: [namespace(own), web(own)]}})
  await first.waitFor({event: 'applied', app: own})
  await waitUntil(() => reportOf(bridge, own)?.reason === 'Progressing', 'that it is applied')
  await first.stop()
  // The same fields of the same owner: nothing in the metadata tells, but for a time that only the first agent knew.
  await ownApply(own, 6)
  const second = bridge.startAgent({config: {verifyIntervalSeconds: 1}})
  await second.waitFor({event: 'drifted', app: own})
  await second.waitFor({event: 'healed', app: own})
  assert.equal(childObject(await read(types.deployment, own, 'web'), 'spec')?.replicas, 2)
})

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const secretOf = (space: string, content: JsonObject): Manifest => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {name: 'key', namespace: space},
  ...content,
})

/** Ways to change the value of a Secret that an app declares as `stringData`. */
const secretWriters: [string, (space: string) => Promise<unknown>][] = [
  [
    'a patch of data',
    (space) =>
      others.patch('kubectl', types.secret, {namespace: space, name: 'key'}, {data: {password: base64('theirsecret')}}),
  ],
  [
    'a patch of stringData',
    (space) =>
      others.patch('kubectl', types.secret, {namespace: space, name: 'key'}, {stringData: {password: 'theirsecret'}}),
  ],
  [
    'a forced apply of data',
    (space) =>
      applyAs(cluster.admin, 'kubectl', types.secret, secretOf(space, {data: {password: base64('theirsecret')}})),
  ],
  [
    'a forced apply of stringData',
    (space) =>
      applyAs(cluster.admin, 'kubectl', types.secret, secretOf(space, {stringData: {password: 'theirsecret'}})),
  ],
]

for (const [index, [what, act]] of secretWriters.entries()) {
  test(`a Secret declared as stringData drifts by ${what}, again and again, and no value is told`, async (t) => {
    const declared = {stringData: {password: 'oursecret', more: 'constant'}}
    const manifests = (space: string) => [secretOf(space, declared)]
    const {agent, bridge, heal, detect} = await startBoth(t, `secret-${index}`, manifests)
    const dataOf = async (app: string) => childObject(await read(types.secret, app, 'key'), 'data')
    const ours = {password: base64('oursecret'), more: base64('constant')}
    for (let round = 0; round < 2; round++) {
      const seen = agent.events.length
      await act(heal)
      const drifted = await agent.waitFor({event: 'drifted', app: heal}, {after: seen})
      assert.match(drifted.message ?? '', /changed: \/data\/password \(last changed by kubectl\)/)
      await agent.waitFor({event: 'healed', app: heal}, {after: seen})
      assert.deepEqual(await dataOf(heal), ours)
    }
    await act(detect)
    await agent.waitFor({event: 'drifted', app: detect})
    await waitUntil(() => reportOf(bridge, detect)?.driftedTotal === 1, 'the drift in the report')
    assert.deepEqual(await dataOf(detect), {...ours, password: base64('theirsecret')})
    const told = JSON.stringify([agent.events, agent.lines, bridge.report()])
    for (const value of ['oursecret', 'theirsecret']) {
      assert.ok(!told.includes(value) && !told.includes(base64(value)), `${value} is told`)
    }
  })
}

test('a Secret declared as stringData is applied once, verified without drift, and loses what is no longer declared', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent({config: {verifyIntervalSeconds: 1}})
  const own = 'string-data'
  const declared = {
    data: {both: base64('data'), kept: base64('kept')},
    stringData: {both: 'text', empty: null, gone: 'x'},
  }
  await bridge.publish({[own]: {manifests: [namespace(own), secretOf(own, declared)]}})
  await agent.waitFor({event: 'healthy', app: own})
  const stored = await read(types.secret, own, 'key')
  assert.deepEqual(stored.data, {both: base64('text'), kept: base64('kept'), empty: '', gone: base64('x')})
  const dryRuns = () => agent.requests.filter(({path}) => path.includes('/secrets/key?') && path.includes('dryRun'))
  await waitUntil(() => dryRuns().length >= 2, 'two verifications')
  assert.ok(!agent.events.some(({event}) => event === 'drifted' || event === 'healed'))
  assert.equal((await read(types.secret, own, 'key')).metadata.resourceVersion, stored.metadata.resourceVersion)
  const seen = agent.events.length
  await bridge.publish({[own]: {manifests: [namespace(own), secretOf(own, {stringData: {both: 'text'}})]}})
  await agent.waitFor({event: 'healthy', app: own}, {after: seen})
  assert.deepEqual((await read(types.secret, own, 'key')).data, {both: base64('text')})
})
