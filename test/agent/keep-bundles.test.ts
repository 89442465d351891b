import assert from 'node:assert/strict'
import {chmod, mkdtemp, readdir, rm, stat, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {type TestContext, test} from 'node:test'
import {keepBundles} from '#agent/keep-bundles.ts'
import {digestOf} from '#shared/model/digest.ts'
import {keys} from '#shared/model/keys.ts'
import type {ObjectStore} from '#shared/ports/object-store.ts'
import {ObjectStoreError} from '#shared/ports/object-store-error.ts'
import {createMemoryObjectStore} from '../fakes/memory-object-store.ts'
import {waitUntil} from './start-test-agent.ts'

const bytesOf = (text: string): Uint8Array => Buffer.from(text)
const keyOf = (text: string): string => keys.bundle(digestOf(bytesOf(text)))

async function setUp(t: TestContext, maxBytes?: number) {
  const parent = await mkdtemp(join(tmpdir(), 'drawbridge-kept-'))
  t.after(() => rm(parent, {recursive: true, force: true}))
  const folder = join(parent, 'bundles')
  const memory = createMemoryObjectStore()
  const lines: string[] = []
  let down: ObjectStoreError | undefined
  const remote: ObjectStore = {
    ...memory,
    get: async (key, options) => {
      if (down !== undefined) throw down
      return memory.get(key, options)
    },
  }
  const open = () =>
    keepBundles(remote, {
      folder,
      ...(maxBytes === undefined ? {} : {maxBytes}),
      log: (line) => void lines.push(line),
    })
  const files = async () => (await readdir(folder).catch(() => [])).filter((name) => !name.includes('-'))
  return {
    parent,
    folder,
    memory,
    lines,
    open,
    files,
    breakStore(code: ObjectStoreError['code'] = 'UNAVAILABLE') {
      down = new ObjectStoreError(code, 'the store does not answer')
    },
    async readKept(text: string) {
      await memory.put(keyOf(text), bytesOf(text))
      const before = (await files()).length
      await open().get(keyOf(text))
      await waitUntil(async () => (await files()).length > before, `a copy of ${text}`)
    },
  }
}

for (const code of ['UNAVAILABLE', 'ACCESS_DENIED'] as const)
  test(`answers a bundle from its copy while the store is ${code}, also after a restart`, async (t) => {
    const {readKept, open, breakStore} = await setUp(t)
    await readKept('a bundle')
    breakStore(code)
    const found = await open().get(keyOf('a bundle'), {maxBytes: 100})
    assert.ok(typeof found === 'object')
    assert.equal(Buffer.from(found.bytes).toString(), 'a bundle')
    await assert.rejects(open().get(keyOf('never read')), {code})
  })

test('never answers from a copy what can change, what the store itself answers, or what is larger than asked for', async (t) => {
  const {memory, readKept, open, breakStore, files} = await setUp(t)
  await readKept('a bundle')
  await memory.put(keys.desired('dev'), bytesOf('desired'))
  await open().get(keys.desired('dev'))
  await memory.put(keyOf('a bundle'), bytesOf('otherwise'))
  const fresh = await open().get(keyOf('a bundle'))
  assert.equal(typeof fresh === 'object' && Buffer.from(fresh.bytes).toString(), 'otherwise')
  assert.equal(await open().get(keyOf('absent')), 'absent')
  breakStore()
  await assert.rejects(open().get(keys.desired('dev')), {code: 'UNAVAILABLE'})
  await assert.rejects(open().get(keyOf('a bundle'), {maxBytes: 3}), {code: 'UNAVAILABLE'})
  assert.equal((await files()).length, 1)
})

test('keeps copies only its owner can read, no more of them than fit, and clears what a stop left unfinished', async (t) => {
  const {folder, readKept, files, open, breakStore} = await setUp(t, 20)
  await readKept('1234567890')
  await writeFile(join(folder, 'unfinished-copy'), 'x'.repeat(30))
  await readKept('abcdefghij')
  assert.equal((await stat(folder)).mode & 0o777, 0o700)
  for (const name of await files()) assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600)
  const next = open()
  await next.get(keyOf('1234567890'))
  await waitUntil(async () => !(await readdir(folder)).includes('unfinished-copy'), 'the unfinished copy cleared')
  assert.ok((await files()).length <= 2)
  breakStore()
  await assert.rejects(next.get(keyOf('klmnopqrst')))
})

test('a folder that cannot be written costs the copies only, and is told once', async (t) => {
  const {parent, folder, memory, lines, open} = await setUp(t)
  // A file where the folder should be: no user can write into it, root neither.
  await writeFile(folder, '')
  await chmod(parent, 0o700)
  const store = open()
  for (const text of ['one', 'two']) {
    await memory.put(keyOf(text), bytesOf(text))
    const found = await store.get(keyOf(text))
    assert.equal(typeof found === 'object' && Buffer.from(found.bytes).toString(), text)
  }
  await waitUntil(() => lines.length > 0, 'the reason')
  assert.match(lines[0] ?? '', /bundles are not kept/)
  assert.equal(lines.length, 1)
})

test('holds no more in memory for a slow disk than it may, and keeps what is read once that is written', async (t) => {
  const {folder, memory, lines, files} = await setUp(t)
  const store = keepBundles(memory, {folder, maxWaitingBytes: 25, log: (line) => void lines.push(line)})
  const texts = ['1234567890', 'abcdefghij', 'ABCDEFGHIJ', 'klmnopqrst']
  for (const text of texts) await memory.put(keyOf(text), bytesOf(text))
  // No write can end before all of these are answered.
  const found = await Promise.all(texts.map((text) => store.get(keyOf(text))))
  assert.ok(found.every((answer) => typeof answer === 'object'))
  assert.equal(lines.length, 1)
  assert.match(lines[0] ?? '', /faster than they are written/)
  await waitUntil(async () => (await files()).length === 2, 'the copies that fit')
  await waitUntil(async () => {
    await store.get(keyOf('ABCDEFGHIJ'))
    return (await files()).length === 3
  }, 'a copy of what was read again')
})

test('keeps a copy that is larger than what may wait, where nothing else does', async (t) => {
  const {folder, memory, lines, files} = await setUp(t)
  const store = keepBundles(memory, {folder, maxWaitingBytes: 5, log: (line) => void lines.push(line)})
  await memory.put(keyOf('1234567890'), bytesOf('1234567890'))
  await store.get(keyOf('1234567890'))
  await waitUntil(async () => (await files()).length === 1, 'the copy')
  assert.deepEqual(lines, [])
})
