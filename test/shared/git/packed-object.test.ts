import assert from 'node:assert/strict'
import {execFile} from 'node:child_process'
import {appendFile, readdir, truncate, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {test} from 'node:test'
import {promisify} from 'node:util'
import fc from 'fast-check'
import {applyDelta} from '#shared/git/apply-delta.ts'
import {createPackCache, readPackedObject} from '#shared/git/packed-object.ts'
import {createRepository, git, type TestRepository, temporaryFolder} from '../../functions/render/bridge-fixture.ts'

const run = promisify(execFile)
const everything = 100 * 1024 * 1024

/** Commits that change some lines of a few files, so that a pack of them is full of deltas. */
async function pushMany(repository: TestRepository): Promise<void> {
  const lines = Array.from({length: 400}, (_, index) => `line ${index} ${'x'.repeat(index % 40)}`)
  for (let commit = 0; commit < 12; commit++) {
    lines[commit * 30] = `changed in ${commit}`
    lines.splice(commit * 7, 1)
    await repository.push({'a.txt': lines.join('\n'), [`b/${commit}.txt`]: lines.slice(commit * 10).join('\n')})
  }
}

for (const [what, options] of [
  ['with deltas by offset', []],
  ['with deltas by id', ['-c', 'repack.useDeltaBaseOffset=false']],
  ['in several packs', ['-c', 'pack.packSizeLimit=1m', '-c', 'pack.compression=0']],
] as const) {
  test(`reads every object of a repository ${what} as git does`, async (t) => {
    const folder = await temporaryFolder(t)
    const repository = await createRepository(folder, 'repo')
    await pushMany(repository)
    if (what === 'in several packs')
      await repository.push({'noise.bin': Buffer.alloc(900_000, 7), 'more.bin': Buffer.alloc(900_000, 9)})
    await git(repository.url, ...options, 'repack', '-q', '-a', '-d', '-f', '--depth=20', '--window=20')
    const packs = (await readdir(join(repository.url, 'objects', 'pack'))).filter((name) => name.endsWith('.pack'))
    if (what === 'in several packs') assert.ok(packs.length > 1)
    const listed = await git(
      repository.url,
      'cat-file',
      '--batch-all-objects',
      '--batch-check=%(objectname) %(objecttype) %(deltabase)',
    )
    const cache = createPackCache()
    let deltas = 0
    for (const line of listed.split('\n')) {
      const [oid = '', type = '', base = ''] = line.split(' ')
      if (!/^0+$/.test(base)) deltas += 1
      const object = await readPackedObject(repository.url, cache, oid, everything)
      assert.ok(object !== 'absent' && 'content' in object, `${oid} was not read`)
      const {stdout} = await run('git', ['cat-file', type, oid], {
        cwd: repository.url,
        encoding: 'buffer',
        maxBuffer: everything,
      })
      assert.equal(object.type, type)
      assert.ok(stdout.equals(Buffer.from(object.content)), `${oid} differs`)
    }
    assert.ok(deltas > 10, `only ${deltas} deltas`)
    assert.equal(await readPackedObject(repository.url, cache, '0'.repeat(40), everything), 'absent')
  })
}

test('goes on reading while packs are made anew', async (t) => {
  const repository = await createRepository(await temporaryFolder(t), 'repo')
  await pushMany(repository)
  const oid = await git(repository.workTree, 'rev-parse', 'HEAD:a.txt')
  const cache = createPackCache()
  for (let round = 0; round < 3; round++) {
    await repository.push({[`new-${round}`]: `${round}`})
    await git(repository.url, 'repack', '-q', '-a', '-d', '-f')
    const object = await readPackedObject(repository.url, cache, oid, everything)
    assert.ok(object !== 'absent' && 'content' in object)
    assert.equal(cache.indexes.size, 1)
  }
})

test('tells how large an object is that is larger than asked for, a delta too', async (t) => {
  const repository = await createRepository(await temporaryFolder(t), 'repo')
  await pushMany(repository)
  await git(repository.url, 'repack', '-q', '-a', '-d', '-f')
  const listed = await git(
    repository.url,
    'cat-file',
    '--batch-all-objects',
    '--batch-check=%(objectname) %(objectsize)',
  )
  const cache = createPackCache()
  for (const line of listed.split('\n')) {
    const [oid = '', size = ''] = line.split(' ')
    assert.deepEqual(await readPackedObject(repository.url, cache, oid, Number(size) - 1), {tooLarge: Number(size)})
    assert.ok('content' in Object(await readPackedObject(repository.url, cache, oid, Number(size))))
  }
})

test('takes a damaged pack for damaged', async (t) => {
  const repository = await createRepository(await temporaryFolder(t), 'repo')
  await pushMany(repository)
  await git(repository.url, 'repack', '-q', '-a', '-d', '-f')
  const folder = join(repository.url, 'objects', 'pack')
  const name = (await readdir(folder)).find((each) => each.endsWith('.pack')) ?? assert.fail()
  const {stdout: whole} = await run('cat', [join(folder, name)], {encoding: 'buffer', maxBuffer: everything})
  const oids = (await git(repository.url, 'cat-file', '--batch-all-objects', '--batch-check=%(objectname)')).split('\n')
  const spoil = async (bytes: Uint8Array): Promise<number> => {
    await run('chmod', ['u+w', join(folder, name)])
    await writeFile(join(folder, name), bytes)
    const cache = createPackCache()
    const read = await Promise.allSettled(oids.map((oid) => readPackedObject(repository.url, cache, oid, everything)))
    return read.filter(({status}) => status === 'rejected').length
  }
  assert.equal(await spoil(whole), 0)
  for (let at = 20; at < whole.length - 20; at += Math.ceil(whole.length / 25)) {
    const bytes = Buffer.from(whole)
    bytes[at] = (bytes[at] ?? 0) ^ 0x55
    assert.ok((await spoil(bytes)) > 0, `a change at ${at} went unnoticed`)
  }
  assert.ok((await spoil(whole.subarray(0, whole.length >> 1))) > 0)
})

test('applies no delta that does not fit', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({maxLength: 40}), fc.uint8Array({maxLength: 40}), async (base, delta) => {
      try {
        assert.ok((await applyDelta(base, delta)).length <= 2 ** 21)
      } catch (error) {
        assert.match(String(error), /delta in a pack is damaged|Array buffer allocation failed|out of range/)
      }
    }),
  )
})

test('refuses 200 MB that compress to nothing before they are unpacked', {timeout: 200_000}, async (t) => {
  const folder = await temporaryFolder(t)
  const repository = await createRepository(folder, 'repo')
  // Never in this process's memory: a child's peak is counted from its parent's.
  await writeFile(join(repository.workTree, 'huge.bin'), '')
  await truncate(join(repository.workTree, 'huge.bin'), 200 * 1024 * 1024)
  const first = await repository.push({'small.txt': 'small'})
  await appendFile(join(repository.workTree, 'huge.bin'), 'another end')
  const commit = await repository.push({})
  const archive = join(folder, 'archive.tar.gz')
  await git(repository.workTree, 'archive', '--format=tar.gz', '--prefix=o-r/', '-o', archive, commit)
  const read = async (kind: string, path: string, at = commit): Promise<void> => {
    const program = join(import.meta.dirname, 'read-oversize.ts')
    const {stdout} = await run(process.execPath, [
      '--disable-warning=ExperimentalWarning',
      program,
      kind,
      path,
      at,
      'huge.bin',
    ])
    const {outcome, mebibytes} = JSON.parse(stdout)
    assert.equal(outcome, 'FILE_TOO_LARGE')
    assert.ok(mebibytes < 220, `${kind} took ${mebibytes} MiB`)
  }
  await read('repository', repository.url)
  await read('archive', archive)
  await git(repository.url, 'repack', '-q', '-a', '-d', '-f')
  // One of the two is a delta of the other.
  await read('repository', repository.url)
  await read('repository', repository.url, first)
})
