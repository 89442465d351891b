import {createServer, type Server, type ServerResponse} from 'node:http'
import type {AddressInfo, Socket} from 'node:net'
import {DrawbridgeError} from '#shared/model/drawbridge-error.ts'
import type {AgentMetrics} from './create-metrics.ts'

/** The endpoints cannot be served where they were asked for. */
export class EndpointsError extends DrawbridgeError<'CANNOT_LISTEN'> {}

export interface Endpoints {
  readonly port: number
  close(): Promise<void>
}

/** A request is one line and a few headers, and comes at once. */
const REQUEST_LIMIT_MS = 3_000
const CHECK_EVERY_MS = 1_000
const IDLE_LIMIT_MS = 5_000
const MAX_HEADER_BYTES = 8 * 1024
/** What is open at once; each takes some 20 KiB. */
const MAX_CONNECTIONS = 128
/** Asked more often, the same text is answered: making it takes longer the more apps there are. */
const METRICS_MAX_AGE_MS = 1_000

/**
 * Serves `/metrics`, `/healthz` (200 while the process answers) and `/readyz` (200 where this agent stands by, or leads and knows its
 * cluster), at every address of the machine where no host is named. Anybody who reaches the port may open connections: where there are too many the
 * oldest one is closed, never a new one refused, so that a probe is answered. Throws `EndpointsError` CANNOT_LISTEN.
 */
export async function serveEndpoints(
  metrics: Pick<AgentMetrics, 'render' | 'contentType' | 'currentPhase'>,
  {host, port}: {host: string | undefined; port: number},
): Promise<Endpoints> {
  const readMetrics = onceAWhile(() => metrics.render())
  const settings = {
    requestTimeout: REQUEST_LIMIT_MS,
    headersTimeout: REQUEST_LIMIT_MS,
    keepAliveTimeout: IDLE_LIMIT_MS,
    connectionsCheckingInterval: CHECK_EVERY_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
  }
  const server = createServer(settings, (request, response) => {
    request.resume()
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(response, 405, 'only GET\n')
    const [path] = (request.url ?? '').split('?')
    if (path === '/healthz') return answer(response, 200, 'ok\n')
    if (path === '/readyz') {
      const phase = metrics.currentPhase()
      return answer(response, phase === 'leading' || phase === 'standby' ? 200 : 503, `${phase}\n`)
    }
    if (path !== '/metrics') return answer(response, 404, 'there are /metrics, /healthz and /readyz\n')
    readMetrics().then(
      (text) => answer(response, 200, text, metrics.contentType),
      () => answer(response, 500, 'the metrics cannot be read\n'),
    )
  })
  const open = new Set<Socket>()
  server.on('connection', (socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    // Also what takes no answer is not waited for.
    socket.setTimeout(2 * IDLE_LIMIT_MS, () => socket.destroy())
    if (open.size <= MAX_CONNECTIONS) return
    // A request and its answer take a moment: the oldest never asks, or does not read.
    const [oldest] = open
    if (oldest === undefined) return
    open.delete(oldest)
    oldest.destroy()
  })
  await listen(server, host, port)
  const address = server.address() as AddressInfo
  return {
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Reads at most once in a while; who asks meanwhile gets the same. */
function onceAWhile(read: () => Promise<string>): () => Promise<string> {
  let latest: {at: number; text: Promise<string>} | undefined
  return () => {
    const now = performance.now()
    if (latest === undefined || now - latest.at > METRICS_MAX_AGE_MS) latest = {at: now, text: read()}
    return latest.text
  }
}

function answer(response: ServerResponse, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, {'content-type': type, 'content-length': Buffer.byteLength(text)}).end(text)
}

function listen(server: Server, host: string | undefined, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const message = `cannot serve metrics on ${host ?? 'every address'}, port ${port}: set METRICS_HOST and METRICS_PORT to what is free, or METRICS_PORT to 0 for none`
      reject(new EndpointsError('CANNOT_LISTEN', message, {host, port}, {cause}))
    })
    server.listen({port, ...(host === undefined ? {} : {host})}, resolve)
  })
}
