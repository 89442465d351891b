import assert from 'node:assert/strict'
import {createHmac} from 'node:crypto'
import {test} from 'node:test'
import fc from 'fast-check'
import {createWebhookHandler} from '#functions/webhook/create-handler.ts'
import type {JournalEvent} from '#shared/model/journal-event.ts'
import {limits} from '#shared/model/limits.ts'
import {type PushEvent, pushEventSchema} from '#shared/model/push-event.ts'
import type {QueueSender} from '#shared/ports/queue.ts'
import {QueueError} from '#shared/ports/queue-error.ts'
import {createMemoryQueue} from '#test/fakes/memory-queue.ts'

const SECRETS = ['old secret', 'new secret']
const NOW = '2026-01-01T00:00:10.500Z'
const AFTER = 'a'.repeat(40)
const BEFORE = 'b'.repeat(40)
const ZERO = '0'.repeat(40)

const push = {
  ref: 'refs/heads/main',
  before: BEFORE,
  after: AFTER,
  repository: {
    clone_url: 'https://github.com/example/fleet.git',
    pushed_at: Date.parse('2026-01-01T00:00:09Z') / 1_000,
  },
  sender: {login: 'someone'},
}

function createKit(renderQueue: QueueSender = createMemoryQueue()) {
  const queue = createMemoryQueue()
  const events: JournalEvent[] = []
  const ports = {
    renderQueue: {
      send: async (body: string) => {
        await renderQueue.send(body)
        await queue.send(body)
      },
    },
    clock: {now: () => new Date(NOW)},
    journal: {record: (event: JournalEvent) => events.push(event)},
  }
  const handle = createWebhookHandler(ports, {secrets: SECRETS})
  return {
    handle,
    events,
    pushes: (): PushEvent[] => queue.sent.map(({body}) => pushEventSchema.parse(JSON.parse(body))),
  }
}

function sign(body: string | Uint8Array, secret = 'new secret'): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
}

interface Delivery {
  body?: string | Uint8Array
  headers?: Record<string, string>
  method?: string
  isPlain?: boolean
  signature?: string | undefined
  event?: string
}

function deliveryOf({
  body = JSON.stringify(push),
  headers = {},
  method = 'POST',
  isPlain = false,
  event = 'push',
  ...rest
}: Delivery = {}) {
  const signature = 'signature' in rest ? rest.signature : sign(body)
  return {
    version: '2.0',
    requestContext: {http: {method, path: '/'}},
    headers: {
      'content-type': 'application/json',
      'x-github-event': event,
      'x-github-delivery': 'd-1',
      ...(signature !== undefined && {'x-hub-signature-256': signature}),
      ...headers,
    },
    ...(isPlain
      ? {body: Buffer.from(body).toString()}
      : {body: Buffer.from(body).toString('base64'), isBase64Encoded: true}),
  }
}

test('queues a push and answers 202', async () => {
  const {handle, events, pushes} = createKit()
  const answer = await handle(deliveryOf())
  assert.equal(answer.statusCode, 202)
  const [event] = pushes()
  assert.deepEqual(
    {...event, trace: event?.trace.stages},
    {
      apiVersion: 'drawbridge.dev/v1alpha1',
      kind: 'PushEvent',
      provider: 'github',
      delivery: 'd-1',
      repository: 'https://github.com/example/fleet.git',
      ref: 'refs/heads/main',
      before: BEFORE,
      after: AFTER,
      trace: {pushed: '2026-01-01T00:00:09.000Z', received: NOW},
    },
  )
  assert.deepEqual(
    events.map(({event: name, commit, traceparent}) => [name, commit, traceparent]),
    [['received', AFTER, event?.trace.traceparent]],
  )
})

test('takes a body that is not base64, and one that is', async () => {
  const {handle, pushes} = createKit()
  const body = JSON.stringify({...push, note: 'ü 😀'})
  assert.equal((await handle(deliveryOf({body, isPlain: true}))).statusCode, 202)
  assert.equal((await handle(deliveryOf({body}))).statusCode, 202)
  assert.equal(pushes().length, 2)
})

test('takes each of several secrets, and header names in any case', async () => {
  const {handle, pushes} = createKit()
  const body = JSON.stringify(push)
  assert.equal((await handle(deliveryOf({body, signature: sign(body, 'old secret')}))).statusCode, 202)
  const headers = {'X-Hub-Signature-256': sign(body), 'X-GitHub-Event': 'push'}
  assert.equal((await handle({...deliveryOf({body}), headers})).statusCode, 202)
  assert.equal(pushes().length, 2)
})

test('takes a form with the payload in it; the signature is over the form', async () => {
  const {handle, pushes} = createKit()
  const body = new URLSearchParams({payload: JSON.stringify(push)}).toString()
  const headers = {'content-type': 'application/x-www-form-urlencoded; charset=utf-8'}
  assert.equal((await handle(deliveryOf({body, headers}))).statusCode, 202)
  assert.equal(pushes()[0]?.after, AFTER)
})

test('verifies the exact bytes: a byte order mark is part of them', async () => {
  const {handle} = createKit()
  const text = JSON.stringify(push)
  const body = `\uFEFF${text}`
  assert.equal((await handle(deliveryOf({body, signature: sign(text)}))).statusCode, 401)
  // Signed rightly it passes the signature, and JSON allows no such mark.
  assert.equal((await handle(deliveryOf({body}))).statusCode, 400)
})

test('passes on tags and deleted branches, without the commits that are not there', async () => {
  const {handle, pushes} = createKit()
  await handle(deliveryOf({body: JSON.stringify({...push, ref: 'refs/tags/v1', before: ZERO})}))
  await handle(deliveryOf({body: JSON.stringify({...push, after: ZERO, deleted: true})}))
  assert.deepEqual(
    pushes().map(({ref, before, after}) => [ref, before, after]),
    [
      ['refs/tags/v1', undefined, AFTER],
      ['refs/heads/main', BEFORE, undefined],
    ],
  )
})

test('queues a redelivery again', async () => {
  const {handle, pushes} = createKit()
  const delivery = deliveryOf()
  assert.equal((await handle(delivery)).statusCode, 202)
  assert.equal((await handle(delivery)).statusCode, 202)
  assert.equal(pushes().length, 2)
})

const pushedAt: {header?: string; payload?: unknown; pushed: string | undefined}[] = [
  {header: '2026-01-01T00:00:10.123Z', pushed: '2026-01-01T00:00:10.123Z'},
  {header: '2026-01-01T01:00:10.123+01:00', pushed: '2026-01-01T00:00:10.123Z'},
  {header: '2026-01-01T00:00:11.000Z', pushed: '2026-01-01T00:00:09.000Z'},
  {header: 'yesterday', pushed: '2026-01-01T00:00:09.000Z'},
  {payload: Date.parse('2027-01-01T00:00:00Z') / 1_000, pushed: undefined},
  {payload: '2026-01-01T00:00:00Z', pushed: undefined},
  {payload: null, pushed: undefined},
]
for (const {header, payload, pushed} of pushedAt) {
  test(`takes ${header ?? JSON.stringify(payload)} for pushed at ${pushed ?? 'an unknown time'}`, async () => {
    const {handle, pushes} = createKit()
    const repository = {...push.repository, ...(payload !== undefined && {pushed_at: payload})}
    const headers = header === undefined ? {} : {'x-drawbridge-pushed-at': header}
    assert.equal((await handle(deliveryOf({body: JSON.stringify({...push, repository}), headers}))).statusCode, 202)
    assert.equal(pushes()[0]?.trace.stages.pushed, pushed)
  })
}

const answers: {name: string; delivery: unknown; status: number; says: RegExp}[] = [
  {name: 'a ping', delivery: deliveryOf({event: 'ping', body: '{"zen": "x"}'}), status: 200, says: /pong/},
  {name: 'another event', delivery: deliveryOf({event: 'issues', body: '{}'}), status: 202, says: /ignored/},
  {
    name: 'a push of a note',
    delivery: deliveryOf({body: JSON.stringify({...push, ref: 'refs/notes/x'})}),
    status: 202,
    says: /ignored/,
  },
  {name: 'a GET', delivery: deliveryOf({method: 'GET'}), status: 405, says: /POST/},
  {name: 'no signature', delivery: deliveryOf({signature: undefined}), status: 401, says: /missing/},
  {name: 'a wrong signature', delivery: deliveryOf({signature: sign('other')}), status: 401, says: /does not match/},
  {
    name: 'a signature of another secret',
    delivery: deliveryOf({signature: sign(JSON.stringify(push), 'x')}),
    status: 401,
    says: /match/,
  },
  {name: 'a signature that is none', delivery: deliveryOf({signature: 'sha256=ü'}), status: 401, says: /match/},
  {name: 'a SHA-1 signature', delivery: deliveryOf({signature: 'sha1=0000'}), status: 401, says: /match/},
  {name: 'an empty body', delivery: deliveryOf({body: ''}), status: 400, says: /empty/},
  {
    name: 'a body that is not UTF-8',
    delivery: deliveryOf({body: Buffer.from([0xff, 0xfe, 0x7b])}),
    status: 400,
    says: /UTF-8/,
  },
  {name: 'a body that is not JSON', delivery: deliveryOf({body: '{'}), status: 400, says: /not JSON/},
  {name: 'a ping that is not JSON', delivery: deliveryOf({event: 'ping', body: 'x'}), status: 400, says: /not JSON/},
  {
    name: 'a push without a repository',
    delivery: deliveryOf({body: '{"ref": "refs/heads/main"}'}),
    status: 400,
    says: /clone_url/,
  },
  {
    name: 'a push with a commit that is none',
    delivery: deliveryOf({body: JSON.stringify({...push, after: 'x'})}),
    status: 400,
    says: /commits/,
  },
  {
    name: 'a push of a repository whose URL holds a credential',
    delivery: deliveryOf({
      body: JSON.stringify({...push, repository: {clone_url: 'https://user:hidden@github.com/example/fleet'}}),
    }),
    status: 400,
    says: /^(?!.*hidden).*clone_url/,
  },
  {name: 'no event header', delivery: deliveryOf({event: ''}), status: 400, says: /X-GitHub-Event/},
  {name: 'something that is no request', delivery: {Records: []}, status: 400, says: /not an HTTP request/},
  {name: 'nothing', delivery: undefined, status: 400, says: /not an HTTP request/},
]
for (const {name, delivery, status, says} of answers) {
  test(`answers ${name} with ${status} and queues nothing`, async () => {
    const {handle, pushes} = createKit()
    const answer = await handle(delivery)
    assert.equal(answer.statusCode, status)
    assert.match(answer.body, says)
    assert.deepEqual(pushes(), [])
  })
}

test('answers 413 above 25 MB, base64 or not, and reads up to it', async () => {
  const {handle} = createKit()
  const padding = (size: number): string => {
    const head = JSON.stringify({...push, pad: ''})
    return JSON.stringify({...push, pad: 'x'.repeat(size - head.length)})
  }
  const most = padding(limits.maxWebhookBytes)
  assert.equal((await handle(deliveryOf({body: most}))).statusCode, 202)
  const tooLarge = `${most} `
  assert.equal((await handle(deliveryOf({body: tooLarge, signature: 'x'}))).statusCode, 413)
  assert.equal((await handle(deliveryOf({body: tooLarge, signature: 'x', isPlain: true}))).statusCode, 413)
})

test('answers 503 where the queue is down, so that the sender knows', async () => {
  const {handle, events} = createKit({
    send: async () => {
      throw new QueueError('UNAVAILABLE', 'could not send')
    },
  })
  const answer = await handle(deliveryOf())
  assert.equal(answer.statusCode, 503)
  assert.equal(answer.headers['retry-after'], '10')
  assert.equal(events[0]?.event, 'failed')
})

test('journals what it refuses, and nothing of the body or the secrets', async () => {
  const {handle, events} = createKit()
  const answer = await handle(deliveryOf({body: JSON.stringify({...push, token: 'hidden'}), signature: sign('x')}))
  assert.deepEqual(
    events.map(({event, code}) => [event, code]),
    [['refused', 'SIGNATURE_INVALID']],
  )
  const said = JSON.stringify([answer, events])
  for (const text of ['hidden', ...SECRETS, 'sha256=']) assert.ok(!said.includes(text))
})

test('answers anything at all with one line of JSON', async () => {
  const {handle} = createKit()
  const signed = fc.record({
    body: fc.oneof(fc.json(), fc.string({unit: 'binary'})),
    event: fc.constantFrom('push', 'ping', 'issues', ''),
    isForm: fc.boolean(),
    isSigned: fc.boolean(),
  })
  const event = fc.oneof(
    fc.anything(),
    signed.map(({body, event, isForm, isSigned}) =>
      deliveryOf({
        body,
        event,
        ...(!isSigned && {signature: 'sha256=00'}),
        ...(isForm && {headers: {'content-type': 'application/x-www-form-urlencoded'}}),
      }),
    ),
    fc.record({
      requestContext: fc.record({http: fc.record({method: fc.string()})}),
      headers: fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.anything())),
      body: fc.oneof(fc.string(), fc.base64String(), fc.constant(undefined)),
      isBase64Encoded: fc.boolean(),
    }),
  )
  await fc.assert(
    fc.asyncProperty(event, async (input) => {
      const answer = await handle(input)
      assert.ok([200, 202, 400, 401, 405, 413].includes(answer.statusCode))
      assert.ok(!answer.body.includes('\n'))
      assert.equal(typeof JSON.parse(answer.body), 'object')
    }),
    {numRuns: 500},
  )
})
