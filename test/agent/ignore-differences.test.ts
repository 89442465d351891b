import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import {childObject} from '#shared/model/manifest.ts'
import type {IgnoreDifferences} from '#shared/model/sync-options.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {applyAs, configMap, createTestBridge, deployment, namespace, types, waitUntil} from './start-test-agent.ts'

let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster.stop())

const dataOf = async (space: string) => {
  const found = await cluster.admin.get(types.configMap, {namespace: space, name: 'x'}, 'whole')
  return found === 'absent' ? undefined : childObject(found, 'data')
}

const cases: [string, string, IgnoreDifferences][] = [
  ['a JSON pointer', 'by-pointer', {kind: 'ConfigMap', jsonPointers: ['/data/theirs']}],
  ['a jq path', 'by-jq', {kind: 'ConfigMap', name: 'x', jqPathExpressions: ['.data["theirs"]']}],
  ['its field manager', 'by-manager', {group: '*', kind: '*', managedFieldsManagers: ['other']}],
]

for (const [what, space, rule] of cases) {
  test(`neither heals nor overwrites what ${what} says is others', and heals the rest`, async (t) => {
    const bridge = await createTestBridge(cluster, t)
    let answered = 0
    const agent = bridge.startAgent({
      onAnswer({method, path}) {
        if (method === 'PATCH' && path.includes('/configmaps/x?') && !path.includes('dryRun')) answered++
      },
    })
    const publish = (data: Record<string, string>) =>
      bridge.publish({
        [space]: {manifests: [namespace(space), configMap(space, 'x', data)], sync: {ignoreDifferences: [rule]}},
      })
    await publish({theirs: 'first', ours: '1'})
    await agent.waitFor({event: 'healthy', app: space})
    await applyAs(cluster.admin, 'other', types.configMap, configMap(space, 'x', {theirs: 'changed'}))
    await waitUntil(() => answered === 2, 'the field left to its owner')
    await applyAs(cluster.admin, 'kubectl', types.configMap, configMap(space, 'x', {ours: 'changed'}))
    await agent.waitFor({event: 'healed', app: space})
    assert.deepEqual(await dataOf(space), {theirs: 'changed', ours: '1'})
    for (const {message} of agent.events.filter(({event}) => event === 'drifted')) {
      assert.doesNotMatch(message ?? '', /theirs/)
    }

    const seen = agent.events.length
    await publish({theirs: 'second', ours: '2'})
    await agent.waitFor({event: 'healthy', app: space}, {after: seen})
    assert.deepEqual(await dataOf(space), {theirs: 'changed', ours: '2'})

    // Left to its owner, its next change is not even looked at; the change after that is.
    const looks = () =>
      agent.requests.filter(({path}) => path.includes('/configmaps/x?dryRun') || path.endsWith('/configmaps/x'))
    const before = looks().length
    await applyAs(cluster.admin, 'other', types.configMap, configMap(space, 'x', {theirs: 'again'}))
    const healed = agent.events.length
    await applyAs(cluster.admin, 'kubectl', types.configMap, configMap(space, 'x', {ours: 'changed'}))
    await agent.waitFor({event: 'healed', app: space}, {after: healed})
    assert.ok(looks().length - before <= 2, 'one drift was looked at')
    assert.deepEqual(await dataOf(space), {theirs: 'again', ours: '2'})
  })
}

test('an ignored field that nobody else owns keeps its live value over an apply', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const sync = {ignoreDifferences: [{group: 'apps', kind: 'Deployment', jsonPointers: ['/spec/replicas']}]}
  const publish = (replicas: number, image: string) =>
    bridge.publish({
      'kept-ignored': {
        manifests: [namespace('kept-ignored'), deployment('kept-ignored', 'web', replicas, image)],
        sync,
      },
    })
  await publish(3, 'app:1')
  await agent.waitFor({event: 'applied', app: 'kept-ignored'})
  const seen = agent.events.length
  await publish(5, 'app:2')
  await agent.waitFor({event: 'applied', app: 'kept-ignored'}, {after: seen})
  const found = await cluster.admin.get(types.deployment, {namespace: 'kept-ignored', name: 'web'}, 'whole')
  assert.ok(found !== 'absent')
  assert.equal(childObject(found, 'spec')?.replicas, 3)
  assert.match(JSON.stringify(found), /app:2/)
})

test('reports no drift in an ignored field where the app only detects it', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const sync = {drift: 'detect' as const, ignoreDifferences: [{kind: 'ConfigMap', jsonPointers: ['/data/theirs']}]}
  const data = {theirs: '1', ours: '1'}
  await bridge.publish({seen: {manifests: [namespace('seen'), configMap('seen', 'x', data)], sync}})
  await agent.waitFor({event: 'healthy', app: 'seen'})
  await applyAs(cluster.admin, 'other', types.configMap, configMap('seen', 'x', {theirs: 'changed'}))
  await applyAs(cluster.admin, 'kubectl', types.configMap, configMap('seen', 'x', {ours: 'changed'}))
  const drifted = await agent.waitFor({event: 'drifted', app: 'seen'})
  assert.match(drifted.message ?? '', /\/data\/ours/)
  assert.doesNotMatch(drifted.message ?? '', /theirs/)
  // Put right by hand: it is drift no more.
  await applyAs(cluster.admin, 'kubectl', types.configMap, configMap('seen', 'x', {ours: '1'}))
  await waitUntil(() => bridge.report()?.apps[0]?.driftedTotal === 0, 'no drift in the report')
  assert.deepEqual(await dataOf('seen'), {theirs: 'changed', ours: '1'})
})

test('shows no value of a Secret, whatever of it is left to others', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const space = 'secret-ignored'
  const secret = {apiVersion: 'v1', kind: 'Secret', metadata: {name: 'x', namespace: space}}
  const publish = (ignored: Omit<IgnoreDifferences, 'kind'>) =>
    bridge.publish({
      [space]: {
        manifests: [namespace(space), {...secret, data: {password: 'd2FudGVk'}}],
        sync: {drift: 'detect', ignoreDifferences: [{kind: 'Secret', ...ignored}]},
      },
    })
  await publish({jqPathExpressions: ['select(.kind == "Secret").kind', '.immutable']})
  await agent.waitFor({event: 'healthy', app: space})
  await applyAs(cluster.admin, 'kubectl', types.secret, {...secret, data: {password: 'aHVudGVyMg=='}})
  await agent.waitFor({event: 'drifted', app: space})
  await waitUntil(() => bridge.report()?.apps[0]?.drifted[0] !== undefined, 'the drift in the report')
  assert.deepEqual(bridge.report()?.apps[0]?.drifted[0]?.fields, [
    {path: '/data/password', difference: 'changed', masked: true},
  ])
  assert.doesNotMatch(JSON.stringify(bridge.report()), /d2FudGVk|aHVudGVyMg/)

  // What would make it another object is refused outright.
  await publish({jsonPointers: ['/kind']})
  const {message} = await agent.waitFor({event: 'refused', app: space})
  assert.match(message ?? '', /"\/kind" names \/kind, by which an object is known/)
})
