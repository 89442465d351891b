import {counted, requestsBetween, sumRequests} from './agent-requests.ts'
import {awaitCalm} from './await-calm.ts'
import type {BenchStack} from './bench-stack.ts'
import {largeApp} from './fleet.ts'
import {pushApp} from './push-app.ts'
import {applyRaw, deleteRaw, watchGone} from './raw-requests.ts'
import {type Summary, summarise} from './statistics.ts'

export interface PruneFigures {
  objects: number
  /** Seconds of plain DELETEs, 16 at once, until a watch has seen the last object go. */
  rawSeconds: Summary
  /** Seconds from the start of `git push` until a watch has seen the last object go. */
  pushToGoneSeconds: Summary
  /** 1.5 times the raw median and half a second. */
  aimSeconds: number
  requests: Record<string, number>
  requestsPerObject: number
}

/** Takes half of the large app's objects away by a push and, on the same server in turn, half of as many raw ones by plain DELETEs. */
export async function measurePrune(
  bench: BenchStack,
  {objects, rounds}: {objects: number; rounds: number},
): Promise<PruneFigures> {
  const half = objects / 2
  const raw: number[] = []
  const ours: number[] = []
  let requests: Record<string, number> = {}
  for (let round = 0; round < rounds; round++) {
    const namespace = `prune-${round}`
    await applyRaw(bench, namespace, largeApp(objects, {namespace}))
    await awaitCalm(bench)
    raw.push(await deleteRaw(bench, namespace, largeApp(objects, {namespace}).slice(half)))
    await awaitCalm(bench)
    const gone = await watchGone(bench, 'large', half)
    try {
      const before = await bench.agent.quietRequests()
      const push = await pushApp(bench, 'large', largeApp(half), `Half of it, round ${round}`)
      ours.push(((await gone.at) - push.startedAt) / 1000)
      await push.at('healthy')
      requests = counted(requestsBetween(before, await bench.agent.quietRequests()))
    } finally {
      await gone.stop()
    }
    if (round === rounds - 1) break
    const again = await pushApp(bench, 'large', largeApp(objects), `All of it, round ${round}`)
    await again.at('healthy')
  }
  const rawSeconds = summarise(raw)
  return {
    objects: half,
    rawSeconds,
    pushToGoneSeconds: summarise(ours),
    aimSeconds: 1.5 * rawSeconds.p50 + 0.5,
    requests,
    requestsPerObject: sumRequests(requests) / half,
  }
}
