import type {GitHttpRequest, GitHttpResponse, HttpClient} from 'isomorphic-git'
import {limits} from '../model/limits.ts'
import type {SourceFetch} from './source-fetch.ts'
import {tooLarge} from './unpack-budget.ts'

/** How long one request to a git host may take. */
export const gitHttpLimits = {requestTimeoutMs: 60_000, listTimeoutMs: 10_000}

/** How a git host is asked, and the credential for one repository. */
export interface GitAccess {
  fetchSource: SourceFetch
  token: string | undefined
  /** Whether the token is for another repository of the host too, by its URL. */
  mayCarry: (repository: string) => boolean
}

/** The HTTP client that isomorphic-git is given: with a time limit, a size limit, and the token of this repository in a header. */
export function createGitHttpClient({fetchSource, token, mayCarry}: GitAccess, timeoutMs: number): HttpClient {
  return {
    async request({url, method = 'GET', headers, body}: GitHttpRequest): Promise<GitHttpResponse> {
      const answer = await fetchSource(url, {
        method,
        ...(headers === undefined ? {} : {headers}),
        ...(body === undefined ? {} : {body: await collect(body)}),
        authorization: token === undefined ? undefined : basicAuthorization(token),
        mayCarry: ({origin, pathname}) =>
          mayCarry(`${origin}${pathname.replace(/\/(info\/refs|git-upload-pack)$/, '')}`),
        signal: AbortSignal.timeout(timeoutMs),
      })
      return {
        url: answer.url,
        method,
        statusCode: answer.status,
        statusMessage: answer.statusText,
        headers: answer.headers,
        body: limitBytes(answer.body, limits.maxPackBytes),
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

async function* limitBytes(body: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Uint8Array> {
  let total = 0
  for await (const part of body) {
    total += part.byteLength
    if (total > maxBytes) throw tooLarge('is larger', `${maxBytes} bytes`)
    yield part
  }
}
