import assert from 'node:assert/strict'
import {execFile} from 'node:child_process'
import {createHash} from 'node:crypto'
import {mkdir, readdir, readFile, truncate, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {test} from 'node:test'
import {promisify} from 'node:util'
import {deflateSync} from 'node:zlib'
import {resolveDeltas} from '#shared/git/resolve-deltas.ts'
import {scanPack} from '#shared/git/scan-pack.ts'
import {storePack} from '#shared/git/store-pack.ts'
import {createUnpackBudget} from '#shared/git/unpack-budget.ts'
import {SourceError} from '#shared/ports/source-error.ts'
import {createRepository, git, type TestRepository, temporaryFolder} from '../../functions/render/bridge-fixture.ts'
import {startGitServer} from './git-server.ts'

const run = promisify(execFile)

/** A repository whose one pack has files of all sizes, and many deltas. */
async function packed(folder: string, ...options: string[]): Promise<{pack: Buffer; index: Buffer}> {
  const repository = await createRepository(folder, 'repo')
  const lines = Array.from({length: 400}, (_, index) => `line ${index} ${'x'.repeat(index % 40)}`)
  for (let commit = 0; commit < 8; commit++) {
    lines[commit * 30] = `changed in ${commit}`
    await repository.push({
      'a.txt': lines.join('\n'),
      [`b/${commit}.txt`]: lines.slice(commit * 10).join('\n'),
      [`large-${commit}.bin`]: Buffer.alloc(1_500_000 + commit, commit),
      empty: '',
    })
  }
  await git(repository.url, ...options, 'repack', '-q', '-a', '-d', '-f', '--depth=20', '--window=20')
  return readPack(repository)
}

async function readPack({url}: TestRepository): Promise<{pack: Buffer; index: Buffer}> {
  const packs = join(url, 'objects', 'pack')
  const names = (await readdir(packs)).filter((name) => name.endsWith('.pack'))
  assert.equal(names.length, 1)
  const path = join(packs, String(names[0]))
  return {pack: await readFile(path), index: await readFile(path.replace(/pack$/, 'idx'))}
}

for (const [what, options] of [
  ['by offset', []],
  ['by id', ['-c', 'repack.useDeltaBaseOffset=false']],
] as const) {
  test(`makes the same index of a pack with deltas ${what} as git does`, async (t) => {
    const folder = await temporaryFolder(t)
    const {pack, index} = await packed(folder, ...options)
    const gitdir = join(folder, 'fetched')
    assert.deepEqual(await storePack(gitdir, pack), {leftOut: 0})
    const names = await readdir(join(gitdir, 'objects', 'pack'))
    const name = names.find((each) => each.endsWith('.idx')) ?? assert.fail()
    assert.ok((await readFile(join(gitdir, 'objects', 'pack', name))).equals(index))
  })
}

interface Entry {
  type: number
  size: number
  content: Uint8Array
  /** What a delta by id is one of. */
  base?: string
}

/** A pack of entries as they are given, with a right checksum. */
function packOf(...entries: readonly Entry[]): Buffer {
  const header = Buffer.from('PACK\0\0\0\x02\0\0\0\0', 'latin1')
  header.writeUInt32BE(entries.length, 8)
  const parts = entries.flatMap(({type, size, content, base = ''}) => [
    Buffer.from(entryHeader(type, size)),
    Buffer.from(base, 'hex'),
    deflateSync(content),
  ])
  const body = Buffer.concat([header, ...parts])
  return Buffer.concat([body, createHash('sha1').update(body).digest()])
}

function entryHeader(type: number, size: number): number[] {
  const bytes = [(type << 4) | (size % 16)]
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.push((bytes.pop() ?? 0) | 0x80, rest % 128)
  }
  return bytes
}

const blob = 3
const small = {type: blob, size: 5, content: Buffer.from('hello')}

test('hashes a blob as git does', async () => {
  const {whole} = await scanPack(packOf(small), createUnpackBudget())
  assert.deepEqual(
    whole.map(({oid, offset}) => ({oid, offset})),
    [{oid: 'b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0', offset: 12}],
  )
})

/** Has the code, and says why. */
function isSourceError(code: string, words: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof SourceError && error.code === code && words.test(error.message)
}

for (const [what, pack, words] of [
  ['of an object that is larger than it states', packOf({...small, size: 4}), /cannot be inflated/],
  ['of an object that is smaller than it states', packOf({...small, size: 6}), /6 bytes that it states/],
  [
    'of a large object that is larger than it states',
    packOf({type: blob, size: 2_000_000, content: Buffer.alloc(9_000_000)}),
    /2000000 bytes that it states/,
  ],
  [
    'of a large object that is smaller than it states',
    packOf({type: blob, size: 2_000_000, content: Buffer.alloc(1_999_999)}),
    /2000000 bytes that it states/,
  ],
  ['of an unknown type', packOf({...small, type: 5}), /no object at 12/],
  ['with a delta of what is not in it', packOf(small, deltaOf('1'.repeat(40), 5, 'x')), /not in it/],
  [
    'with a delta that does not fit',
    packOf(small, {type: 7, size: 3, content: Buffer.from([5, 5, 0]), base: blobId(small.content)}),
    /a delta in it/,
  ],
  ['of another version', Buffer.from('PACK\0\0\0\x03\0\0\0\0'.padEnd(40, '\0')), /version 2/],
  ['that is nothing', Buffer.alloc(0), /version 2/],
] as const) {
  test(`takes a pack ${what} for damaged, which no other try mends`, async (t) => {
    await assert.rejects(storePack(await temporaryFolder(t), pack), isSourceError('REPOSITORY_DAMAGED', words))
  })
}

/** A delta, by id, that copies all of its base and adds a letter. */
function deltaOf(base: string, baseSize: number, letter: string): Entry {
  const copy: number[] = []
  for (let from = 0; from < baseSize; from += 0xffffff) {
    const size = Math.min(0xffffff, baseSize - from)
    copy.push(0xff, ...littleEndian(from, 4), ...littleEndian(size, 3))
  }
  const content = Buffer.from([...varint(baseSize), ...varint(baseSize + 1), ...copy, 1, letter.charCodeAt(0)])
  return {type: 7, size: content.length, content, base}
}

function littleEndian(value: number, bytes: number): number[] {
  return Array.from({length: bytes}, (_, index) => Math.floor(value / 256 ** index) % 256)
}

function varint(value: number): number[] {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest]
    bytes.push((rest % 128) | 0x80)
  }
}

function blobId(content: Uint8Array): string {
  return createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex')
}

/** A blob, and deltas each of the one before. */
function chain(length: number): {entries: Entry[]; ids: string[]} {
  let content = Buffer.from('base')
  const entries: Entry[] = [{type: blob, size: content.length, content}]
  const ids: string[] = [blobId(content)]
  for (let index = 0; index < length; index++) {
    const letter = String.fromCharCode(97 + (index % 26))
    entries.push(deltaOf(ids.at(-1) ?? '', content.length, letter))
    content = Buffer.concat([content, Buffer.from(letter)])
    ids.push(blobId(content))
  }
  return {entries, ids}
}

test('follows deltas by id in whatever order they come', async () => {
  const {entries, ids} = chain(400)
  const pack = packOf(...entries.reverse())
  const scanned = await scanPack(pack, createUnpackBudget())
  const {resolved, leftOut} = await resolveDeltas(pack, scanned, createUnpackBudget())
  assert.equal(leftOut, 0)
  assert.deepEqual(resolved.map(({oid}) => oid).sort(), ids.slice(1).sort())
})

for (const [what, entries, leftOut] of [
  ['the end of a chain of 600 deltas', chain(600).entries, 100],
  [
    'deltas of what is too large, and their deltas',
    (() => {
      const content = Buffer.alloc(33 * 1024 * 1024)
      const next = blobId(Buffer.concat([content, Buffer.from('x')]))
      return [
        {type: blob, size: content.length, content},
        deltaOf(blobId(content), content.length, 'x'),
        deltaOf(blobId(content), content.length, 'y'),
        deltaOf(next, content.length + 1, 'z'),
      ]
    })(),
    3,
  ],
] as const) {
  test(`leaves out ${what}`, async (t) => {
    assert.deepEqual(await storePack(await temporaryFolder(t), packOf(...entries)), {leftOut})
  })
}

test('refuses deltas that make more than is unpacked of one commit', async (t) => {
  const content = Buffer.alloc(31 * 1024 * 1024)
  const letters = Array.from({length: 70}, (_, index) => String.fromCharCode(33 + index))
  const deltas = letters.map((letter) => deltaOf(blobId(content), content.length, letter))
  const pack = packOf({type: blob, size: content.length, content}, ...deltas)
  assert.ok(pack.length < 50_000)
  await assert.rejects(
    storePack(await temporaryFolder(t), pack),
    isSourceError('REPOSITORY_TOO_LARGE', /unpacks to more than the limit of 2147483648 bytes/),
  )
})

test('refuses more objects than are taken, before it looks at one', async () => {
  const pack = packOf(small)
  pack.writeUInt32BE(1_000_001, 8)
  const body = pack.subarray(0, pack.length - 20)
  const whole = Buffer.concat([body, createHash('sha1').update(body).digest()])
  await assert.rejects(scanPack(whole, createUnpackBudget()), isSourceError('REPOSITORY_TOO_LARGE', /1000001 objects/))
})

test('refuses a pack with any byte changed, or cut short', async (t) => {
  const folder = await temporaryFolder(t)
  const {pack} = await packed(folder)
  for (let at = 0; at < pack.length; at += Math.ceil(pack.length / 40)) {
    const spoiled = Buffer.from(pack)
    spoiled[at] = (spoiled[at] ?? 0) ^ 0x55
    await assert.rejects(storePack(join(folder, 'x'), spoiled), SourceError, `a change at ${at}`)
  }
  await assert.rejects(
    storePack(join(folder, 'x'), pack.subarray(0, pack.length - 30)),
    isSourceError('UNAVAILABLE', /checksum/),
  )
  // With a checksum that fits, the entries themselves must end where it begins.
  const body = Buffer.concat([pack.subarray(0, pack.length - 20), Buffer.from('more')])
  const longer = Buffer.concat([body, createHash('sha1').update(body).digest()])
  await assert.rejects(storePack(join(folder, 'x'), longer), /4 bytes too many/)
})

test('refuses what unpacks to too much by the sizes that are stated, before it is unpacked', async () => {
  const half = 1.5 * 1024 * 1024 * 1024
  const pack = packOf(small, {type: blob, size: 2 * half, content: Buffer.from('x')})
  await assert.rejects(scanPack(pack, createUnpackBudget()), isSourceError('REPOSITORY_TOO_LARGE', /unpacks to more/))
})

test('fetches 120 MB that compress to nothing in little memory, and reads the rest', {timeout: 200_000}, async (t) => {
  const folder = await temporaryFolder(t)
  const repository = await createRepository(folder, 'repo')
  await mkdir(join(repository.workTree, 'app'), {recursive: true})
  // Never in this process's memory: a child's peak is counted from its parent's.
  await writeFile(join(repository.workTree, 'huge.bin'), '')
  await truncate(join(repository.workTree, 'huge.bin'), 120 * 1024 * 1024)
  // One of these is sent as a delta of the other, and so cannot even be hashed.
  const twin = Buffer.alloc(33 * 1024 * 1024)
  const commit = await repository.push({
    'app/small.txt': 'small',
    'twin-a.bin': twin,
    'twin-b.bin': Buffer.concat([twin, Buffer.from('another end')]),
  })
  const server = await startGitServer({root: folder})
  t.after(() => server.stop())
  const read = async (file: string): Promise<{outcome: string; mebibytes: number}> => {
    const program = join(import.meta.dirname, 'read-oversize.ts')
    const args = ['--disable-warning=ExperimentalWarning', program, 'repository', `${server.url}/repo.git`, commit]
    const {stdout} = await run(process.execPath, [...args, file, join(folder, 'cache')])
    return JSON.parse(stdout)
  }
  const huge = await read('huge.bin')
  assert.equal(huge.outcome, 'FILE_TOO_LARGE')
  assert.ok(huge.mebibytes < 180, `${huge.mebibytes} MiB`)
  for (const file of ['twin-a.bin', 'twin-b.bin']) assert.equal((await read(file)).outcome, 'FILE_TOO_LARGE')
  assert.equal((await read('app/small.txt')).outcome, 'read')
})
