import assert from 'node:assert/strict'
import {mkdtemp, readdir, readFile, rm, stat} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {after, before, test} from 'node:test'

import {GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client} from '@aws-sdk/client-s3'

import {type ControlPlaneTools, findControlPlane} from '#infra/local/find-control-plane.ts'
import type {Credentials} from '#infra/local/sign-request.ts'
import {type LocalObjectStore, startObjectStore} from '#infra/local/start-object-store.ts'
import {startFaultProxy} from '#test/fault-proxy.ts'

let tools: ControlPlaneTools
let dir: string
let store: LocalObjectStore
const clients: S3Client[] = []

before(async () => {
  tools = await findControlPlane({env: process.env, onProgress: (line) => process.stderr.write(`${line}\n`)})
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-s3-'))
  store = await startObjectStore({tools, stateDir: join(dir, 'main'), bucket: 'drawbridge'})
})

after(async () => {
  for (const client of clients) client.destroy()
  await store?.stop()
  if (dir) await rm(dir, {recursive: true})
})

function clientOf(credentials: Credentials, endpoint = store.endpoint): S3Client {
  const client = new S3Client({
    endpoint,
    region: store.region,
    credentials: {...credentials},
    forcePathStyle: true,
  })
  clients.push(client)
  return client
}

const put = (client: S3Client, Key: string, Body: string, conditions: {IfMatch?: string; IfNoneMatch?: string} = {}) =>
  client.send(new PutObjectCommand({Bucket: 'drawbridge', Key, Body, ...conditions}))
const get = async (client: S3Client, Key: string) => {
  const {Body, ETag} = await client.send(new GetObjectCommand({Bucket: 'drawbridge', Key}))
  return {text: (await Body?.transformToString()) ?? '', etag: ETag ?? ''}
}
const denied = {name: 'AccessDenied'}

const clusterGrants = (cluster: string) => [
  {actions: ['get'], keys: [`clusters/${cluster}/desired`, 'bundles/*', 'attestations/*']} as const,
  {actions: ['get', 'put'], keys: [`clusters/${cluster}/report`]} as const,
]

test("allows a cluster its own keys and denies it another cluster's, writing bundles, and listing", async () => {
  const root = clientOf(store.rootCredentials)
  for (const key of ['clusters/dev/desired', 'clusters/prod/desired', 'clusters/prod/report', 'bundles/b']) {
    await put(root, key, key)
  }
  const [dev] = await Promise.all(
    ['dev', 'prod'].map(async (name) => clientOf(await store.createUser({name, grants: clusterGrants(name)}))),
  )
  assert.ok(dev)
  assert.equal((await get(dev, 'clusters/dev/desired')).text, 'clusters/dev/desired')
  assert.equal((await get(dev, 'bundles/b')).text, 'bundles/b')
  await put(dev, 'clusters/dev/report', 'fine')

  await assert.rejects(get(dev, 'clusters/prod/desired'), denied)
  await assert.rejects(get(dev, 'clusters/prod/report'), denied)
  await assert.rejects(get(dev, 'bundles/../clusters/prod/desired'), denied)
  await assert.rejects(put(dev, 'clusters/prod/report', 'forged'), denied)
  await assert.rejects(put(dev, 'clusters/dev/desired', 'forged'), denied)
  await assert.rejects(put(dev, 'bundles/b', 'forged'), denied)
  await assert.rejects(dev.send(new ListObjectsV2Command({Bucket: 'drawbridge'})), denied)
  assert.equal((await get(root, 'clusters/prod/report')).text, 'clusters/prod/report')
})

test('lists for a user only below the prefixes it was granted', async () => {
  const lister = clientOf(await store.createUser({name: 'lister', grants: [{actions: ['list'], keys: ['history/*']}]}))
  await put(clientOf(store.rootCredentials), 'history/1', 'x')
  const listed = await lister.send(new ListObjectsV2Command({Bucket: 'drawbridge', Prefix: 'history/'}))
  assert.deepEqual(
    listed.Contents?.map(({Key}) => Key),
    ['history/1'],
  )
  await assert.rejects(lister.send(new ListObjectsV2Command({Bucket: 'drawbridge', Prefix: 'clusters/'})), denied)
})

test('takes a grant away when the user is made again without it, with the same credentials', async () => {
  await put(clientOf(store.rootCredentials), 'bundles/c', 'c')
  const first = await store.createUser({name: 'narrowed', grants: [{actions: ['get'], keys: ['bundles/*']}]})
  await get(clientOf(first), 'bundles/c')
  const second = await store.createUser({name: 'narrowed', grants: []})
  assert.deepEqual(second, first)
  await assert.rejects(get(clientOf(second), 'bundles/c'), denied)
})

test('keeps apart as many users as a fleet has, whose policy is beyond an extended attribute', async () => {
  const root = clientOf(store.rootCredentials)
  const names = Array.from({length: 40}, (_, i) => `fleet-${i}`)
  const credentials = await Promise.all(names.map((name) => store.createUser({name, grants: clusterGrants(name)})))
  for (const name of ['fleet-0', 'fleet-39']) await put(root, `clusters/${name}/desired`, name)
  const last = credentials.at(-1)
  assert.ok(last)
  assert.equal((await get(clientOf(last), 'clusters/fleet-39/desired')).text, 'fleet-39')
  await assert.rejects(get(clientOf(last), 'clusters/fleet-0/desired'), denied)
})

test('refuses unknown and wrong credentials', async () => {
  const {accessKeyId} = store.rootCredentials
  await assert.rejects(get(clientOf({accessKeyId, secretAccessKey: 'wrong'}), 'bundles/b'), {
    name: 'SignatureDoesNotMatch',
  })
  await assert.rejects(get(clientOf({accessKeyId: 'NOBODY', secretAccessKey: 'x'}), 'bundles/b'), {
    name: 'InvalidAccessKeyId',
  })
  assert.equal((await fetch(`${store.endpoint}/drawbridge/bundles/b`)).status, 403)
})

test('lets one of 20 create an object, and one of 20 replace it', async () => {
  const root = clientOf(store.rootCredentials)
  const race = async (conditions: {IfMatch?: string; IfNoneMatch?: string}) => {
    const results = await Promise.allSettled(
      Array.from({length: 20}, (_, i) => put(root, 'raced', `${JSON.stringify(conditions)} ${i}`, conditions)),
    )
    const losers = results.filter((result) => result.status === 'rejected')
    for (const {reason} of losers) assert.equal(reason.name, 'PreconditionFailed')
    return results.length - losers.length
  }
  assert.equal(await race({IfNoneMatch: '*'}), 1)
  const {etag} = await get(root, 'raced')
  assert.equal(await race({IfMatch: etag}), 1)
})

test('keeps objects, users, grants and address over a restart, and credentials over a new start', async () => {
  const stateDir = join(dir, 'kept')
  const first = await startObjectStore({tools, stateDir, bucket: 'drawbridge'})
  const user = await first.createUser({name: 'dev', grants: clusterGrants('dev')})
  await put(clientOf(first.rootCredentials, first.endpoint), 'bundles/kept', 'kept')
  await first.restart()
  assert.equal((await get(clientOf(user, first.endpoint), 'bundles/kept')).text, 'kept')
  await first.stop()

  const second = await startObjectStore({tools, stateDir, bucket: 'drawbridge'})
  try {
    assert.deepEqual(second.rootCredentials, first.rootCredentials)
    assert.equal((await get(clientOf(user, second.endpoint), 'bundles/kept')).text, 'kept')
    await assert.rejects(get(clientOf(user, second.endpoint), 'clusters/prod/desired'), denied)
  } finally {
    await second.stop()
  }
})

test('keeps its credentials from other users, its command line and its log', async () => {
  const stateDir = join(dir, 'main')
  assert.equal((await stat(join(stateDir, 'credentials.json'))).mode & 0o077, 0)
  for (const name of await readdir(stateDir)) assert.equal((await stat(join(stateDir, name))).mode & 0o077, 0, name)
  const {secretAccessKey} = store.rootCredentials
  assert.ok(!(await readFile(join(stateDir, 's3.log'), 'utf8')).includes(secretAccessKey))
  const commandLine = await readFile(`/proc/${store.processId()}/cmdline`, 'utf8').catch(() => '')
  assert.ok(!commandLine.includes(secretAccessKey))
})

test('is reached through a proxy that fails some requests, which the client repeats', async (t) => {
  const proxy = await startFaultProxy(store.endpoint)
  t.after(() => proxy.stop())
  const client = clientOf(store.rootCredentials, proxy.endpoint)
  proxy.failNext(2, 503)
  await put(client, 'proxied', 'through')
  assert.equal(proxy.faults(), 2)
  proxy.failUntilCleared(500)
  await assert.rejects(
    get(client, 'proxied'),
    (error: {$metadata?: {httpStatusCode?: number}}) => error.$metadata?.httpStatusCode === 500,
  )
  proxy.clear()
  assert.equal((await get(client, 'proxied')).text, 'through')
})
