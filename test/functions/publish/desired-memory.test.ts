import assert from 'node:assert/strict'
import {test} from 'node:test'
import fc from 'fast-check'
import {createPublishHandler} from '#functions/publish/create-handler.ts'
import {encodeDesiredState} from '#functions/publish/encode-desired-state.ts'
import {signEnvelope} from '#shared/attest/envelope.ts'
import {PAYLOAD_TYPES} from '#shared/attest/payload-types.ts'
import {canonicalJson} from '#shared/bundle/canonical-json.ts'
import {keys} from '#shared/model/keys.ts'
import {createMemorySigner} from '#test/fakes/memory-signer.ts'
import {configMap, createPublishKit, MAIN, type PublishKit, REPOSITORY} from './publish-kit.ts'

const key = keys.desired('dev')

const tracking = {repositories: [{url: REPOSITORY, ref: MAIN}]}

/** One function that goes on living between messages, and what it read of the desired state in full. */
function startFunction(kit: PublishKit) {
  const reads: string[] = []
  const get: typeof kit.store.get = async (name, options) => {
    const found = await kit.store.get(name, options)
    if (name === key) reads.push(typeof found === 'string' ? found : 'read')
    return found
  }
  const handler = createPublishHandler({...kit.ports, store: {...kit.store, get}}, tracking)
  const deliver = async (message: unknown): Promise<void> => {
    const {batchItemFailures} = await handler({Records: [{messageId: 'm', body: JSON.stringify(message)}]})
    assert.deepEqual(batchItemFailures, [])
  }
  return {reads, deliver}
}

async function publishTwice(kit: PublishKit) {
  const {reads, deliver} = startFunction(kit)
  await deliver(kit.request([await kit.app('a', [configMap('1')])]))
  await deliver(kit.request([await kit.app('a', [configMap('2')])]))
  return {reads, deliver}
}

test('does not read again what it published itself', async () => {
  const kit = createPublishKit()
  const {reads} = await publishTwice(kit)
  assert.deepEqual(reads, ['absent', 'not-modified'])
  assert.equal(kit.desired().version, 2)
})

test('reads once what another function published', async () => {
  const kit = createPublishKit()
  const {reads, deliver} = await publishTwice(kit)
  await kit.deliver(kit.range({from: 'b'}, [await kit.app('b', [configMap('1')])]))
  reads.length = 0
  await deliver(kit.range({from: 'c'}, [await kit.app('c', [configMap('1')])]))
  await deliver(kit.range({from: 'c'}, [await kit.app('c', [configMap('2')])]))
  assert.deepEqual(reads, ['read', 'not-modified'])
  assert.deepEqual(
    kit.desired().apps.map(({name}) => name),
    ['a', 'b', 'c'],
  )
})

test('builds upon the store and not upon what it remembers: forged, rolled back or gone', async () => {
  const kit = createPublishKit()
  const {deliver} = startFunction(kit)
  await deliver(kit.request([await kit.app('a', [configMap('1')])]))
  const old = kit.store.objects.get(key) ?? assert.fail()
  await deliver(kit.range({from: 'b'}, [await kit.app('b', [configMap('1')])]))
  const second = kit.desired()

  const forged = {...second, apps: [], version: 9}
  const bytes = await signEnvelope(createMemorySigner(), PAYLOAD_TYPES.desiredState, Buffer.from(canonicalJson(forged)))
  await kit.store.put(key, bytes)
  await deliver(kit.range({from: 'c'}, [await kit.app('c', [configMap('1')])]))
  assert.equal(kit.sentOutcomes().at(-1)?.findings[0]?.code, 'DESIRED_STATE_UNTRUSTED')

  await kit.store.put(key, old.bytes)
  await deliver(kit.range({from: 'c'}, [await kit.app('c', [configMap('1')])]))
  assert.deepEqual(
    kit.desired().apps.map(({name}) => name),
    ['a', 'c'],
  )
})

test('verifies again by a trust root that was changed', async () => {
  const kit = createPublishKit()
  let trustRoot = kit.signer.trustRoot
  const handler = createPublishHandler({...kit.ports, trustRoot: async () => trustRoot}, tracking)
  const deliver = async (message: unknown) =>
    handler({Records: [{messageId: 'm', body: JSON.stringify(message), attributes: {}}]})
  await deliver(kit.request([await kit.app('a', [configMap('1')])]))
  trustRoot = createMemorySigner().trustRoot
  await deliver(kit.request([await kit.app('a', [configMap('2')])]))
  assert.equal(kit.sentOutcomes().at(-1)?.findings[0]?.code, 'DESIRED_STATE_UNTRUSTED')
  assert.equal(kit.desired().version, 1)
})

test('does not remember what its own trust root would not believe', async () => {
  const kit = createPublishKit()
  const handler = createPublishHandler({...kit.ports, signer: createMemorySigner()}, tracking)
  const deliver = async (message: unknown) =>
    handler({Records: [{messageId: 'm', body: JSON.stringify(message), attributes: {}}]})
  await deliver(kit.request([await kit.app('a', [configMap('1')])]))
  await deliver(kit.request([await kit.app('a', [configMap('2')])]))
  assert.equal(kit.sentOutcomes().at(-1)?.findings[0]?.code, 'DESIRED_STATE_UNTRUSTED')
})

test('writes the one canonical form, whatever the apps hold', async () => {
  const kit = createPublishKit()
  await kit.deliver(kit.request([await kit.app('a', [configMap('1')]), await kit.app('b', [configMap('1')])]))
  const published = kit.desired()
  fc.assert(
    fc.property(fc.array(fc.string()), fc.boolean(), (words, isFull) => {
      const apps = published.apps.map((app) => ({...app, words, '"apps":[': words}))
      const desired = {...published, apps: isFull ? apps : []}
      assert.equal(Buffer.from(encodeDesiredState(desired)).toString(), canonicalJson(desired))
      assert.equal(Buffer.from(encodeDesiredState(desired)).toString(), canonicalJson(desired))
    }),
  )
})
