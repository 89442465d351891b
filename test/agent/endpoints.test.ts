import assert from 'node:assert/strict'
import {once} from 'node:events'
import {get} from 'node:http'
import {connect, type Socket} from 'node:net'
import {type TestContext, test} from 'node:test'
import {createMetrics} from '#agent/metrics/create-metrics.ts'
import {serveEndpoints} from '#agent/metrics/serve-endpoints.ts'
import {systemClock} from '#shared/ports/clock.ts'

/** What a kubelet waits for, by the Deployment's probes. */
const PROBE_LIMIT_MS = 2_000

async function serve(t: TestContext) {
  let rendered = 0
  const real = createMetrics({version: '0.0.1', cluster: 'dev', clock: systemClock})
  const render = () => {
    rendered++
    return real.render()
  }
  const metrics = {render, contentType: real.contentType, currentPhase: real.currentPhase}
  const endpoints = await serveEndpoints(metrics, {host: '127.0.0.1', port: 0})
  const sockets: Socket[] = []
  t.after(async () => {
    for (const socket of sockets) socket.destroy()
    await endpoints.close()
  })
  const open = async (text: string): Promise<Socket> => {
    const socket = connect(endpoints.port, '127.0.0.1')
    socket.on('error', () => undefined)
    sockets.push(socket)
    await once(socket, 'connect')
    socket.write(text)
    return socket
  }
  const ask = async (path: string): Promise<number | undefined> => {
    const request = get({port: endpoints.port, host: '127.0.0.1', path, agent: false, timeout: PROBE_LIMIT_MS})
    request.on('timeout', () => request.destroy(new Error(`${path} is not answered in time`)))
    const [response] = await once(request, 'response')
    response.resume()
    return response.statusCode
  }
  return {open, ask, rendered: () => rendered}
}

for (const [what, text] of [
  ['say nothing', ''],
  ['never end their headers', 'GET /metrics HTTP/1.1\r\nhost: a\r\nx: '],
  ['never end their body', 'POST /metrics HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\nx'],
  ['do not read what they are answered', 'GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n'.repeat(50)],
] as const) {
  test(`a probe is answered in time beside 600 connections that ${what}`, async (t) => {
    const {open, ask} = await serve(t)
    for (let index = 0; index < 600; index += 50) {
      const some = await Promise.all(Array.from({length: 50}, () => open(text)))
      for (const socket of some) socket.pause()
    }
    assert.equal(await ask('/healthz'), 200)
    assert.equal(await ask('/readyz'), 503)
  })
}

test('a connection that asks for nothing is closed', async (t) => {
  const {open} = await serve(t)
  const socket = await open('GET /healthz HTTP/1.1\r\nhost: ')
  socket.resume()
  await once(socket, 'close')
})

test('metrics that many ask for at once are made once', async (t) => {
  const {ask, rendered} = await serve(t)
  const answers = await Promise.all(Array.from({length: 50}, () => ask('/metrics')))
  assert.deepEqual([...new Set(answers)], [200])
  assert.ok(rendered() < 5, `${rendered()} times`)
})
