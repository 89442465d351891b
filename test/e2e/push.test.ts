import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import {CONFIG_MAP} from '#cli/demo/cluster-view.ts'
import {parseEnvelope} from '#shared/attest/envelope.ts'
import {parseDesiredState} from '#shared/attest/verify-desired-state.ts'
import type {DesiredState} from '#shared/model/desired-state.ts'
import {keys} from '#shared/model/keys.ts'
import {configMapYaml, fleetConfig, startTestStack, type TestStack} from './start-test-stack.ts'

let bench: TestStack
before(async () => {
  bench = await startTestStack()
  await bench.workspace.write('drawbridge.yaml', fleetConfig(['web', 'api']))
  await bench.workspace.write('web/a.yaml', configMapYaml('a', {value: 'one'}))
  await bench.workspace.write('web/b.yaml', configMapYaml('b', {value: 'one'}))
  await bench.workspace.write('api/a.yaml', configMapYaml('a', {value: 'one'}))
  const commit = await bench.workspace.push('first')
  await bench.waitFor('healthy', {app: 'web', commit})
  await bench.waitFor('healthy', {app: 'api', commit})
})
after(() => bench?.stop())

async function desiredState(): Promise<DesiredState> {
  const object = await bench.store.get(keys.desired('dev'))
  assert.ok(typeof object !== 'string')
  return parseDesiredState(Buffer.from(parseEnvelope(object.bytes).payload, 'base64'))
}

test('applies what was pushed, in the namespace that it makes', async () => {
  assert.equal(await bench.cluster.configValue('web', 'a', 'value'), 'one')
  assert.equal(await bench.cluster.configValue('api', 'a', 'value'), 'one')
})

test('applies a change of one app and leaves the other as it was published', async () => {
  const since = bench.events.mark()
  await bench.workspace.write('web/a.yaml', configMapYaml('a', {value: 'two'}))
  const commit = await bench.workspace.push('second')
  await bench.waitFor('healthy', {app: 'web', commit}, since)
  assert.equal(await bench.cluster.configValue('web', 'a', 'value'), 'two')
  const rendered = bench.events
    .all()
    .slice(since)
    .filter(({event}) => event === 'rendered')
  assert.deepEqual(
    rendered.map(({app}) => app),
    ['web'],
  )
  const revisions = (await desiredState()).apps.map((app) =>
    app.state === 'present' ? `${app.name} ${app.source.commit === commit}` : app.name,
  )
  assert.deepEqual(revisions, ['api false', 'web true'])
})

test('deletes from the cluster what was deleted from git, and nothing else', async () => {
  const since = bench.events.mark()
  await bench.workspace.remove('web/b.yaml')
  const commit = await bench.workspace.push('without b')
  await bench.waitFor('pruned', {app: 'web', object: '/b'}, since)
  await bench.waitFor('healthy', {app: 'web', commit}, since)
  assert.equal(await bench.cluster.get(CONFIG_MAP, 'web', 'b'), undefined)
  assert.notEqual(await bench.cluster.get(CONFIG_MAP, 'web', 'a'), undefined)
})

test('a commit that does not parse publishes nothing, and says where it is wrong', async () => {
  const since = bench.events.mark()
  const version = (await desiredState()).version
  await bench.workspace.write('web/c.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c\n')
  const commit = await bench.workspace.push('broken')
  const failed = await bench.waitFor('failed', {commit}, since)
  assert.match(failed.message ?? '', /web\/c\.yaml/)
  assert.equal((await desiredState()).version, version)
  assert.equal(await bench.cluster.configValue('web', 'a', 'value'), 'two')
  await bench.workspace.remove('web/c.yaml')
  await bench.workspace.push('mended')
})

test('moves an object from one app to another without deleting it in between', async () => {
  const namespaced = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: moving, namespace: web}\ndata: {value: here}\n`
  await bench.workspace.write('web/moving.yaml', namespaced)
  const first = await bench.workspace.push('web has it')
  await bench.waitFor('healthy', {app: 'web', commit: first})
  const uid = (await bench.cluster.get(CONFIG_MAP, 'web', 'moving'))?.metadata
  await bench.workspace.remove('web/moving.yaml')
  await bench.workspace.write('api/moving.yaml', namespaced)
  const since = bench.events.mark()
  const second = await bench.workspace.push('api has it')
  await bench.waitFor('healthy', {app: 'web', commit: second}, since)
  await bench.waitFor('healthy', {app: 'api', commit: second}, since)
  const moved = (await bench.cluster.get(CONFIG_MAP, 'web', 'moving'))?.metadata
  assert.ok(
    typeof uid === 'object' &&
      uid !== null &&
      'uid' in uid &&
      typeof moved === 'object' &&
      moved !== null &&
      'uid' in moved,
  )
  assert.equal(moved.uid, uid.uid)
  assert.equal(JSON.stringify(moved).includes('"drawbridge.dev/app":"api"'), true)
})

test('deletes an app that was taken out of drawbridge.yaml, by a signed removal', async () => {
  const since = bench.events.mark()
  await bench.workspace.write('drawbridge.yaml', fleetConfig(['web']))
  await bench.workspace.push('no more api')
  await bench.waitFor('removed', {app: 'api'}, since)
  assert.equal(await bench.cluster.get(CONFIG_MAP, 'api', 'a'), undefined)
  assert.equal((await desiredState()).apps.find(({name}) => name === 'api')?.state, 'removed')
  assert.equal(await bench.cluster.configValue('web', 'a', 'value'), 'two')
})
