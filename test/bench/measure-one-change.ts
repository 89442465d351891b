import {childObject} from '#shared/model/manifest.ts'
import {counted, requestsBetween, sumRequests} from './agent-requests.ts'
import {awaitCalm} from './await-calm.ts'
import type {BenchStack} from './bench-stack.ts'
import {configMapType} from './bench-types.ts'
import {largeApp} from './fleet.ts'
import {pushApp} from './push-app.ts'
import {type Summary, summarise, summariseByName} from './statistics.ts'
import {watchObjects} from './watch-objects.ts'

export interface OneChangeFigures {
  /** Milliseconds from the start of `git push` until a watch shows the new value. */
  pushToVisible: Summary
  /** Milliseconds from the start of `git push` to each stage. */
  stages: Record<string, Summary>
  agentCpuMs: Summary
  /** The agent's requests to the API server, but for watches and the Lease, until it has come to rest; of the last round. */
  requests: Record<string, number>
  /** Those without the Events, which only tell people of it. */
  requestsWithoutEvents: number
}

/** Changes one ConfigMap of the large app, again and again. */
export async function measureOneChange(
  bench: BenchStack,
  {objects, rounds}: {objects: number; rounds: number},
): Promise<OneChangeFigures> {
  const visible: number[] = []
  const cpu: number[] = []
  const stages: [string, number][][] = []
  let requests: Record<string, number> = {}
  await awaitCalm(bench)
  const watch = await watchObjects(bench.client, configMapType, {namespace: 'large', detail: 'whole'})
  try {
    for (let round = 0; round < rounds; round++) {
      const first = `round-${round}`
      const before = await bench.agent.quietRequests()
      const cpuBefore = await bench.agent.cpuMs()
      const appeared = watch.expect(first, ({object}) => childObject(object, 'data')?.value === first)
      const push = await pushApp(bench, 'large', largeApp(objects, {first}), `One change, round ${round}`)
      visible.push((await appeared) - push.startedAt)
      await push.at('healthy')
      stages.push(push.stages())
      requests = counted(requestsBetween(before, await bench.agent.quietRequests()))
      cpu.push(((await bench.agent.cpuMs()) ?? 0) - (cpuBefore ?? 0))
    }
  } finally {
    await watch.stop()
  }
  return {
    pushToVisible: summarise(visible),
    stages: summariseByName(stages),
    agentCpuMs: summarise(cpu),
    requests,
    requestsWithoutEvents: sumRequests(requests, /^(?!.* events$)/),
  }
}
