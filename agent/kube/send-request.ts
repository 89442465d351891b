import http from 'node:http'
import https from 'node:https'
import {setTimeout as sleep} from 'node:timers/promises'
import {limits} from '#shared/model/limits.ts'
import {isHeldUp, isKubeError, KubeError} from './kube-error.ts'
import type {KubeEndpoint} from './load-endpoint.ts'
import {isDeniedByAdmission, readRefusal} from './read-refusal.ts'

export interface KubeRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Path with query. */
  path: string
  accept?: string
  contentType?: string
  body?: string
  impersonate?: string | undefined
  signal?: AbortSignal | undefined
  /** Once it ends nothing is tried again. */
  lastTry?: AbortSignal | undefined
  /** Not tried again where a webhook held it up, or may have. */
  impatient?: boolean | undefined
  /** Tries in all; 5 by default. Only 429, 5xx and broken connections are tried again. */
  attempts?: number
  /** Where no answer came in time, the error has `unanswered` in its details. */
  timeoutMs?: number
  /** What it is about, for error messages: `apply ConfigMap web/settings`. */
  what: string
  /** Called with each try: takes the text of a 200 as it comes, in place of `body`. What it throws ends the try. */
  receive?: () => (text: string) => void
  /** Leaves the server's own words out of errors, since they may quote values. */
  confidential?: boolean
}

export interface KubeResponse {
  status: number
  body: string
}

export interface KubeTransport {
  /**
   * Sends one request and resolves with its answer, or rejects with `KubeError`. Statuses in `expected` resolve as well, unless a webhook or
   * policy chose them.
   */
  send(request: KubeRequest, expected?: readonly number[]): Promise<KubeResponse>
  /**
   * Opens a stream that yields whole lines until it ends; a stream silent for `stallMs` ends. Its answer must begin as soon as any other's.
   * A line of more than `maxAnswerBytes` is left out, and `onSkipped` called in its place.
   */
  stream(
    request: KubeRequest,
    stallMs: number,
    onLine: (line: string) => void,
    onSkipped?: () => void,
  ): Promise<KubeResponse>
  close(): void
}

const REQUEST_TIMEOUT_MS = 30_000
const MAX_RETRY_AFTER_SECONDS = 30

class AnswerMissing extends Error {}

/** Talks HTTP to an API server over kept-alive connections. `onThrottled` hears each 429. */
export function createTransport(endpoint: KubeEndpoint, onThrottled: () => void = () => undefined): KubeTransport {
  const secure = endpoint.server.protocol === 'https:'
  const agentOptions = {keepAlive: true, keepAliveMsecs: 30_000, maxSockets: 256, scheduling: 'lifo' as const}
  const agent = secure ? new https.Agent({...agentOptions, ...endpoint.tls}) : new http.Agent(agentOptions)
  const base = endpoint.server.pathname.replace(/\/$/, '')
  const open = secure ? https.request : http.request

  async function start(request: KubeRequest): Promise<http.ClientRequest> {
    const authorization = await endpoint.authorization()
    const headers: http.OutgoingHttpHeaders = {
      accept: request.accept ?? 'application/json',
      'user-agent': 'drawbridge-agent',
      ...(authorization === undefined ? {} : {authorization}),
      ...(request.impersonate === undefined ? {} : {'impersonate-user': request.impersonate}),
      ...(request.body === undefined
        ? {}
        : {
            'content-type': request.contentType ?? 'application/json',
            'content-length': Buffer.byteLength(request.body),
          }),
    }
    return open({
      agent,
      protocol: endpoint.server.protocol,
      hostname: endpoint.server.hostname.replace(/^\[|\]$/g, ''),
      port: endpoint.server.port,
      method: request.method,
      path: base + request.path,
      headers,
    })
  }

  async function once(
    request: KubeRequest,
    onText = request.receive?.(),
    stallMs = REQUEST_TIMEOUT_MS,
  ): Promise<KubeResponse & {retryAfter?: number}> {
    const outgoing = await start(request)
    let limitMs = request.timeoutMs ?? REQUEST_TIMEOUT_MS
    return new Promise((resolve, reject) => {
      let timer = setTimeout(expire, limitMs)
      const abort = () => outgoing.destroy(new KubeError('ABORTED', `${request.what}: stopped`))
      function expire() {
        outgoing.destroy(new AnswerMissing(`no answer within ${limitMs / 1000} s`))
      }
      const settle = () => {
        clearTimeout(timer)
        request.signal?.removeEventListener('abort', abort)
      }
      const fail = (error: unknown) => {
        settle()
        reject(error)
      }
      if (request.signal?.aborted) abort()
      else request.signal?.addEventListener('abort', abort, {once: true})
      outgoing.on('error', fail)
      outgoing.on('response', (incoming) => {
        const status = incoming.statusCode ?? 0
        const receive = status === 200 ? onText : undefined
        if (receive !== undefined) {
          clearTimeout(timer)
          limitMs = stallMs
          timer = setTimeout(expire, limitMs)
        }
        const parts: string[] = []
        let length = 0
        const take = (chunk: string): void => {
          length += chunk.length
          if (length > limits.maxAnswerBytes) throw answerTooLarge(request.what)
          parts.push(chunk)
        }
        incoming.setEncoding('utf8')
        incoming.on('data', (chunk: string) => {
          try {
            if (receive === undefined) return take(chunk)
            timer.refresh()
            receive(chunk)
          } catch (error) {
            fail(error)
            outgoing.destroy()
          }
        })
        incoming.on('error', fail)
        incoming.on('end', () => {
          settle()
          const retryAfter = Number(incoming.headers['retry-after'])
          resolve({status, body: parts.join(''), ...(retryAfter > 0 ? {retryAfter} : {})})
        })
      })
      outgoing.end(request.body)
    })
  }

  async function send(request: KubeRequest, expected: readonly number[] = []): Promise<KubeResponse> {
    const attempts = request.attempts ?? 5
    for (let attempt = 1; ; attempt++) {
      let failure: KubeError
      let waitMs = Math.min(100 * 2 ** (attempt - 1), 2_000) * (0.75 + Math.random() / 2)
      try {
        const response = await once(request)
        if (response.status < 400) return response
        if (expected.includes(response.status) && !isDeniedByAdmission(response.body)) return response
        if (response.status === 429) onThrottled()
        failure = readRefusal(request, response)
        if (!isKubeError(failure, 'THROTTLED', 'UNAVAILABLE')) throw failure
        if (response.retryAfter !== undefined) waitMs = Math.min(response.retryAfter, MAX_RETRY_AFTER_SECONDS) * 1000
      } catch (error) {
        if (error instanceof KubeError) throw error
        const details = error instanceof AnswerMissing ? {unanswered: true} : {}
        const message = `${request.what}: the API server cannot be reached`
        failure = new KubeError('UNAVAILABLE', message, details, {cause: error})
      }
      if (attempt >= attempts || request.lastTry?.aborted) throw failure
      if (request.impatient && isHeldUp(failure)) throw failure
      try {
        await sleep(waitMs, undefined, request.signal ? {signal: request.signal} : {})
      } catch (cause) {
        throw new KubeError('ABORTED', `${request.what}: stopped`, {}, {cause})
      }
      if (request.lastTry?.aborted) throw failure
    }
  }

  async function stream(
    request: KubeRequest,
    stallMs: number,
    onLine: (line: string) => void,
    onSkipped: () => void = () => undefined,
  ): Promise<KubeResponse> {
    try {
      return await once(request, splitLines(onLine, onSkipped), stallMs)
    } catch (error) {
      if (error instanceof KubeError) throw error
      throw new KubeError('UNAVAILABLE', `${request.what}: the API server cannot be reached`, {}, {cause: error})
    }
  }

  return {send, stream, close: () => agent.destroy()}
}

function splitLines(onLine: (line: string) => void, onSkipped: () => void): (text: string) => void {
  let parts: string[] = []
  let length = 0
  const add = (text: string): void => {
    length += text.length
    if (length > limits.maxAnswerBytes) parts = []
    else if (text !== '') parts.push(text)
  }
  return (text) => {
    let start = 0
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      add(text.slice(start, end))
      const [line, isTooLong] = [parts.join(''), length > limits.maxAnswerBytes]
      parts = []
      length = 0
      start = end + 1
      if (isTooLong) onSkipped()
      else if (line !== '') onLine(line)
    }
    add(text.slice(start))
  }
}

/** What is larger than any object that a cluster stores is not held, and not asked for again. */
export function answerTooLarge(what: string): KubeError {
  return new KubeError('REJECTED', `${what}: the answer is larger than ${limits.maxAnswerBytes} bytes`)
}
