import {describeError} from '#shared/model/drawbridge-error.ts'
import {limits} from '#shared/model/limits.ts'
import type {PushEvent} from '#shared/model/push-event.ts'
import type {Clock} from '#shared/ports/clock.ts'
import type {Journal} from '#shared/ports/journal.ts'
import type {QueueSender} from '#shared/ports/queue.ts'
import {type Answer, answer} from './answer.ts'
import {parseGithubPush, readPayload} from './parse-github-push.ts'
import {readRequest} from './read-request.ts'
import {verifySignature} from './verify-signature.ts'

export interface WebhookPorts {
  renderQueue: QueueSender
  clock: Clock
  journal: Journal
}

/**
 * Answers one delivery of GitHub's webhook: 202 once a push is in the render queue. Nothing is parsed before its signature
 * holds. A redelivery queues the push again, which is harmless: a push is a hint.
 */
export async function receiveWebhook(ports: WebhookPorts, secrets: readonly string[], event: unknown): Promise<Answer> {
  const receivedAt = ports.clock.now()
  const request = readRequest(event)
  if (request === 'malformed') return answer(400, {error: 'this is not an HTTP request event'})
  if (request === 'too-large') return answer(413, {error: `the body exceeds ${limits.maxWebhookBytes} bytes`})
  if (request.method !== 'POST') {
    return answer(405, {error: 'webhooks are delivered by POST'}, {allow: 'POST'})
  }
  const check = await verifySignature(request.body, request.headers['x-hub-signature-256'], secrets)
  if (check.result !== 'valid') return refuse(ports, receivedAt, check.result)

  const name = request.headers['x-github-event']
  if (name === undefined || name === '') return answer(400, {error: 'the header X-GitHub-Event is missing'})
  if (readPayload(check.text, request.headers['content-type']) === undefined) {
    return answer(400, {error: 'the payload is not JSON'})
  }
  if (name === 'ping') return answer(200, {result: 'pong'})
  if (name !== 'push') return answer(202, {result: 'ignored', reason: 'only push events are acted on'})
  const push = parseGithubPush({text: check.text, headers: request.headers, receivedAt})
  if (push === 'malformed') {
    return answer(400, {
      error: 'the payload of this push event lacks a ref, a readable repository.clone_url or well-formed commits',
    })
  }
  if (push === 'other-ref') return answer(202, {result: 'ignored', reason: 'only branches and tags are acted on'})
  return await queuePush(ports, push, receivedAt)
}

async function queuePush({renderQueue, journal}: WebhookPorts, push: PushEvent, receivedAt: Date): Promise<Answer> {
  const about = {
    at: receivedAt.toISOString(),
    repository: push.repository,
    ref: push.ref,
    ...(push.after !== undefined && {commit: push.after}),
    traceparent: push.trace.traceparent,
  }
  try {
    await renderQueue.send(JSON.stringify(push))
  } catch (error) {
    journal.record({event: 'failed', ...about, code: 'QUEUE_UNAVAILABLE', message: describeError(error)})
    return answer(503, {error: 'the push could not be queued; deliver it again'}, {'retry-after': '10'})
  }
  journal.record({event: 'received', ...about})
  return answer(202, {result: 'queued', traceparent: push.trace.traceparent})
}

const REFUSALS = {
  missing: {status: 401, code: 'SIGNATURE_MISSING', error: 'the header X-Hub-Signature-256 is missing'},
  invalid: {status: 401, code: 'SIGNATURE_INVALID', error: 'the signature does not match the body'},
  empty: {status: 400, code: 'BODY_EMPTY', error: 'the body is empty'},
  'not-utf8': {status: 400, code: 'BODY_NOT_UTF8', error: 'the body is not UTF-8'},
} as const

function refuse({journal}: WebhookPorts, receivedAt: Date, result: keyof typeof REFUSALS): Answer {
  const {status, code, error} = REFUSALS[result]
  journal.record({event: 'refused', at: receivedAt.toISOString(), code, message: `webhook: ${error}`})
  return answer(status, {error})
}
