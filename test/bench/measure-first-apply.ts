import {counted, requestsBetween, sumRequests} from './agent-requests.ts'
import {awaitCalm} from './await-calm.ts'
import type {BenchStack} from './bench-stack.ts'
import {largeApp} from './fleet.ts'
import {emptyApp, pushApp} from './push-app.ts'
import {applyRaw} from './raw-requests.ts'
import {readCpuMs} from './read-process.ts'
import {type Summary, summarise} from './statistics.ts'

export interface FirstApplyFigures {
  objects: number
  /** Seconds of plain concurrent server-side-apply PATCHes of the same objects, 16 at once. */
  rawSeconds: Summary
  /** Seconds from the agent's `verified` to its `applied`. */
  applySeconds: Summary
  pushToAppliedSeconds: Summary
  /** Our time over the raw one, both medians. */
  timesRaw: number
  /** CPU seconds from the push until the agent and the controllers have come to rest. */
  agentCpuSeconds: Summary
  apiServerCpuSeconds: Summary
  /** The API server's for the raw PATCHes, until the controllers have come to rest. */
  apiServerCpuSecondsRaw: Summary
  /** The agent's requests to the API server but for watches and the Lease, of the last round. */
  requests: Record<string, number>
  requestsPerObject: number
}

/** Applies new objects through the bridge and, on the same server in turn, by plain PATCHes. Leaves them applied. */
export async function measureFirstApply(
  bench: BenchStack,
  {objects, rounds}: {objects: number; rounds: number},
): Promise<FirstApplyFigures> {
  const raw: number[] = []
  const ours: number[] = []
  const whole: number[] = []
  const agentCpu: number[] = []
  const serverCpu: number[] = []
  const rawCpu: number[] = []
  let requests: Record<string, number> = {}
  const serverPid = bench.stack.clusters.get('bench')?.processIds()['kube-apiserver'] ?? 0
  for (let round = 0; round < rounds; round++) {
    await awaitCalm(bench)
    const rawBefore = (await readCpuMs(serverPid)) ?? 0
    raw.push(await applyRaw(bench, `raw-${round}`, largeApp(objects, {namespace: `raw-${round}`})))
    await awaitCalm(bench)
    rawCpu.push(((await readCpuMs(serverPid)) ?? 0) - rawBefore)
    const before = await bench.agent.quietRequests()
    const [agentBefore, serverBefore] = [await bench.agent.cpuMs(), await readCpuMs(serverPid)]
    const push = await pushApp(bench, 'large', largeApp(objects), `The large app, round ${round}`)
    const [verified, applied] = [await push.at('verified'), await push.at('applied')]
    await push.at('healthy')
    await awaitCalm(bench)
    requests = requestsBetween(before, await bench.agent.quietRequests())
    agentCpu.push(((await bench.agent.cpuMs()) ?? 0) - (agentBefore ?? 0))
    serverCpu.push(((await readCpuMs(serverPid)) ?? 0) - (serverBefore ?? 0))
    ours.push((applied - verified) / 1000)
    whole.push((applied - push.startedAt) / 1000)
    if (round === rounds - 1) break
    await emptyApp(bench, 'large')
  }
  const [rawSeconds, applySeconds] = [summarise(raw), summarise(ours)]
  return {
    objects,
    rawSeconds,
    applySeconds,
    pushToAppliedSeconds: summarise(whole),
    timesRaw: applySeconds.p50 / rawSeconds.p50,
    agentCpuSeconds: summarise(agentCpu.map((ms) => ms / 1000)),
    apiServerCpuSeconds: summarise(serverCpu.map((ms) => ms / 1000)),
    apiServerCpuSecondsRaw: summarise(rawCpu.map((ms) => ms / 1000)),
    requests: counted(requests),
    requestsPerObject: sumRequests(counted(requests)) / objects,
  }
}
