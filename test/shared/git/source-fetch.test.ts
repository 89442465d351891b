import assert from 'node:assert/strict'
import {createServer, type IncomingMessage, type ServerResponse} from 'node:http'
import {type TestContext, test} from 'node:test'
import {createGitSource} from '#shared/git/create-git-source.ts'
import {findToken} from '#shared/git/git-tokens.ts'
import {createAddressTest} from '#shared/git/public-address.ts'
import {createSourceFetch, RefusedError} from '#shared/git/source-fetch.ts'
import {systemClock} from '#shared/ports/clock.ts'
import {SourceError} from '#shared/ports/source-error.ts'

const addresses: readonly [address: string, allowed: boolean][] = [
  ['140.82.121.4', true],
  ['2606:50c0:8000::154', true],
  ['127.0.0.1', false],
  ['0.0.0.0', false],
  ['10.0.0.1', false],
  ['172.31.255.255', false],
  ['172.32.0.1', true],
  ['192.168.1.1', false],
  ['100.64.0.1', false],
  ['169.254.169.254', false],
  ['168.63.129.16', false],
  ['224.0.0.1', false],
  ['255.255.255.255', false],
  ['::1', false],
  ['::', false],
  ['fe80::1', false],
  ['fe80::1%eth0', false],
  ['fd00:ec2::254', false],
  ['::ffff:127.0.0.1', false],
  ['::ffff:8.8.8.8', true],
  ['::ffff:a9fe:a9fe', false],
  ['64:ff9b::a00:1', false],
  ['64:ff9b::808:808', true],
  ['2002:7f00:1::', false],
  ['2001:0:53aa::1', false],
  ['::127.0.0.1', false],
  ['not an address', false],
]

for (const [address, allowed] of addresses) {
  test(`the address ${address} is ${allowed ? 'public' : 'refused'}`, () => {
    assert.equal(createAddressTest([])(address), allowed)
  })
}

test('only the private networks that are named are allowed', () => {
  const isAllowed = createAddressTest(['10.1.0.0/16', '::1', '192.168.0.7'])
  assert.deepEqual(['10.1.2.3', '10.2.0.1', '::ffff:10.1.2.3', '::1', '192.168.0.7', '192.168.0.8'].map(isAllowed), [
    true,
    false,
    true,
    true,
    true,
    false,
  ])
})

async function serve(
  context: TestContext,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{port: number; requests: IncomingMessage[]; connections: () => number}> {
  const requests: IncomingMessage[] = []
  let connections = 0
  const server = createServer((request, response) => {
    requests.push(request)
    request.resume()
    handle(request, response)
  })
  server.on('connection', () => {
    connections += 1
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {port: address.port, requests, connections: () => connections}
}

const signal = AbortSignal.timeout(30_000)
const local = createSourceFetch({privateNetworks: ['127.0.0.0/8', '::1']})

test('open and closed ports at addresses that are not allowed answer with the same words, and nothing connects', async (context) => {
  const open = await serve(context, (_, response) => response.end('secret'))
  const source = createGitSource({cacheDir: '/nonexistent', clock: systemClock})
  const hosts = ['127.0.0.1', 'localhost', '[::1]', '2130706433', '0x7f.1', '[::ffff:127.0.0.1]', '0.0.0.0']
  const words = new Set<string>()
  for (const host of hosts) {
    for (const port of [open.port, 1]) {
      const url = `http://${host}:${port}/o/r`
      await assert.rejects(source.resolveRef(url, 'refs/heads/main'), (error) => {
        assert.ok(error instanceof SourceError, String(error))
        assert.equal(error.code, 'ADDRESS_NOT_ALLOWED')
        words.add(error.message.replace(/^\S+ /, ''))
        return true
      })
    }
  }
  assert.equal(words.size, 1)
  assert.equal(open.connections(), 0)
})

const redirects: readonly [what: string, location: (port: number) => string][] = [
  ['to an address that is not allowed', () => 'http://10.0.0.1/'],
  ['to a name that is not allowed', () => 'http://[fd00::1]:1/'],
  ['to another scheme', (port) => `https://127.0.0.1:${port}/`],
  ['to a file', () => 'file:///etc/passwd'],
  ['with a credential', (port) => `http://user:word@127.0.0.1:${port}/`],
  ['without an end', () => '/again'],
  ['to what is no URL', () => 'http://['],
]

for (const [what, location] of redirects) {
  test(`a redirect ${what} is refused`, async (context) => {
    const server = await serve(context, (request, response) => {
      response.writeHead(302, {location: location(request.socket.localPort ?? 0)}).end()
    })
    await assert.rejects(local(`http://127.0.0.1:${server.port}/`, {signal}), RefusedError)
    assert.ok(server.requests.length <= 6)
  })
}

test('a credential goes with a redirect only where it is for what is named there', async (context) => {
  const other = await serve(context, (_, response) => response.end('ok'))
  const server = await serve(context, (request, response) => {
    const to = {'/a/moved': '/a/new', '/a/sold': '/b/new', '/a/left': `http://127.0.0.1:${other.port}/a/new`}[
      request.url ?? ''
    ]
    if (to === undefined) response.end('ok')
    else response.writeHead(301, {location: to}).end()
  })
  const ask = async (path: string) => {
    const mayCarry = ({pathname}: URL) => pathname.startsWith('/a/')
    const url = `http://127.0.0.1:${server.port}${path}`
    const answer = await local(url, {authorization: 'word', mayCarry, signal, method: 'POST', body: Buffer.from('x')})
    answer.body.resume()
    return [...server.requests.splice(0), ...other.requests.splice(0)].map(({method, headers}) => [
      method,
      headers.authorization,
    ])
  }
  const [sent, not] = [
    ['POST', 'word'],
    ['POST', undefined],
  ]
  assert.deepEqual(await ask('/a/moved'), [sent, sent])
  assert.deepEqual(await ask('/a/sold'), [sent, not])
  assert.deepEqual(await ask('/a/left'), [sent, not])
})

const tokens = [
  {prefix: 'https://github.com/acme', token: 'acme'},
  {prefix: 'https://github.com/acme/secret.git', token: 'secret'},
  {prefix: 'https://gitlab.example:8443/', token: 'gitlab'},
  {prefix: 'http://git.example', token: 'clear'},
]
const named: readonly [repository: string, token: string | undefined][] = [
  ['https://github.com/Acme/fleet.git', 'acme'],
  ['git@github.com:acme/fleet', 'acme'],
  ['https://github.com/acme/secret', 'secret'],
  ['https://github.com/acme-evil/fleet', undefined],
  ['https://github.com/acme/../evil/fleet', undefined],
  ['https://github.com/acme/%2e%2e%2fevil/fleet', undefined],
  ['http://github.com/acme/fleet', undefined],
  ['https://github.com.evil.example/acme/fleet', undefined],
  ['https://gitlab.example:8443/a/b/c', 'gitlab'],
  ['https://gitlab.example/a/b/c', undefined],
  ['http://git.example/a/b', undefined],
  ['/srv/github.com/acme', undefined],
]

for (const [repository, token] of named) {
  test(`${repository} is asked ${token === undefined ? 'without a token' : `with the token of ${token}`}`, () => {
    assert.equal(findToken(tokens, repository), token)
  })
}
