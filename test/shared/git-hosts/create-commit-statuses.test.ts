import assert from 'node:assert/strict'
import {execFile} from 'node:child_process'
import {mkdtemp, rm} from 'node:fs/promises'
import {createServer} from 'node:http'
import type {AddressInfo} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {after, before, test} from 'node:test'
import {promisify} from 'node:util'
import {createCommitStatuses} from '#shared/git-hosts/create-commit-statuses.ts'
import {CommitStatusError} from '#shared/ports/commit-status-error.ts'

const run = promisify(execFile)
const clock = {now: () => new Date('2026-01-01T00:00:00Z')}

let directory: string
let bare: string
let commit: string

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'drawbridge-statuses-'))
  const work = join(directory, 'work')
  bare = join(directory, 'fleet.git')
  await run('git', ['init', '--quiet', '--bare', '--initial-branch=main', bare])
  await run('git', ['init', '--quiet', '--initial-branch=main', work])
  const author = ['-c', 'user.name=Someone', '-c', 'user.email=someone@example.com']
  await run('git', [...author, 'commit', '--quiet', '--allow-empty', '-m', 'first'], {cwd: work})
  await run('git', ['push', '--quiet', bare, 'main'], {cwd: work})
  commit = (await run('git', ['rev-parse', 'main'], {cwd: bare})).stdout.trim()
})

after(() => rm(directory, {recursive: true, force: true}))

async function readNotes(): Promise<string[]> {
  const {stdout} = await run('git', ['log', '-1', '--notes=drawbridge', '--format=%N', 'main'], {cwd: bare})
  return stdout.trim().split('\n')
}

const set = (context: string, state: 'pending' | 'success' | 'failure', description: string, repository = bare) => ({
  repository,
  commit,
  context,
  state,
  description,
})

test('shows statuses of a repository on this machine as git notes that git itself reads', async () => {
  const statuses = createCommitStatuses({clock})
  await statuses.setCommitStatus(set('drawbridge/render', 'success', 'rendered'))
  await statuses.setCommitStatus(set('drawbridge/dev', 'pending', '0 of 1 healthy'))
  await statuses.setCommitStatus(set('drawbridge/dev', 'success', '1 app\nhealthy', `file://${bare}`))
  assert.deepEqual(await readNotes(), ['drawbridge/dev: success 1 app healthy', 'drawbridge/render: success rendered'])
  await run('git', ['fsck', '--strict'], {cwd: bare})
})

test('loses none of many statuses that are set at once', async () => {
  const statuses = createCommitStatuses({clock})
  const clusters = Array.from({length: 12}, (_, index) => `drawbridge/cluster-${String(index).padStart(2, '0')}`)
  await Promise.all(clusters.map((context) => statuses.setCommitStatus(set(context, 'success', 'ok'))))
  const notes = await readNotes()
  for (const context of clusters) assert.ok(notes.includes(`${context}: success ok`), context)
})

test('adds no commit to the notes where a status stays as it is', async () => {
  const statuses = createCommitStatuses({clock})
  const countNotes = async () =>
    (await run('git', ['rev-list', '--count', 'refs/notes/drawbridge'], {cwd: bare})).stdout
  await statuses.setCommitStatus(set('drawbridge/same', 'success', 'ok'))
  const before = await countNotes()
  await statuses.setCommitStatus(set('drawbridge/same', 'success', 'ok'))
  assert.equal(await countNotes(), before)
})

test('says that a repository is not there', async () => {
  const statuses = createCommitStatuses({clock})
  await assert.rejects(
    statuses.setCommitStatus(set('drawbridge/dev', 'success', 'ok', join(directory, 'nowhere'))),
    (error) => error instanceof CommitStatusError && error.code === 'REFUSED',
  )
})

test('sends the token to its own host and to no other', async () => {
  const asked: (string | undefined)[] = []
  const server = createServer((incoming, answer) => {
    asked.push(incoming.headers.authorization)
    incoming.resume()
    answer.writeHead(201).end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const {port} = server.address() as AddressInfo
    const host = `127.0.0.1:${port}`
    const statuses = createCommitStatuses({
      tokens: [{prefix: `http://${host}`, token: 't'}],
      githubApi: `http://${host}/api/v3`,
      clock,
    })
    await statuses.setCommitStatus(set('drawbridge/dev', 'success', 'ok', `http://${host}/example/fleet`))
    assert.deepEqual(asked, ['Bearer t'])
    // The same server under another name is another host.
    await statuses.setCommitStatus(set('drawbridge/dev', 'success', 'ok', `http://localhost:${port}/example/fleet`))
    const elsewhere = createCommitStatuses({tokens: [{prefix: `http://${host}`, token: 't'}], clock})
    await elsewhere.setCommitStatus(set('drawbridge/dev', 'success', 'ok', `http://${host}/example/fleet`))
    const without = createCommitStatuses({githubApi: `http://${host}/api/v3`, clock})
    await without.setCommitStatus(set('drawbridge/dev', 'success', 'ok', `http://${host}/example/fleet`))
    assert.equal(asked.length, 1)
  } finally {
    server.closeAllConnections()
    server.close()
  }
})
