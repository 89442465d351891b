import assert from 'node:assert/strict'
import {test} from 'node:test'
import {signEnvelope} from '#shared/attest/envelope.ts'
import {PAYLOAD_TYPES} from '#shared/attest/payload-types.ts'
import {verifyAttestation} from '#shared/attest/verify-attestation.ts'
import {API_VERSION} from '#shared/model/api-version.ts'
import {notificationSchema} from '#shared/model/desired-state.ts'
import {keys} from '#shared/model/keys.ts'
import {startTrace} from '#shared/model/trace.ts'
import {ObjectStoreError} from '#shared/ports/object-store-error.ts'
import {SourceError} from '#shared/ports/source-error.ts'
import {createMemorySigner} from '#test/fakes/memory-signer.ts'
import {COMMIT_1, COMMIT_2, configMap, createPublishKit, MAIN, REPOSITORY} from './publish-kit.ts'

test('publishes a first app: attested, signed, notified and journaled', async () => {
  const kit = createPublishKit()
  const web = await kit.app('web', [configMap('a', 'web')])
  assert.equal(await kit.deliver(kit.request([web])), 'done')

  const desired = kit.desired()
  assert.equal(desired.version, 1)
  assert.equal(Date.parse(desired.expiresAt) - Date.parse(desired.issuedAt), 7 * 24 * 3_600_000)
  assert.deepEqual(
    desired.apps.map(({name, state}) => [name, state]),
    [['web', 'present']],
  )
  const attestation = kit.store.objects.get(keys.attestation(web.app.bundle.digest))
  assert.ok(attestation !== undefined)
  const {bundle} = web.app
  const statement = verifyAttestation(attestation.bytes, {
    trustRoot: kit.signer.trustRoot,
    app: 'web',
    cluster: 'dev',
    bundle,
  })
  assert.equal(statement.predicate.source.commit, COMMIT_1)
  const [notification] = kit.notifications.map((body) => notificationSchema.parse(JSON.parse(body)))
  assert.equal(notification?.version, 1)
  assert.ok(notification?.trace.stages.published !== undefined)
  assert.equal(kit.statusQueue.sent.length, 1)
  assert.deepEqual(
    kit.events.map(({event, app, version, revision}) => ({event, app, version, revision})),
    ['signed', 'published'].map((event) => ({event, app: 'web', version: 1, revision: `main@sha1:${COMMIT_1}`})),
  )
  assert.deepEqual(kit.sentOutcomes(), [])
})

test('changes nothing for a request that asks for what is there: no version, no signature, no notification', async () => {
  const kit = createPublishKit()
  const request = kit.request([await kit.app('web', [configMap('a')])])
  await kit.deliver(request)
  const signatures = kit.signer.signatures()
  const writes = JSON.stringify([...kit.store.objects.values()].map(({etag}) => etag))
  await kit.deliver({...request, trace: startTrace()})
  assert.equal(kit.signer.signatures(), signatures)
  assert.equal(JSON.stringify([...kit.store.objects.values()].map(({etag}) => etag)), writes)
  assert.equal(kit.notifications.length, 1)
})

test('notifies again where a redelivered request finds its work done', async () => {
  const kit = createPublishKit()
  const request = kit.request([await kit.app('web', [configMap('a')])])
  await kit.deliver(request)
  await kit.deliver(request, {receiveCount: 2})
  assert.equal(kit.desired().version, 1)
  assert.equal(kit.notifications.length, 2)
})

test('drops a request whose head has moved on', async () => {
  const kit = createPublishKit()
  const request = kit.request([await kit.app('web', [configMap('a')])])
  kit.git.moveRef(REPOSITORY, MAIN, COMMIT_2)
  assert.equal(await kit.deliver(request), 'done')
  assert.equal(kit.desiredOrNone(), undefined)
  assert.deepEqual(
    kit.events.map(({event, code}) => [event, code]),
    [['skipped', 'SUPERSEDED']],
  )
})

test('drops a request whose ref is gone', async () => {
  const kit = createPublishKit()
  const request = kit.request([await kit.app('web', [configMap('a')])])
  kit.git.moveRef(REPOSITORY, MAIN, undefined)
  assert.equal(await kit.deliver(request), 'done')
  assert.equal(kit.desiredOrNone(), undefined)
})

test('drops a request that is overtaken while it is being published', async () => {
  const kit = createPublishKit()
  const late = kit.request([await kit.app('web', [configMap('a')])])
  const newer = kit.request([await kit.app('web', [configMap('b')], {commit: COMMIT_2})], {commit: COMMIT_2})
  // The newer push is published in full between the late request's last check and its swap.
  let isOvertaken = false
  const swap: typeof kit.store.swap = async (...args) => {
    if (!isOvertaken) {
      isOvertaken = true
      kit.git.moveRef(REPOSITORY, MAIN, COMMIT_2)
      assert.equal(await kit.deliver(newer), 'done')
    }
    return await kit.store.swap(...args)
  }
  assert.equal(await kit.deliver(late, {over: {store: {...kit.store, swap}}}), 'done')
  assert.equal(kit.desired().version, 1)
  const [web] = kit.desired().apps
  assert.equal(web?.state === 'present' && web.source.commit, COMMIT_2)
})

test('merges concurrent requests of two declarations: none is lost', async () => {
  const kit = createPublishKit()
  const other = 'https://git.example/other'
  kit.git.moveRef(other, MAIN, COMMIT_1)
  const requests = [
    kit.request([await kit.app('web', [configMap('a')])]),
    kit.request([await kit.app('api', [configMap('b')], {repository: other})], {repository: other}),
  ]
  assert.deepEqual(await Promise.all(requests.map((request) => kit.deliver(request))), ['done', 'done'])
  assert.equal(kit.desired().version, 2)
  assert.deepEqual(
    kit.desired().apps.map(({name}) => name),
    ['api', 'web'],
  )
})

test('tries again later where others keep writing', async () => {
  const kit = createPublishKit()
  const request = kit.request([await kit.app('web', [configMap('a')])])
  const store = {...kit.store, swap: async () => 'conflict' as const}
  assert.equal(await kit.deliver(request, {over: {store}}), 'again')
  assert.equal(kit.events.at(-1)?.code, 'CONTENTION')
})

test('tries again later where the git host cannot be asked', async () => {
  const kit = createPublishKit()
  const resolveRef = async () => {
    throw new SourceError('UNAVAILABLE', 'the git host is down')
  }
  const request = kit.request([await kit.app('web', [configMap('a')])])
  assert.equal(await kit.deliver(request, {over: {git: {...kit.git, resolveRef}}}), 'again')
  assert.equal(kit.desiredOrNone(), undefined)
})

test('buries an app that is no longer declared, and keeps the ones of other declarations', async () => {
  const kit = createPublishKit()
  const other = 'https://git.example/other'
  kit.git.moveRef(other, MAIN, COMMIT_1)
  const web = await kit.app('web', [configMap('a')], {sync: {deletionPolicy: 'Orphan'}})
  const api = await kit.app('api', [configMap('b')])
  await kit.deliver(kit.request([web, api]))
  await kit.deliver(kit.request([await kit.app('db', [configMap('c')], {repository: other})], {repository: other}))
  await kit.deliver(kit.request([api]))
  const {apps, version} = kit.desired()
  assert.equal(version, 3)
  assert.deepEqual(
    apps.map(({name, state}) => [name, state]),
    [
      ['api', 'present'],
      ['db', 'present'],
      ['web', 'removed'],
    ],
  )
  const tombstone = apps.find((app) => app.state === 'removed')
  assert.equal(tombstone?.deletionPolicy, 'Orphan')
  assert.equal(tombstone?.commit, COMMIT_1)
})

test('keeps a tombstone for thirty days and drops it with the next publication', async () => {
  const kit = createPublishKit()
  const api = await kit.app('api', [configMap('b')])
  await kit.deliver(kit.request([api, await kit.app('web', [configMap('a')])]))
  await kit.deliver(kit.request([api]))
  const names = () => kit.desired().apps.map(({name}) => name)
  kit.advance(29 * 24 * 3_600)
  await kit.deliver(kit.request([await kit.app('api', [configMap('b2')])]))
  assert.deepEqual(names(), ['api', 'web'])
  kit.advance(2 * 24 * 3_600)
  await kit.deliver(kit.request([await kit.app('api', [configMap('b3')])]))
  assert.deepEqual(names(), ['api'])
})

test('brings an app back that was removed before', async () => {
  const kit = createPublishKit()
  const web = await kit.app('web', [configMap('a')])
  await kit.deliver(kit.request([web]))
  await kit.deliver(kit.request([]))
  await kit.deliver(kit.request([web]))
  assert.deepEqual(
    kit.desired().apps.map(({name, state}) => [name, state]),
    [['web', 'present']],
  )
  assert.equal(kit.desired().version, 3)
})

test('keeps what the cluster has of an app that did not render', async () => {
  const kit = createPublishKit()
  const web = await kit.app('web', [configMap('a')])
  await kit.deliver(kit.request([web]))
  await kit.deliver(kit.request([{outcome: 'failed', name: 'web'}]))
  const [app] = kit.desired().apps
  assert.equal(app?.state === 'present' && app.bundle.digest, web.app.bundle.digest)
  assert.equal(kit.desired().version, 1)
})

test('refuses to build upon a desired state that somebody else wrote, says so, and leaves it', async () => {
  const kit = createPublishKit()
  await kit.deliver(kit.request([await kit.app('web', [configMap('a')])]))
  const forged = {...kit.desired(), apps: [], version: 9}
  const bytes = await signEnvelope(
    createMemorySigner(),
    PAYLOAD_TYPES.desiredState,
    Buffer.from(JSON.stringify(forged)),
  )
  await kit.store.put(keys.desired('dev'), bytes)
  assert.equal(await kit.deliver(kit.request([await kit.app('web', [configMap('b')])])), 'done')
  assert.deepEqual(Buffer.from(kit.store.objects.get(keys.desired('dev'))?.bytes ?? []), Buffer.from(bytes))
  assert.deepEqual(
    kit.sentOutcomes().map(({stage, cluster, findings}) => [stage, cluster, findings[0]?.code]),
    [['publish', 'dev', 'DESIRED_STATE_UNTRUSTED']],
  )
  assert.equal(kit.events.at(-1)?.event, 'refused')
})

test('replaces an attestation that does not verify, and keeps one that does', async () => {
  const kit = createPublishKit()
  const web = await kit.app('web', [configMap('a')])
  const key = keys.attestation(web.app.bundle.digest)
  await kit.store.put(key, Buffer.from('{"forged": true}'))
  await kit.deliver(kit.request([web]))
  const {bundle} = web.app
  const stored = kit.store.objects.get(key)
  assert.ok(stored !== undefined)
  verifyAttestation(stored.bytes, {trustRoot: kit.signer.trustRoot, app: 'web', cluster: 'dev', bundle})

  await kit.deliver(kit.request([]))
  await kit.deliver(kit.request([web]))
  assert.equal(kit.store.objects.get(key)?.etag, stored.etag)
})

test('sends a malformed message to the dead letters with the reason', async () => {
  const kit = createPublishKit()
  assert.equal(await kit.deliver('{not json'), 'done')
  assert.equal(await kit.deliver({...kit.request([]), cluster: '../prod'}), 'done')
  assert.deepEqual(
    kit.deadLetters.sent.map(({reason}) => reason?.split(':')[0]),
    ['the message is not JSON', 'the message is not valid'],
  )
  assert.match(kit.deadLetters.sent[1]?.reason ?? '', /cluster/)
  assert.equal(kit.desiredOrNone(), undefined)
})

test('signs anew only once less than half of the life is left', async () => {
  const kit = createPublishKit()
  const web = await kit.app('web', [configMap('a')])
  await kit.deliver(kit.request([web]))
  const refresh = {apiVersion: API_VERSION, kind: 'RefreshRequest', cluster: 'dev', trace: startTrace()}
  kit.advance(3 * 24 * 3_600)
  await kit.deliver(refresh)
  assert.equal(kit.desired().version, 1)
  assert.equal(kit.notifications.length, 1)
  kit.advance(24 * 3_600)
  await kit.deliver(refresh)
  assert.equal(kit.desired().version, 2)
  assert.equal(kit.notifications.length, 2)
  const [app] = kit.desired().apps
  assert.equal(app?.state === 'present' && app.bundle.digest, web.app.bundle.digest)
})

test('signs anew with an unchanged request too, where it is due, even after the expiry', async () => {
  const kit = createPublishKit()
  const request = kit.request([await kit.app('web', [configMap('a')])])
  await kit.deliver(request)
  kit.advance(8 * 24 * 3_600)
  await kit.deliver(request)
  assert.equal(kit.desired().version, 2)
})

test('refreshes nothing for a cluster that has no desired state', async () => {
  const kit = createPublishKit()
  const refresh = {apiVersion: API_VERSION, kind: 'RefreshRequest', cluster: 'dev', trace: startTrace()}
  assert.equal(await kit.deliver(refresh), 'done')
  assert.equal(kit.desiredOrNone(), undefined)
  assert.deepEqual(kit.notifications, [])
})

const reportOf = (version: number): Uint8Array => Buffer.from(JSON.stringify({desired: {version}}))

test('goes on above the version that the cluster has accepted where the store was rolled back or emptied', async () => {
  const kit = createPublishKit()
  const request = kit.request([await kit.app('web', [configMap('a')])])
  await kit.deliver(request)
  await kit.store.put(keys.report('dev'), reportOf(7))
  assert.equal(await kit.deliver(request), 'done')
  assert.equal(kit.desired().version, 8)
  assert.ok(kit.events.some(({code}) => code === 'STORE_ROLLED_BACK'))
  const refresh = {apiVersion: API_VERSION, kind: 'RefreshRequest', cluster: 'dev', trace: startTrace()}
  await kit.store.put(keys.report('dev'), reportOf(11))
  await kit.deliver(refresh)
  assert.equal(kit.desired().version, 12)

  const emptied = createPublishKit()
  await emptied.store.put(keys.report('dev'), reportOf(7))
  await emptied.deliver(emptied.request([await emptied.app('web', [configMap('a')])]))
  assert.equal(emptied.desired().version, 8)
})

test('believes no report that leaves no room for versions, or that cannot be read', async () => {
  for (const report of [
    reportOf(Number.MAX_SAFE_INTEGER),
    reportOf(-1),
    reportOf(1.5),
    Buffer.from('{'),
    Buffer.from('null'),
  ]) {
    const kit = createPublishKit()
    await kit.store.put(keys.report('dev'), report)
    await kit.deliver(kit.request([await kit.app('web', [configMap('a')])]))
    assert.equal(kit.desired().version, 1)
  }
})

test('publishes where it may not read reports', async () => {
  const kit = createPublishKit()
  const get: typeof kit.store.get = async (key, options) => {
    if (key === keys.report('dev')) throw new ObjectStoreError('ACCESS_DENIED', 'no')
    return await kit.store.get(key, options)
  }
  const request = kit.request([await kit.app('web', [configMap('a')])])
  assert.equal(await kit.deliver(request, {over: {store: {...kit.store, get}}}), 'done')
  assert.equal(kit.desired().version, 1)
})

test('knows its own apps again where the repository is spelled otherwise', async () => {
  const kit = createPublishKit()
  await kit.deliver(kit.request([await kit.app('web', [configMap('a')])]))
  const repository = `${REPOSITORY}.git`
  kit.git.moveRef(repository, MAIN, COMMIT_1)
  await kit.deliver(kit.request([await kit.app('web', [configMap('b')], {repository})], {repository}))
  assert.equal(kit.desired().version, 2)
  assert.equal(kit.desired().apps[0]?.declaredIn.repository, repository)
  await kit.deliver(kit.request([], {repository}))
  assert.equal(kit.desired().apps[0]?.state, 'removed')
})
