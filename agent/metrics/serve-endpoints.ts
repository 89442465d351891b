import {createServer, type Server, type ServerResponse} from 'node:http'
import type {AddressInfo} from 'node:net'
import {DrawbridgeError} from '#shared/model/drawbridge-error.ts'
import type {AgentMetrics} from './create-metrics.ts'

/** The endpoints cannot be served where they were asked for. */
export class EndpointsError extends DrawbridgeError<'CANNOT_LISTEN'> {}

export interface Endpoints {
  readonly port: number
  close(): Promise<void>
}

const TIMEOUT_MS = 10_000

/**
 * Serves `/metrics`, `/healthz` (200 while the process answers) and `/readyz` (200 where this agent stands by, or leads and knows its
 * cluster), at every address of the machine where no host is named. Throws `EndpointsError` CANNOT_LISTEN.
 */
export async function serveEndpoints(
  metrics: Pick<AgentMetrics, 'render' | 'contentType' | 'currentPhase'>,
  {host, port}: {host: string | undefined; port: number},
): Promise<Endpoints> {
  const server = createServer({requestTimeout: TIMEOUT_MS, headersTimeout: TIMEOUT_MS}, (request, response) => {
    request.resume()
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(response, 405, 'only GET\n')
    const [path] = (request.url ?? '').split('?')
    if (path === '/healthz') return answer(response, 200, 'ok\n')
    if (path === '/readyz') {
      const phase = metrics.currentPhase()
      return answer(response, phase === 'leading' || phase === 'standby' ? 200 : 503, `${phase}\n`)
    }
    if (path !== '/metrics') return answer(response, 404, 'there are /metrics, /healthz and /readyz\n')
    metrics.render().then(
      (text) => answer(response, 200, text, metrics.contentType),
      () => answer(response, 500, 'the metrics cannot be read\n'),
    )
  })
  server.maxConnections = 64
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
