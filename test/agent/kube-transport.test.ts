import assert from 'node:assert/strict'
import {createServer, type IncomingMessage, type ServerResponse} from 'node:http'
import type {AddressInfo} from 'node:net'
import {type TestContext, test} from 'node:test'
import {createKubeClient} from '#agent/kube/create-kube-client.ts'
import {followType} from '#agent/kube/follow-type.ts'
import type {KubeClient} from '#agent/kube/kube-client.ts'
import {isKubeError} from '#agent/kube/kube-error.ts'
import {createTransport} from '#agent/kube/send-request.ts'
import {types, waitUntil} from './start-test-agent.ts'

type Answer = (request: IncomingMessage, response: ServerResponse, count: number) => void

/** A client of an HTTP server that answers as told, which faults of a real API server cannot be. */
async function serve(
  t: TestContext,
  answer: Answer,
): Promise<{kube: KubeClient; seen: string[]; throttled: () => number}> {
  const seen: string[] = []
  let throttled = 0
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`)
    request.resume()
    answer(request, response, seen.length)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const {port} = server.address() as AddressInfo
  const transport = createTransport(
    {server: new URL(`http://127.0.0.1:${port}`), tls: {}, authorization: async () => 'Bearer t'},
    () => throttled++,
  )
  t.after(() => {
    transport.close()
    server.closeAllConnections()
    server.close()
  })
  return {kube: createKubeClient(transport), seen, throttled: () => throttled}
}

const object = (resourceVersion: string, name = 'x') => ({metadata: {name, uid: 'u', resourceVersion}})
const json = (response: ServerResponse, status: number, body: object, headers = {}) =>
  response.writeHead(status, {'content-type': 'application/json', ...headers}).end(JSON.stringify(body))
const target = {namespace: 'web', name: 'x'}
const options = {fieldManager: 'drawbridge', force: true, detail: 'metadata'} as const

test('tries again after 429, 503 and a broken connection, and says that it was throttled', async (t) => {
  const {kube, seen, throttled} = await serve(t, (_, response, count) => {
    if (count === 1) json(response, 429, {}, {'retry-after': '0'})
    else if (count === 2) json(response, 503, {})
    else if (count === 3) response.destroy()
    else json(response, 200, object('7'))
  })
  const applied = await kube.apply(types.configMap, target, '{}', options)
  assert.equal(applied.metadata.resourceVersion, '7')
  assert.equal(seen.length, 4)
  assert.equal(throttled(), 1)
})

test('never tries a refusal again, and tells it in the words of the server', async (t) => {
  const {kube, seen} = await serve(t, (_, response) =>
    json(response, 422, {reason: 'Invalid', message: 'spec.replicas: must be positive'}),
  )
  await assert.rejects(kube.apply(types.deployment, target, '{}', options), (error) => {
    assert.ok(isKubeError(error, 'INVALID'))
    assert.match(error.message, /apply Deployment web\/x: Invalid \(422\): spec.replicas: must be positive/)
    return true
  })
  assert.equal(seen.length, 1)
})

test('leaves the words of the server out where they may quote a Secret', async (t) => {
  const {kube} = await serve(t, (_, response) =>
    json(response, 422, {
      reason: 'Invalid',
      message: 'data[password]: Invalid value: "hunter2"',
      details: {causes: [{field: 'data[password]', message: 'Invalid value: "hunter2"'}]},
    }),
  )
  await assert.rejects(kube.apply(types.secret, target, '{}', options), (error) => {
    assert.ok(error instanceof Error && !error.message.includes('hunter2'))
    assert.match(error.message, /data\[password\]/)
    return true
  })
})

test('gives up after a bounded number of tries', async (t) => {
  const {kube, seen} = await serve(t, (_, response) => json(response, 500, {message: 'no'}))
  await assert.rejects(kube.get(types.configMap, target, 'whole'), (error) => isKubeError(error, 'UNAVAILABLE'))
  assert.equal(seen.length, 5)
})

const refusals = [
  {
    what: 'a webhook that denies in the words of one that does not answer',
    status: 403,
    message: 'admission webhook "evil.example" denied the request: failed calling webhook "shop.example": timeout',
    refuser: {webhook: 'evil.example', policy: undefined},
  },
  {
    what: 'a policy whose message names a webhook',
    status: 422,
    message: `configmaps "x" is forbidden: ValidatingAdmissionPolicy 'evil' with binding 'b' denied request: failed calling webhook "shop.example"`,
    refuser: {webhook: undefined, policy: 'evil'},
  },
  {
    what: 'a webhook whose message names a policy',
    status: 400,
    message: `admission webhook "evil.example" denied the request: x "y" is forbidden: ValidatingAdmissionPolicy 'good' with binding 'b' denied request: z`,
    refuser: {webhook: 'evil.example', policy: undefined},
  },
  {
    what: 'a webhook that does not answer',
    status: 400,
    message: 'Internal error occurred: failed calling webhook "late.example": failed to call webhook: timeout',
    refuser: {webhook: 'late.example', policy: undefined},
  },
]
for (const {what, status, message, refuser} of refusals) {
  test(`knows by the server's own words who refused: ${what}`, async (t) => {
    const {kube} = await serve(t, (_, response) => json(response, status, {message}))
    await assert.rejects(kube.apply(types.configMap, target, '{}', options), (error) => {
      assert.ok(isKubeError(error))
      assert.deepEqual({webhook: error.details.webhook, policy: error.details.policy}, refuser)
      return true
    })
  })
}

test('takes the denial of a webhook for no state of the object, whichever status the webhook chose', async (t) => {
  let status = 409
  const {kube} = await serve(t, (_, response) =>
    json(response, status, {message: 'admission webhook "evil.example" denied the request: no'}),
  )
  const {metadata} = object('1')
  const fields = {resourceVersion: '1', managedFields: []}
  const isDenial = (error: unknown) => isKubeError(error, 'REJECTED') && error.details.webhook === 'evil.example'
  for (status of [404, 409]) {
    await assert.rejects(kube.create(types.configMap, {metadata}), isDenial)
    await assert.rejects(kube.replace(types.configMap, {metadata}), isDenial)
    await assert.rejects(kube.apply(types.configMap, target, '{}', options), isDenial)
    await assert.rejects(kube.setManagedFields(types.configMap, target, fields), isDenial)
    await assert.rejects(kube.delete(types.configMap, target, {propagation: 'Background'}), isDenial)
  }
})

test('does not try again what a webhook holds up, where it is asked not to', async (t) => {
  const message = 'Internal error occurred: failed calling webhook "late.example": failed to call webhook: timeout'
  const {kube, seen} = await serve(t, (_, response, count) => json(response, count === 1 ? 503 : 500, {message}))
  const isLate = (error: unknown) => isKubeError(error, 'UNAVAILABLE') && error.details.webhook === 'late.example'
  await assert.rejects(kube.apply(types.configMap, target, '{}', {...options, impatient: true}), isLate)
  await assert.rejects(kube.delete(types.configMap, target, {propagation: 'Background', impatient: true}), isLate)
  assert.equal(seen.length, 2)
})

test('tells that no answer came in time from a server that cannot be reached', async (t) => {
  const {kube} = await serve(t, (request, response) => {
    if (request.url?.endsWith('/gone')) response.destroy()
  })
  const replace = (name: string) => kube.replace(types.configMap, {metadata: {name}})
  const isUnanswered = (error: unknown) => isKubeError(error, 'UNAVAILABLE') && error.details.unanswered === true
  await assert.rejects(replace('silent'), isUnanswered)
  await assert.rejects(replace('gone'), (error) => !isUnanswered(error))
})

test('reads a list page by page', async (t) => {
  const {kube, seen} = await serve(t, (request, response) =>
    request.url?.includes('continue=next')
      ? json(response, 200, {metadata: {resourceVersion: '9'}, items: [object('2', 'b')]})
      : json(response, 200, {metadata: {resourceVersion: '9', continue: 'next'}, items: [object('1', 'a')]}),
  )
  const {items, resourceVersion} = await kube.list(types.configMap, {detail: 'metadata'})
  assert.deepEqual(
    items.map(({metadata}) => metadata.name),
    ['a', 'b'],
  )
  assert.equal(resourceVersion, '9')
  assert.equal(seen.length, 2)
})

test('resumes a watch where it ended, and lists again where the server forgot that version', async (t) => {
  const {kube, seen} = await serve(t, (request, response, count) => {
    if (!request.url?.includes('watch=1')) {
      json(response, 200, {metadata: {resourceVersion: String(count * 10)}, items: [object('1', 'a')]})
      return
    }
    response.writeHead(200)
    if (count === 2) {
      response.write(`${JSON.stringify({type: 'MODIFIED', object: object('11', 'a')})}\n`)
      // A bookmark that comes in two pieces.
      const bookmark = `${JSON.stringify({type: 'BOOKMARK', object: {metadata: {resourceVersion: '15'}}})}\n`
      response.write(bookmark.slice(0, 20))
      setTimeout(() => response.end(bookmark.slice(20)), 10)
    } else if (count === 3) {
      response.end(`${JSON.stringify({type: 'ERROR', object: {code: 410, reason: 'Expired'}})}\n`)
    } else if (count === 5) {
      response.end(`${JSON.stringify({type: 'DELETED', object: object('45', 'a')})}\n`)
    }
  })
  const stop = new AbortController()
  const told: string[] = []
  const {ended} = await followType(kube, types.configMap, {
    detail: 'metadata',
    labelSelector: 'a',
    signal: stop.signal,
    onList: (_, resourceVersion) => void told.push(`list ${resourceVersion}`),
    onEvent: ({type, object}) => void told.push(`${type} ${object.metadata.resourceVersion}`),
    onTrouble: (error) => void told.push(error.message),
  })
  await waitUntil(
    () => told.length === 4 && seen.length === 6,
    () => `${told} ${seen}`,
  )
  stop.abort()
  await ended
  assert.deepEqual(told, ['list 10', 'changed 11', 'list 40', 'deleted 45'])
  assert.match(seen[2] ?? '', /resourceVersion=15/)
  assert.match(seen[5] ?? '', /resourceVersion=45/)
})

test('a watch that falls silent ends by itself, so that it can be resumed', async (t) => {
  const server = createServer((_, response) => {
    response.writeHead(200, {'content-type': 'application/json'})
    response.write(`${JSON.stringify({type: 'ADDED', object: object('5')})}\n`)
    // The connection stays open, and nothing more ever comes.
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const {port} = server.address() as AddressInfo
  const endpoint = {server: new URL(`http://127.0.0.1:${port}`), tls: {}, authorization: async () => 'Bearer t'}
  const transport = createTransport(endpoint)
  t.after(() => {
    transport.close()
    server.closeAllConnections()
    server.close()
  })
  const lines: string[] = []
  const watching = transport.stream({method: 'GET', path: '/watch', what: 'watch things'}, 100, (line) => {
    lines.push(line)
  })
  await assert.rejects(watching, (error) => isKubeError(error, 'UNAVAILABLE'))
  assert.equal(lines.length, 1)
})
