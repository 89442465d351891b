import assert from 'node:assert/strict'
import {createServer, type IncomingMessage} from 'node:http'
import type {AddressInfo} from 'node:net'
import {after, afterEach, before, test} from 'node:test'
import {createGithubCommitStatuses} from '#shared/git-hosts/github-commit-statuses.ts'
import {CommitStatusError} from '#shared/ports/commit-status-error.ts'
import type {CommitStatus} from '#shared/ports/commit-statuses.ts'

const TOKEN = 'secret-token'
const status: CommitStatus = {
  repository: 'https://github.com/example/fleet.git',
  commit: 'a'.repeat(40),
  context: 'drawbridge/dev',
  state: 'success',
  description: '2 apps healthy',
}

interface Seen {
  method: string | undefined
  url: string | undefined
  headers: IncomingMessage['headers']
  body: Record<string, unknown>
}

const seen: Seen[] = []
let respond: {status: number; headers?: Record<string, string>} = {status: 201}
const server = createServer((incoming, answer) => {
  const chunks: Uint8Array[] = []
  incoming.on('data', (chunk: Uint8Array) => chunks.push(chunk))
  incoming.on('end', () => {
    const {method, url, headers} = incoming
    seen.push({method, url, headers, body: JSON.parse(Buffer.concat(chunks).toString())})
    answer.writeHead(respond.status, {'content-type': 'application/json', ...respond.headers}).end('{}')
  })
})

before(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)))
after(() => {
  server.closeAllConnections()
  server.close()
})
afterEach(() => {
  seen.length = 0
  respond = {status: 201}
})

function open() {
  let now = Date.parse('2026-01-01T00:00:00Z')
  const {port} = server.address() as AddressInfo
  const api = `http://127.0.0.1:${port}/api/v3/`
  const statuses = createGithubCommitStatuses({token: TOKEN, api, clock: {now: () => new Date(now)}})
  return {
    statuses,
    advance: (seconds: number) => {
      now += seconds * 1_000
    },
  }
}

const isError = (code: string) => (error: unknown) =>
  error instanceof CommitStatusError &&
  error.code === code &&
  !JSON.stringify([error.message, error.details]).includes(TOKEN)

test('posts the status of a commit with the token', async () => {
  await open().statuses.setCommitStatus({...status, targetUrl: 'https://example.com/x'})
  const [request] = seen
  assert.equal(request?.method, 'POST')
  assert.equal(request?.url, `/api/v3/repos/example/fleet/statuses/${status.commit}`)
  assert.equal(request?.headers.authorization, `Bearer ${TOKEN}`)
  assert.deepEqual(request?.body, {
    state: 'success',
    description: '2 apps healthy',
    context: 'drawbridge/dev',
    target_url: 'https://example.com/x',
  })
})

test('cuts the description to 140 characters and one line, without splitting one', async () => {
  await open().statuses.setCommitStatus({...status, description: `first\nsecond ${'😀'.repeat(200)}`})
  const description = String(seen[0]?.body.description)
  assert.equal([...description].length, 140)
  assert.match(description, /^first second 😀+…$/u)
})

test('stops asking once the rate limit is reached, until the time that GitHub names', async () => {
  const {statuses, advance} = open()
  const reset = String(Date.parse('2026-01-01T00:05:00Z') / 1_000)
  respond = {status: 403, headers: {'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset}}
  await assert.rejects(statuses.setCommitStatus(status), isError('RATE_LIMITED'))
  respond = {status: 201}
  advance(299)
  await assert.rejects(statuses.setCommitStatus(status), isError('RATE_LIMITED'))
  assert.equal(seen.length, 1)
  advance(1)
  await statuses.setCommitStatus(status)
  assert.equal(seen.length, 2)
})

test('obeys Retry-After of the secondary rate limit', async () => {
  const {statuses, advance} = open()
  respond = {status: 429, headers: {'retry-after': '30'}}
  await assert.rejects(statuses.setCommitStatus(status), isError('RATE_LIMITED'))
  respond = {status: 201}
  advance(29)
  await assert.rejects(statuses.setCommitStatus(status), isError('RATE_LIMITED'))
  advance(1)
  await statuses.setCommitStatus(status)
})

for (const code of [401, 403, 404, 422]) {
  test(`takes ${code} for the last word`, async () => {
    respond = {status: code}
    await assert.rejects(open().statuses.setCommitStatus(status), isError('REFUSED'))
  })
}

for (const code of [500, 502, 503]) {
  test(`takes ${code} for something to try again`, async () => {
    respond = {status: code}
    await assert.rejects(open().statuses.setCommitStatus(status), isError('UNAVAILABLE'))
  })
}

test('tells UNAVAILABLE where GitHub cannot be reached', async () => {
  const clock = {now: () => new Date()}
  const statuses = createGithubCommitStatuses({token: TOKEN, api: 'http://127.0.0.1:1', clock})
  await assert.rejects(statuses.setCommitStatus(status), isError('UNAVAILABLE'))
})

test('refuses a repository that is not OWNER/NAME, without asking', async () => {
  for (const repository of ['https://github.com/example', 'https://github.com/a/b/c', '/srv/git/fleet.git']) {
    await assert.rejects(open().statuses.setCommitStatus({...status, repository}), isError('REFUSED'))
  }
  assert.equal(seen.length, 0)
})
