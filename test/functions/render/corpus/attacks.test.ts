import assert from 'node:assert/strict'
import {createHash, randomUUID} from 'node:crypto'
import {once} from 'node:events'
import {createServer, request} from 'node:http'
import type {AddressInfo, Socket} from 'node:net'
import {after, before, suite, test} from 'node:test'
import {renderFiles} from '../box-fixture.ts'
import {renderWithHelm, renderWithKustomize, withFiles} from '../reference-renderers.ts'
import {type Aims, plantedFiles} from './attacks/attack.ts'
import {makeAttacks} from './attacks/make-attacks.ts'

// What an attacker who owns one folder of a repository tries. The canaries are in a file outside, in the environment and in what
// the listener on loopback answers.
const canary = `canary-${randomUUID()}`
const variable = `DRAWBRIDGE_${createHash('sha256').update(canary).digest('hex').slice(0, 8).toUpperCase()}`

suite('a render reaches nothing', () => {
  let aims: Aims
  let connections = 0
  const sockets = new Set<Socket>()
  const server = createServer((asked, answer) => {
    const planted = plantedFiles(canary)
    answer.end(planted[asked.url?.slice(1).split('?')[0] ?? ''] ?? planted['secret.yaml'])
  })
  server.on('connection', (socket) => {
    connections += 1
    sockets.add(socket)
  })
  let finish = (): void => undefined

  before(async () => {
    process.env[variable] = canary
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const {port} = server.address() as AddressInfo
    await new Promise<void>((ready) => {
      void withFiles(plantedFiles(canary), async (outside) => {
        aims = {url: `http://127.0.0.1:${port}`, outside, variable}
        ready()
        await new Promise<void>((resolve) => {
          finish = resolve
        })
      })
    })
  })
  after(() => {
    finish()
    delete process.env[variable]
    for (const socket of sockets) socket.destroy()
    server.close()
  })

  /** How many connections have come, those that wait to be accepted included. */
  async function countConnections(): Promise<number> {
    const before = connections
    const own = request(aims.url, {agent: false})
    own.end()
    const [answer] = await once(own, 'response')
    answer.resume()
    await once(answer, 'end')
    assert.ok(connections > before, 'the listener hears')
    connections -= 1
    return connections
  }

  test('the attacks are many, and each is another', () => {
    const attacks = makeAttacks(aims)
    assert.ok(attacks.length >= 60, `${attacks.length} attacks`)
    assert.equal(new Set(attacks.map(({name}) => name)).size, attacks.length)
    const contents = attacks.map(({renderer, files, options}) => JSON.stringify([renderer, files, options]))
    assert.equal(new Set(contents).size, attacks.length)
  })

  test('kustomize and helm as programs do reach out, so what is attempted is real', async () => {
    const attempted = /: a URL that is YAML too|^helm, .*reference to a (URL|file) in the schema|a link to the outside/
    const rest = makeAttacks(aims)
      .filter(({name, renderer}) => attempted.test(name) && renderer !== 'yaml')
      .values()
    const stolen: string[] = []
    const before = await countConnections()
    const attackRest = async (): Promise<void> => {
      for (const {name, renderer, files, path, options} of rest) {
        const run = renderer === 'helm' ? renderWithHelm(files, path, options) : renderWithKustomize(files, path)
        if (JSON.stringify(await run).includes(canary)) stolen.push(name)
      }
    }
    await Promise.all([attackRest(), attackRest()])
    const calls = (await countConnections()) - before
    assert.ok(calls >= 25, `${calls} connections`)
    assert.ok(stolen.length >= 15, `stole by ${stolen.join('; ')}`)
  })

  test('the box makes no connection, and no byte of the outside is in what it gives', {
    skip: renderFiles === undefined,
  }, async () => {
    const before = await countConnections()
    const failures: string[] = []
    for (const attack of makeAttacks(aims)) {
      const result = await renderFiles(attack)
      const text = JSON.stringify(result)
      for (const form of [canary, Buffer.from(canary).toString('base64').slice(0, 40)]) {
        if (text.includes(form)) failures.push(`${attack.name}: the canary is in ${text}`)
      }
      const outside = result.ok ? result.inputs.filter((path) => !isInside(path)) : []
      if (outside.length > 0) failures.push(`${attack.name}: looked for ${outside.join(', ')}`)
    }
    assert.deepEqual(failures, [])
    assert.equal(await countConnections(), before)
  })
})

/** Whether a path is one of the repository's, from its root. */
function isInside(path: string): boolean {
  return !path.startsWith('/') && !path.split('/').includes('..')
}
