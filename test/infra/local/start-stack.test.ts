import assert from 'node:assert/strict'
import {mkdir, mkdtemp, readdir, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {type TestContext, test} from 'node:test'
import {createGitWorkspace} from '#infra/local/git-workspace.ts'
import {type StartStackOptions, startStack} from '#infra/local/start-stack.ts'

async function place(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'drawbridge-stack-'))
  t.after(() => rm(folder, {recursive: true, force: true}))
  const stateDir = join(folder, 'state')
  const start = (more: Partial<StartStackOptions>) =>
    startStack({
      stateDir,
      clusters: ['dev'],
      repositories: [],
      env: process.env,
      onEvent: () => undefined,
      log: () => undefined,
      ...more,
    })
  return {folder, stateDir, start}
}

test('refuses what is no bare repository before it starts anything', async (t) => {
  const {folder, stateDir, start} = await place(t)
  for (const path of [join(folder, 'nowhere.git'), folder]) {
    await assert.rejects(start({repositories: [path]}), {code: 'BAD_INPUT', message: /is not a bare git repository/})
  }
  await assert.rejects(readdir(stateDir), {code: 'ENOENT'})
})

test('refuses a kubeconfig that cannot be read before it starts anything', async (t) => {
  const {folder, stateDir, start} = await place(t)
  const file = join(folder, 'kubeconfig')
  await assert.rejects(start({kubeconfigFile: file}), {code: 'BAD_INPUT', message: /kubeconfig .* cannot be used/})
  await writeFile(file, 'users: [{name: a, user: {token: hunter2}}]\n')
  await assert.rejects(start({kubeconfigFile: file}), (error: unknown) => {
    assert.ok(error instanceof Error)
    assert.ok(!error.message.includes('hunter2') && !String(error.cause).includes('hunter2'))
    return true
  })
  await assert.rejects(readdir(stateDir), {code: 'ENOENT'})
})

test('refuses a state directory that is a file', async (t) => {
  const {stateDir, start} = await place(t)
  await writeFile(stateDir, '')
  await assert.rejects(start({}), {code: 'BAD_INPUT', message: /not a directory that state can be kept in/})
})

test('gives a start up where it was interrupted, and leaves the directory free', async (t) => {
  const {start, stateDir} = await place(t)
  await assert.rejects(start({signal: AbortSignal.abort()}), {code: 'INTERRUPTED'})
  const stop = new AbortController()
  const s3 = async (endpoint: string) => {
    stop.abort()
    return endpoint
  }
  await assert.rejects(start({clusters: [], signal: stop.signal, bridge: {endpoints: {s3}}}), {code: 'INTERRUPTED'})
  const again = await start({clusters: []})
  await again.stop()
  assert.ok((await readdir(stateDir)).includes('keys'))
})

test('a repository that is named twice is tracked once, and what a killed run left behind is removed', async (t) => {
  const {folder, stateDir, start} = await place(t)
  const {bare, push, write} = await createGitWorkspace(join(folder, 'fleet'))
  await write('drawbridge.yaml', '# empty\n')
  await push('first')
  await mkdir(join(stateDir, 'work', 'render-left'), {recursive: true})
  const failures: string[] = []
  const stack = await start({
    clusters: [],
    repositories: [bare, bare],
    onEvent: ({event, message}) => event === 'failed' && failures.push(message ?? ''),
  })
  t.after(() => stack.stop())
  const deadline = performance.now() + 20_000
  while (failures.length === 0 && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50))
  await stack.stop()
  assert.equal(failures.length, 1, failures.join('\n'))
  assert.deepEqual(await readdir(join(stateDir, 'work')).catch(() => []), [])
})
