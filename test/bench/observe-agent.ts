// Preloaded into the agent: counts its requests as they begin, tries over again included, and tells them over a socket of its own.
import diagnostics from 'node:diagnostics_channel'
import {rmSync} from 'node:fs'
import {createServer} from 'node:net'
import {classifyRequest} from './classify-request.ts'

const file = process.env.BENCH_SOCKET
if (file !== undefined) {
  const counts = new Map<string, number>()
  diagnostics.subscribe('http.client.request.start', (message) => {
    const request =
      typeof message === 'object' && message !== null && 'request' in message ? message.request : undefined
    if (typeof request !== 'object' || request === null || !('method' in request) || !('path' in request)) return
    const name = classifyRequest(String(request.method), String(request.path))
    counts.set(name, (counts.get(name) ?? 0) + 1)
  })
  rmSync(file, {force: true})
  createServer((socket) => socket.end(JSON.stringify(Object.fromEntries(counts))))
    .listen(file)
    .unref()
}
