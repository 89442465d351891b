import type {GitHttpRequest, GitHttpResponse, HttpClient} from 'isomorphic-git'

/** How long one request to a git host may take, and how much it may answer. */
export const gitHttpLimits = {requestTimeoutMs: 60_000, listTimeoutMs: 10_000, maxResponseBytes: 1024 * 1024 * 1024}

/**
 * The HTTP client that isomorphic-git is given: Node's fetch with a time limit, a size limit, and the token of this host in a
 * header. fetch drops that header where a redirect leaves the host.
 */
export function createGitHttpClient(token: string | undefined, timeoutMs: number): HttpClient {
  return {
    async request({url, method, headers, body}: GitHttpRequest): Promise<GitHttpResponse> {
      const sent = new Headers(headers)
      if (token !== undefined) sent.set('authorization', basicAuthorization(token))
      const payload = body === undefined ? undefined : await collect(body)
      const response = await fetch(url, {
        method: method ?? 'GET',
        headers: sent,
        ...(payload === undefined ? {} : {body: payload}),
        redirect: 'follow',
        signal: AbortSignal.timeout(timeoutMs),
      })
      return {
        url: response.url,
        method: method ?? 'GET',
        statusCode: response.status,
        statusMessage: response.statusText,
        headers: Object.fromEntries(response.headers),
        body: limitBytes(response.body, gitHttpLimits.maxResponseBytes),
      }
    },
  }
}

/** Git hosts take a token as the password of any user; GitHub documents this name. */
function basicAuthorization(token: string): string {
  return `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<Buffer<ArrayBuffer>> {
  const parts: Uint8Array[] = []
  for await (const part of body) parts.push(part)
  return Buffer.concat(parts)
}

async function* limitBytes(body: ReadableStream<Uint8Array> | null, maxBytes: number): AsyncGenerator<Uint8Array> {
  if (body === null) return
  let total = 0
  for await (const part of body) {
    total += part.byteLength
    if (total > maxBytes) throw new RangeError(`the answer is larger than ${maxBytes} bytes`)
    yield part
  }
}
