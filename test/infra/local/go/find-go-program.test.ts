import assert from 'node:assert/strict'
import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {readdir, rm, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {type TestContext, test} from 'node:test'
import {type FindGoProgramOptions, findGoProgram, placeOf} from '#infra/local/go/find-go-program.ts'
import type {GoProgram} from '#infra/local/go/go-program.ts'
import {LocalStackError} from '#infra/local/local-stack-error.ts'
import {createFakeGo, writeExecutable, writeSources} from './fake-go.ts'

async function place(t: TestContext, options: {withGo?: boolean} = {}) {
  const go = await createFakeGo(t, options)
  const program: GoProgram = {
    name: 'thing',
    title: 'the thing',
    sourceDir: join(go.dir, 'thing'),
    file: 'thing',
    flags: ['-trimpath'],
    usualMinutes: 3,
    absentCode: 'NO_CONTROL_PLANE',
    choices: 'install Go, or name one',
  }
  await writeSources(program.sourceDir, {
    'main.go': 'package main',
    'go.mod': 'module thing\n\nrequire other v0.0.0\n\nreplace other => ../other\n',
  })
  await writeSources(join(go.dir, 'other'), {'other.go': 'package other'})
  const lines: string[] = []
  const {cacheDir, env} = go
  const find = (more: Partial<FindGoProgramOptions> = {}, changed: Partial<GoProgram> = {}) =>
    findGoProgram({...program, ...changed}, {cacheDir, env, onProgress: (line) => lines.push(line), ...more})
  return {...go, program, lines, find}
}

test('builds once, then finds the program in the cache', async (t) => {
  const {find, builds, lines} = await place(t)
  const first = await find()
  assert.equal(await find(), first)
  assert.equal((await builds()).length, 1)
  assert.deepEqual(await readdir(dirname(first)), ['thing'])
  assert.match(lines[0] ?? '', /^building the thing with Go \(once; about 3 minutes .*\): fetching Go modules, 0 s$/)
  assert.match(lines.at(-1) ?? '', /^built the thing in \d+ s: /)
})

const rebuilt: [string, (sourceDir: string) => Promise<unknown>, Partial<GoProgram>][] = [
  ['a source changes', (dir) => writeFile(join(dir, 'main.go'), 'package main // changed'), {}],
  [
    'a source of a folder that go.mod names changes',
    (dir) => writeFile(join(dir, '../other/other.go'), 'package it'),
    {},
  ],
  ['a source is added in a folder below', (dir) => writeSources(join(dir, 'sub'), {'more.go': 'package sub'}), {}],
  ['a flag changes', async () => undefined, {flags: ['-race']}],
  ['the target changes', async () => undefined, {target: {GOOS: 'plan9', GOARCH: 'arm'}}],
  ['the finish changes', async () => undefined, {finish: {version: '2', run: (bytes) => bytes}}],
]
for (const [title, change, changed] of rebuilt) {
  test(`builds again when ${title}`, async (t) => {
    const {find, builds, program} = await place(t)
    const first = await find()
    await change(program.sourceDir)
    assert.notEqual(await find({}, changed), first)
    assert.equal((await builds()).length, 2)
  })
}

test('does not build again for a test in Go, or for what is no source', async (t) => {
  const {find, builds, program} = await place(t)
  await find()
  await writeSources(program.sourceDir, {'main_test.go': 'package main', thing: 'built by hand'})
  await find()
  assert.equal((await builds()).length, 1)
})

test('tells which share of the packages is done', {timeout: 20_000}, async (t) => {
  const {find, env, dir} = await place(t)
  const gate = join(dir, 'gate')
  const onProgress = (line: string): void => {
    if (line.includes('66 % (2 of 3 packages)')) void writeFile(gate, '')
  }
  await find({onProgress, env: {...env, FAKE_GO_GATE: gate}, progressEveryMilliseconds: 10})
})

test('takes what came with the package, where it is of the same sources', async (t) => {
  const {find, builds, program, dir} = await place(t)
  const prebuiltDir = join(dir, 'prebuilt')
  const prebuilt = join(prebuiltDir, await placeOf(program))
  await writeSources(dirname(prebuilt), {thing: 'prebuilt'})
  assert.equal(await find({prebuiltDir}), prebuilt)
  assert.equal((await builds()).length, 0)
  await writeFile(join(program.sourceDir, 'main.go'), 'package main // changed')
  assert.notEqual(await find({prebuiltDir}), prebuilt)
  assert.equal((await builds()).length, 1)
})

test('lets one of two processes build and the other wait for it', async (t) => {
  const {cacheDir, find, builds, program, env} = await place(t)
  const script = `import {findGoProgram} from '#infra/local/go/find-go-program.ts'
    await findGoProgram(${JSON.stringify(program)}, {cacheDir: ${JSON.stringify(cacheDir)}, env: process.env, onProgress() {}})`
  const other = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: join(import.meta.dirname, '../../../..'),
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const otherEnded = once(other, 'exit')
  await find()
  assert.deepEqual((await otherEnded)[0], 0)
  assert.equal((await builds()).length, 1)
})

test('takes over the lock of a build that was killed', async (t) => {
  const {find, builds} = await place(t)
  const file = await find()
  await rm(file)
  const dead = spawn('/bin/true')
  await once(dead, 'exit')
  await writeFile(`${file}.lock`, JSON.stringify({pid: dead.pid, started: ''}))
  await find()
  assert.equal((await builds()).length, 2)
})

test('leaves nothing in the cache when the build fails, and repeats what Go said but for its progress', async (t) => {
  const {find, env, builds} = await place(t)
  await assert.rejects(find({env: {...env, FAKE_GO_FAILS: '1'}}), (error: unknown) => {
    assert.ok(error instanceof LocalStackError)
    assert.equal(error.code, 'BUILD_FAILED')
    assert.match(
      error.message,
      /ended with exit status 1:\nsomething else\nmain\.go:1: no such thing\ninstall Go, or name one$/,
    )
    return true
  })
  await find()
  assert.equal((await builds()).length, 2)
})

test('leaves nothing in the cache when the finish fails', async (t) => {
  const {find} = await place(t)
  let works = false
  const run = (bytes: Uint8Array): Uint8Array => {
    if (works) return bytes
    throw new RangeError('not this one')
  }
  await assert.rejects(find({}, {finish: {version: '1', run}}), RangeError)
  works = true
  assert.deepEqual(await readdir(dirname(await find({}, {finish: {version: '1', run}}))), ['thing'])
})

test('an interrupted build ends, says so, and leaves nothing that keeps the next one waiting', async (t) => {
  const {find, env, bin, builds, dir} = await place(t)
  const stop = new AbortController()
  const onProgress = (line: string): void => {
    if (line.includes('66 %')) stop.abort()
  }
  const never = {...env, FAKE_GO_GATE: join(dir, 'never')}
  const building = find({env: never, signal: stop.signal, onProgress, progressEveryMilliseconds: 10})
  await assert.rejects(building, {code: 'INTERRUPTED', message: 'the build of the thing was interrupted'})
  await find()
  assert.equal((await builds()).length, 2)
  await writeExecutable(join(bin, 'go'), '#!/bin/sh\nexit 1\n')
  await find()
})

test('lists the choices when there is neither a program nor a Go', async (t) => {
  const {find} = await place(t, {withGo: false})
  await assert.rejects(find(), (error: unknown) => {
    assert.ok(error instanceof LocalStackError)
    assert.equal(error.code, 'NO_CONTROL_PLANE')
    assert.match(error.message, /^the thing is not built yet, and Go cannot be run: .*\ninstall Go, or name one$/)
    return true
  })
})
