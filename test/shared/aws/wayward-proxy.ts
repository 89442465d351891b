import {createServer, type IncomingMessage, request, type ServerResponse} from 'node:http'
import type {AddressInfo} from 'node:net'

/** How the next request ends: its answer is dropped after it took effect, cut in the middle of its body, or replaced by a status. */
export type Mischief = 'lose-answer' | 'cut-body' | {status: number; body?: string}

export interface WaywardProxy {
  readonly endpoint: string
  /** What to do to the next requests, one each; later ones pass. */
  misbehave(...mischief: Mischief[]): void
  requests(): number
  stop(): Promise<void>
}

/** Starts a reverse proxy on loopback that loses answers as a network does. The Host header passes unchanged, since signatures cover it. */
export async function startWaywardProxy(targetEndpoint: string): Promise<WaywardProxy> {
  const target = new URL(targetEndpoint)
  const planned: Mischief[] = []
  let count = 0
  const pass = (incoming: IncomingMessage, answer: ServerResponse, mischief: Mischief | undefined): void => {
    const {method, url: path, headers} = incoming
    const options = {host: target.hostname, port: target.port, method, path, headers, setHost: false}
    const outgoing = request(options, (response) => {
      if (mischief === 'lose-answer') {
        response.resume().on('end', () => answer.destroy())
        return
      }
      answer.writeHead(response.statusCode ?? 502, response.headers)
      if (mischief !== 'cut-body') {
        response.pipe(answer)
        return
      }
      response.once('data', (chunk: Uint8Array) => {
        answer.write(chunk.subarray(0, Math.floor(chunk.byteLength / 2)), () => answer.destroy())
      })
    })
    outgoing.on('error', () => answer.destroy())
    incoming.pipe(outgoing)
  }
  const server = createServer((incoming, answer) => {
    count += 1
    const mischief = planned.shift()
    if (typeof mischief === 'object') {
      incoming.resume()
      answer.writeHead(mischief.status, {'content-type': 'application/xml'}).end(mischief.body ?? '')
    } else {
      pass(incoming, answer, mischief)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const {port} = server.address() as AddressInfo
  return {
    endpoint: `http://127.0.0.1:${port}`,
    misbehave: (...mischief) => {
      planned.push(...mischief)
    },
    requests: () => count,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
