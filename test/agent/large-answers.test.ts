import assert from 'node:assert/strict'
import {execFile} from 'node:child_process'
import {createServer, type IncomingMessage, type ServerResponse} from 'node:http'
import type {AddressInfo} from 'node:net'
import {join} from 'node:path'
import {type TestContext, test} from 'node:test'
import {promisify} from 'node:util'
import {createKubeClient} from '#agent/kube/create-kube-client.ts'
import {followType} from '#agent/kube/follow-type.ts'
import type {KubeClient} from '#agent/kube/kube-client.ts'
import {isKubeError} from '#agent/kube/kube-error.ts'
import {createTransport} from '#agent/kube/send-request.ts'
import {MEMORY} from '#infra/agent/agent-install.ts'
import {types, waitUntil} from './start-test-agent.ts'

const object = (name: string, size = 0) => ({
  metadata: {name, namespace: 'web', uid: name, resourceVersion: '5', annotations: {fat: 'x'.repeat(size)}},
})

async function serve(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse, count: number) => void,
): Promise<KubeClient> {
  let count = 0
  const server = createServer((request, response) => answer(request, response, ++count))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const {port} = server.address() as AddressInfo
  const transport = createTransport({
    server: new URL(`http://127.0.0.1:${port}`),
    tls: {},
    authorization: async () => 'Bearer t',
  })
  t.after(() => {
    transport.close()
    server.closeAllConnections()
    server.close()
  })
  return createKubeClient(transport)
}

test('each object of a list is projected as it comes, so that a list of any size costs what is kept of it', async (t) => {
  const pages = 2
  const kube = await serve(t, ({url = ''}, response) => {
    const page = Number(new URL(url, 'http://x').searchParams.get('continue') ?? 1)
    const items = Array.from({length: 100}, (_, index) => object(`o-${page}-${index}`, 250_000))
    const metadata = {resourceVersion: '9', ...(page < pages ? {continue: String(page + 1)} : {})}
    response.end(JSON.stringify({metadata, items}))
  })
  let names = 0
  const {items, resourceVersion} = await kube.list(types.configMap, {detail: 'metadata'}, ({metadata}) => {
    names++
    return metadata.name.endsWith('-7') ? metadata.name : undefined
  })
  assert.deepEqual([items, resourceVersion, names], [['o-1-7', 'o-2-7'], '9', 200])
})

test('a page that breaks off is asked for again, and tells no object twice', async (t) => {
  const whole = JSON.stringify({metadata: {resourceVersion: '9'}, items: [object('a'), object('b')]})
  const kube = await serve(t, (_, response, count) => {
    if (count > 1) return response.end(whole)
    response.writeHead(200, {'content-length': whole.length})
    return response.write(whole.slice(0, -40), () => response.destroy())
  })
  const {items} = await kube.list(types.configMap, {detail: 'metadata'})
  assert.deepEqual(
    items.map(({metadata}) => metadata.name),
    ['a', 'b'],
  )
})

test('an object that is larger than any that a cluster stores is refused, once', async (t) => {
  let asked = 0
  const kube = await serve(t, (_, response) => {
    asked++
    response.end(JSON.stringify({items: [object('a', 8_000_000)], ...object('a', 8_000_000)}))
  })
  const refused = (error: unknown) => isKubeError(error, 'REJECTED') && /larger than 6291456 bytes/.test(error.message)
  await assert.rejects(kube.list(types.configMap, {detail: 'metadata'}), refused)
  await assert.rejects(kube.get(types.configMap, {namespace: 'web', name: 'a'}, 'whole'), refused)
  assert.equal(asked, 2)
})

test('a watch takes 5 MB objects, leaves out larger ones, says so, and goes on', async (t) => {
  const kube = await serve(t, (_, response, count) => {
    if (count === 1) return response.end(JSON.stringify({metadata: {resourceVersion: '4'}, items: []}))
    for (const item of [object('fat', 5_000_000), object('too-fat', 7_000_000), object('thin')])
      response.write(`${JSON.stringify({type: 'ADDED', object: item})}\n`)
    return undefined
  })
  const stop = new AbortController()
  const told: string[] = []
  const {ended} = await followType(kube, types.configMap, {
    detail: 'metadata',
    signal: stop.signal,
    onList: () => undefined,
    onEvent: ({object}) => void told.push(object.metadata.name),
    onTrouble: ({message}) => void told.push(message),
  })
  await waitUntil(
    () => told.includes('thin'),
    () => told.join(),
  )
  stop.abort()
  await ended
  assert.deepEqual(told, ['fat', 'watch configmaps: the answer is larger than 6291456 bytes', 'thin'])
})

test('a watch that sends 5 MB objects all the time stays within the pod', async (t) => {
  const events = 100
  const fat = `${JSON.stringify({type: 'ADDED', object: object('fat', 5_000_000)})}\n`
  const last = `${JSON.stringify({type: 'ADDED', object: object('last')})}\n`
  let asked = 0
  const server = createServer(async (_, response) => {
    if (++asked === 1) return void response.end(JSON.stringify({metadata: {resourceVersion: '4'}, items: []}))
    for (let sent = 0; sent < events; sent++) {
      if (!response.write(fat)) await new Promise((resolve) => response.once('drain', resolve))
    }
    response.write(last)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const {port} = server.address() as AddressInfo
  const {stdout} = await promisify(execFile)(process.execPath, [
    '--max-semi-space-size=1',
    `--max-old-space-size=${MEMORY.oldSpaceMebibytes}`,
    '--disable-warning=ExperimentalWarning',
    join(import.meta.dirname, 'follow-fat.ts'),
    String(port),
  ])
  const {seen, mebibytes} = JSON.parse(stdout)
  t.diagnostic(`most resident: ${mebibytes} MiB`)
  assert.equal(seen, events + 1)
  assert.ok(mebibytes < MEMORY.limitMebibytes, `${mebibytes} MiB`)
})
