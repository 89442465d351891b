import {lookup} from 'node:dns'
import http, {type IncomingMessage} from 'node:http'
import https from 'node:https'
import {isIP, type LookupFunction} from 'node:net'
import {createAddressTest} from './public-address.ts'

/** A request to a git host. */
export interface SourceRequest {
  method?: string
  headers?: Readonly<Record<string, string>>
  body?: Uint8Array | undefined
  /** The value of the authorization header. Dropped for good once a redirect leads to another host, or to what `mayCarry` says no to. */
  authorization?: string | undefined
  /** Whether the credential may be shown at an address of the same host that a redirect names. @default never */
  mayCarry?: (url: URL) => boolean
  signal: AbortSignal
}

export interface SourceResponse {
  /** Where the answer came from in the end. */
  url: string
  status: number
  statusText: string
  headers: Record<string, string>
  /** To be read to its end, or destroyed. Rejects where the signal aborts. */
  body: IncomingMessage
}

/** Asks git hosts. Rejects with `RefusedError`, and with what the connection fails of. */
export type SourceFetch = (url: string, request: SourceRequest) => Promise<SourceResponse>

/** The request led where sources may not come from. It never says where, nor what is there. */
export class RefusedError extends Error {
  constructor() {
    super('it leads to an address that is not allowed')
    this.name = 'RefusedError'
  }
}

const maxRedirects = 5
const redirects = new Set([301, 302, 303, 307, 308])

/**
 * Creates the client by which sources are fetched: it connects to public addresses and to those in `privateNetworks` (CIDR) only. What
 * counts is the address that is connected to, at each redirect too. Redirects are followed 5 times at most and never to another scheme.
 */
export function createSourceFetch({privateNetworks = []}: {privateNetworks?: readonly string[]} = {}): SourceFetch {
  const isAllowed = createAddressTest(privateNetworks)
  const agentOptions = {keepAlive: true, lookup: createCheckedLookup(isAllowed)}
  const agents = {'http:': new http.Agent(agentOptions), 'https:': new https.Agent(agentOptions)}

  const ask = (url: URL, request: SourceRequest, isAgain = false): Promise<IncomingMessage> => {
    const literal = url.hostname.replace(/^\[|\]$/g, '')
    // An address that is written out is not looked up.
    if (isIP(literal) !== 0 && !isAllowed(literal)) return Promise.reject(new RefusedError())
    if (url.protocol !== 'http:' && url.protocol !== 'https:') return Promise.reject(new RefusedError())
    const {method = 'GET', headers, body, authorization, signal} = request
    const sent = {...headers, ...(authorization === undefined ? {} : {authorization})}
    const make = url.protocol === 'https:' ? https.request : http.request
    return new Promise((resolve, reject) => {
      const outgoing = make(url, {agent: agents[url.protocol as keyof typeof agents], method, headers: sent, signal})
      let isAnswered = false
      outgoing.on('response', (answer) => {
        isAnswered = true
        resolve(answer)
      })
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        // The host closed a connection that was kept, just when it was used again.
        if (isAnswered) return
        const isStale = outgoing.reusedSocket && error.code === 'ECONNRESET' && !isAgain
        if (isStale) ask(url, request, true).then(resolve, reject)
        else reject(error)
      })
      outgoing.end(body)
    })
  }

  return async (address, request) => {
    let url = new URL(address)
    let current = request
    for (let followed = 0; ; followed++) {
      const answer = await ask(url, current)
      const {statusCode: status = 0, statusMessage: statusText = '', headers} = answer
      const {location} = headers
      if (!redirects.has(status) || location === undefined) {
        return {url: url.href, status, statusText, headers: flatten(headers), body: answer}
      }
      answer.destroy()
      const next = URL.parse(location, url.href)
      const isOdd = next === null || next.protocol !== url.protocol || next.username !== '' || next.password !== ''
      if (isOdd || followed === maxRedirects) throw new RefusedError()
      const isCarried = next.origin === url.origin && request.mayCarry?.(next) === true
      if (!isCarried) current = {...current, authorization: undefined}
      // Git's requests change nothing, so they are made again as they are; 303 asks for a GET (RFC 9110, 15.4.4).
      if (status === 303) current = {...current, method: 'GET', body: undefined}
      url = next
    }
  }
}

/** Resolves names as Node does, and leaves only the addresses that are allowed. */
function createCheckedLookup(isAllowed: (address: string) => boolean): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, {...options, all: true}, (error, addresses) => {
      if (error !== null) return callback(error, '')
      const allowed = addresses.filter(({address}) => isAllowed(address))
      const [first] = allowed
      if (first === undefined) return callback(new RefusedError(), '')
      if (options.all === true) callback(null, allowed)
      else callback(null, first.address, first.family)
    })
  }
}

function flatten(headers: IncomingMessage['headers']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
    ),
  )
}
