import assert from 'node:assert/strict'
import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {mkdtemp, readFile, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {createInterface} from 'node:readline'
import {test} from 'node:test'

import {findControlPlane} from '#infra/local/find-control-plane.ts'
import {waitUntil} from '#infra/local/wait-until.ts'

for (const signal of ['SIGTERM', 'SIGINT', 'SIGKILL'] as const) {
  test(`leaves no process behind when its parent gets ${signal}`, async (t) => {
    const tools = await findControlPlane({env: process.env, onProgress: (line) => process.stderr.write(`${line}\n`)})
    const dir = await mkdtemp(join(tmpdir(), 'drawbridge-orphans-'))
    t.after(() => rm(dir, {recursive: true}))
    const script = `
      import {startCluster} from '#infra/local/start-cluster.ts'
      import {startObjectStore} from '#infra/local/start-object-store.ts'
      const tools = ${JSON.stringify(tools)}
      const store = await startObjectStore({tools, stateDir: ${JSON.stringify(join(dir, 's3'))}, bucket: 'test'})
      const cluster = await startCluster({tools, stateDir: ${JSON.stringify(join(dir, 'cluster'))}, name: 'test'})
      console.log(JSON.stringify([store.processId(), ...Object.values(cluster.processIds())]))`
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: join(import.meta.dirname, '../../..'),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    t.after(() => parent.kill('SIGKILL'))
    const [line] = await once(createInterface(parent.stdout), 'line', {signal: AbortSignal.timeout(60_000)})
    const pids = JSON.parse(String(line)) as number[]
    assert.equal(pids.length, 3)
    for (const pid of pids) assert.ok(await isRunning(pid), `process ${pid} runs`)

    parent.kill(signal)
    const allGone = async () => {
      const running = await Promise.all(pids.map(isRunning))
      return running.every((yes) => !yes) || undefined
    }
    assert.ok(await waitUntil(allGone, {timeoutMilliseconds: 10_000}), 'all of its processes ended')
  })
}

// A process that ended but was not yet reaped by whoever adopted it still takes signals, so its state is asked for.
async function isRunning(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return !/^State:\s+[ZX]/m.test(status)
}
