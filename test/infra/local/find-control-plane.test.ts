import assert from 'node:assert/strict'
import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {chmod, mkdir, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {type TestContext, test} from 'node:test'

import {type FindControlPlaneOptions, findControlPlane} from '#infra/local/find-control-plane.ts'
import {LocalStackError} from '#infra/local/local-stack-error.ts'

// Stands in for the compiler: notes each run, takes a moment, and writes a program where -o says.
const fakeGo = `#!/bin/sh
echo run >> "$FAKE_GO_RUNS"
[ -n "$FAKE_GO_FAILS" ] && { echo "main.go:1: no such thing" >&2; exit 1; }
sleep 0.4
while [ "$1" != -o ]; do shift; done
printf '#!/bin/sh\\n' > "$2"; chmod +x "$2"
`

async function place(t: TestContext, {withGo = true} = {}) {
  const dir = await mkdtemp(join(tmpdir(), 'drawbridge-find-'))
  t.after(() => rm(dir, {recursive: true}))
  const bin = join(dir, 'bin')
  const sourceDir = join(dir, 'source')
  const runsFile = join(dir, 'runs')
  await mkdir(bin)
  await mkdir(sourceDir)
  await writeFile(join(sourceDir, 'main.go'), 'package main')
  await writeFile(runsFile, '')
  if (withGo) await writeExecutable(join(bin, 'go'), fakeGo)
  const lines: string[] = []
  const env = {PATH: withGo ? `${bin}:/usr/bin:/bin` : bin, FAKE_GO_RUNS: runsFile}
  const find = (more: Partial<FindControlPlaneOptions> = {}) =>
    findControlPlane({cacheDir: join(dir, 'cache'), sourceDir, env, onProgress: (line) => lines.push(line), ...more})
  const runs = async () => (await readFile(runsFile, 'utf8')).split('\n').length - 1
  return {dir, bin, sourceDir, env, lines, find, runs}
}

async function writeExecutable(file: string, content: string): Promise<void> {
  await writeFile(file, content)
  await chmod(file, 0o755)
}

test('builds once, then finds the program in the cache', async (t) => {
  const {find, runs, lines} = await place(t)
  const first = await find()
  const second = await find()
  assert.deepEqual(second, first)
  assert.equal(await runs(), 1)
  assert.match(lines[0] ?? '', /building the control plane.*: 0 s/)
})

test('builds again when a source changes', async (t) => {
  const {find, runs, sourceDir} = await place(t)
  const first = await find()
  await writeFile(join(sourceDir, 'main.go'), 'package main // changed')
  const second = await find()
  assert.notEqual(second.program, first.program)
  assert.equal(await runs(), 2)
})

test('lets one of two processes build and the other wait for it', async (t) => {
  const {dir, find, runs, sourceDir, env} = await place(t)
  const script = `import {findControlPlane} from '#infra/local/find-control-plane.ts'
    await findControlPlane({cacheDir: ${JSON.stringify(join(dir, 'cache'))}, sourceDir: ${JSON.stringify(sourceDir)}, env: process.env, onProgress() {}})`
  const other = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: join(import.meta.dirname, '../../..'),
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const otherEnded = once(other, 'exit')
  await find()
  assert.deepEqual((await otherEnded)[0], 0)
  assert.equal(await runs(), 1)
})

test('takes over the lock of a build that was killed', async (t) => {
  const {find, runs} = await place(t)
  const {program} = await find()
  await rm(program)
  const dead = spawn('/bin/true')
  await once(dead, 'exit')
  await writeFile(`${program}.lock`, JSON.stringify({pid: dead.pid, started: ''}))
  await find()
  assert.equal(await runs(), 2)
})

test('leaves nothing in the cache when the build fails, and repeats what Go said', async (t) => {
  const {find, env, runs} = await place(t)
  const failing = find({env: {...env, FAKE_GO_FAILS: '1'}})
  await assert.rejects(failing, (error: unknown) => {
    assert.ok(error instanceof LocalStackError)
    assert.equal(error.code, 'BUILD_FAILED')
    assert.match(error.message, /main\.go:1: no such thing/)
    return true
  })
  await find()
  assert.equal(await runs(), 2)
})

test('an interrupted build ends, says so, and leaves nothing that keeps the next one waiting', async (t) => {
  const {find, bin, runs} = await place(t)
  const stop = new AbortController()
  await writeExecutable(join(bin, 'go'), '#!/bin/sh\necho run >> "$FAKE_GO_RUNS"\nexec sleep 60\n')
  const started = performance.now()
  const building = find({signal: stop.signal})
  setTimeout(() => stop.abort(), 200)
  await assert.rejects(building, {code: 'INTERRUPTED'})
  assert.ok(performance.now() - started < 20_000)
  await writeExecutable(join(bin, 'go'), fakeGo)
  await find()
  assert.ok((await runs()) >= 1)
})

test('lists the choices when there is neither a program nor a Go', async (t) => {
  const {find} = await place(t, {withGo: false})
  await assert.rejects(find(), (error: unknown) => {
    assert.ok(error instanceof LocalStackError)
    assert.equal(error.code, 'NO_CONTROL_PLANE')
    assert.match(error.message, /install Go/)
    assert.match(error.message, /DRAWBRIDGE_CONTROLPLANE/)
    return true
  })
})

test('prefers a named program and the etcd and kube-apiserver of KUBEBUILDER_ASSETS', async (t) => {
  const {bin, env, find, runs} = await place(t)
  for (const name of ['mine', 'etcd', 'kube-apiserver']) await writeExecutable(join(bin, name), '#!/bin/sh\n')
  const found = await find({env: {...env, DRAWBRIDGE_CONTROLPLANE: join(bin, 'mine'), KUBEBUILDER_ASSETS: bin}})
  assert.deepEqual(found, {
    program: join(bin, 'mine'),
    etcd: join(bin, 'etcd'),
    kubeApiserver: join(bin, 'kube-apiserver'),
  })
  assert.equal(await runs(), 0)
})

test('refuses a KUBEBUILDER_ASSETS without the programs it promises', async (t) => {
  const {find, env, bin} = await place(t)
  await assert.rejects(find({env: {...env, KUBEBUILDER_ASSETS: bin}}), {
    code: 'NO_CONTROL_PLANE',
    message: /KUBEBUILDER_ASSETS.*etcd/,
  })
})
