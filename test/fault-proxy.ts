import {createServer, request} from 'node:http'
import type {AddressInfo} from 'node:net'

/** A reverse proxy on loopback that can be told to fail. */
export interface FaultProxy {
  /** `http://127.0.0.1:PORT`, to be used in place of the target's endpoint. */
  readonly endpoint: string
  /** Answers the next `count` requests with `status`, without passing them on. */
  failNext(count: number, status: number): void
  /** Answers every request with `status` until `clear`. */
  failUntilCleared(status: number): void
  clear(): void
  /** How many requests were answered with a fault since the start. */
  readonly faults: () => number
  stop(): Promise<void>
}

/**
 * Starts a proxy to `targetEndpoint`. It passes the Host header on as it came, since AWS signatures cover it.
 */
export async function startFaultProxy(targetEndpoint: string): Promise<FaultProxy> {
  const target = new URL(targetEndpoint)
  let remaining = 0
  let failStatus = 500
  let faults = 0
  const server = createServer((incoming, answer) => {
    if (remaining > 0) {
      remaining--
      faults++
      incoming.resume()
      answer.writeHead(failStatus, {'content-type': 'text/plain'}).end('injected fault')
      return
    }
    const outgoing = request(
      {
        host: target.hostname,
        port: target.port,
        method: incoming.method,
        path: incoming.url,
        headers: incoming.headers,
        setHost: false,
      },
      (response) => {
        answer.writeHead(response.statusCode ?? 502, response.headers)
        response.pipe(answer)
      },
    )
    outgoing.on('error', () => answer.destroy())
    answer.on('close', () => outgoing.destroy())
    incoming.pipe(outgoing)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const {port} = server.address() as AddressInfo
  return {
    endpoint: `http://127.0.0.1:${port}`,
    failNext(count, status) {
      remaining = count
      failStatus = status
    },
    failUntilCleared(status) {
      remaining = Number.POSITIVE_INFINITY
      failStatus = status
    },
    clear() {
      remaining = 0
    },
    faults: () => faults,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
