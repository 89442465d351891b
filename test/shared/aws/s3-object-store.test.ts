import assert from 'node:assert/strict'
import {randomUUID} from 'node:crypto'
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {after, before, test} from 'node:test'
import {findControlPlane} from '#infra/local/find-control-plane.ts'
import {type LocalObjectStore, startObjectStore} from '#infra/local/start-object-store.ts'
import {createAwsClients} from '#shared/aws/aws-clients.ts'
import {createS3ObjectStore} from '#shared/aws/s3-object-store.ts'
import type {ObjectStore} from '#shared/ports/object-store.ts'
import {ObjectStoreError} from '#shared/ports/object-store-error.ts'
import {startWaywardProxy, type WaywardProxy} from './wayward-proxy.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text)

let stateDir: string
let server: LocalObjectStore
let proxy: WaywardProxy
const destroyers: (() => void)[] = []

function open(endpoint: string, credentials: {accessKeyId: string; secretAccessKey: string}): ObjectStore {
  const {s3, sqs} = createAwsClients({s3Endpoint: endpoint, credentials})
  destroyers.push(
    () => s3.destroy(),
    () => sqs.destroy(),
  )
  return createS3ObjectStore({client: s3, bucket: 'faults'})
}

const begin = () => ({
  store: open(proxy.endpoint, server.rootCredentials),
  direct: open(server.endpoint, server.rootCredentials),
  key: `faults/${randomUUID()}`,
})

before(
  async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'drawbridge-faults-'))
    const tools = await findControlPlane({env: process.env, onProgress: () => undefined})
    server = await startObjectStore({tools, stateDir, bucket: 'faults'})
    proxy = await startWaywardProxy(server.endpoint)
  },
  {timeout: 900_000},
)

after(async () => {
  for (const destroy of destroyers) destroy()
  await proxy?.stop()
  await server?.stop()
  await rm(stateDir, {recursive: true, force: true})
})

const isError = (code: string) => (error: unknown) => error instanceof ObjectStoreError && error.code === code

test('knows its own swap again where the first answer was lost', async () => {
  const {store, key} = begin()
  const first = await store.swap(key, bytes('first'), undefined)
  assert.ok(first !== 'conflict')
  proxy.misbehave('lose-answer')
  const second = await store.swap(key, bytes('second'), first.etag)
  assert.ok(second !== 'conflict')
  const stored = await store.get(key)
  assert.ok(typeof stored === 'object')
  assert.equal(Buffer.from(stored.bytes).toString(), 'second')
  assert.equal(stored.etag, second.etag)
  assert.notEqual(await store.swap(key, bytes('third'), second.etag), 'conflict')
})

test('tells a conflict where somebody else wrote between the attempts', async () => {
  const {store, direct, key} = begin()
  const first = await store.swap(key, bytes('first'), undefined)
  assert.ok(first !== 'conflict')
  proxy.misbehave({status: 503})
  const swapping = store.swap(key, bytes('mine'), first.etag)
  await direct.put(key, bytes('theirs, and longer than mine'))
  assert.equal(await swapping, 'conflict')
})

test('answers a create whose first answer was lost with exists', async () => {
  const {store, key} = begin()
  proxy.misbehave('lose-answer')
  assert.equal(await store.create(key, bytes('first')), 'exists')
  const stored = await store.get(key)
  assert.equal(typeof stored === 'object' && Buffer.from(stored.bytes).toString(), 'first')
})

test('reads again where the connection breaks in the middle of the body', async () => {
  const {store, direct, key} = begin()
  const large = Buffer.alloc(300_000, 'x')
  await direct.put(key, large)
  proxy.misbehave('cut-body', 'cut-body')
  const stored = await store.get(key)
  assert.equal(typeof stored === 'object' && stored.bytes.byteLength, large.byteLength)
})

for (const status of [500, 503]) {
  test(`rides over one answer of ${status}`, async () => {
    const {store, key} = begin()
    proxy.misbehave({status})
    await store.put(key, bytes('x'))
    proxy.misbehave({status})
    assert.equal(typeof (await store.get(key)), 'object')
    proxy.misbehave({status})
    assert.deepEqual(await store.list(key), [key])
  })

  test(`tells UNAVAILABLE where ${status} goes on`, async () => {
    const {store, key} = begin()
    proxy.misbehave(...Array.from({length: 3}, () => ({status})))
    await assert.rejects(store.put(key, bytes('x')), isError('UNAVAILABLE'))
    proxy.misbehave(...Array.from({length: 3}, () => ({status})))
    await assert.rejects(store.get(key), isError('UNAVAILABLE'))
    proxy.misbehave(...Array.from({length: 3}, () => ({status})))
    await assert.rejects(store.list(key), isError('UNAVAILABLE'))
    assert.equal(await store.get(key), 'absent')
  })
}

test('starts a create over while S3 says that another write is under way', async () => {
  const {store, key} = begin()
  const body = '<Error><Code>ConditionalRequestConflict</Code><Message>try again</Message></Error>'
  proxy.misbehave({status: 409, body})
  assert.equal(await store.create(key, bytes('x')), 'created')
})

test('tells UNAVAILABLE where nobody listens', async () => {
  const store = open('http://127.0.0.1:1', server.rootCredentials)
  await assert.rejects(store.get('anything'), isError('UNAVAILABLE'))
})

test('tells ACCESS_DENIED where the policy says no, without a retry', async () => {
  const {direct, key} = begin()
  await direct.put(key, bytes('x'))
  const credentials = await server.createUser({name: 'nobody', grants: [{actions: ['get'], keys: ['elsewhere/*']}]})
  const store = open(proxy.endpoint, credentials)
  const before = proxy.requests()
  await assert.rejects(store.get(key), isError('ACCESS_DENIED'))
  await assert.rejects(store.put(key, bytes('y')), isError('ACCESS_DENIED'))
  await assert.rejects(store.create(key, bytes('y')), isError('ACCESS_DENIED'))
  assert.equal(proxy.requests() - before, 3)
})

test('stops reading as soon as a body exceeds what may be read', async () => {
  const {store, direct, key} = begin()
  await direct.put(key, Buffer.alloc(20_000_000))
  const before = process.memoryUsage().arrayBuffers
  await assert.rejects(store.get(key, {maxBytes: 1_000}), isError('TOO_LARGE'))
  assert.ok(process.memoryUsage().arrayBuffers - before < 10_000_000)
})
