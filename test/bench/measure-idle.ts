import {setTimeout as sleep} from 'node:timers/promises'
import {requestsBetween} from './agent-requests.ts'
import type {BenchStack} from './bench-stack.ts'

/** What the agent does in a minute in which nothing happens: Lease, long polls, one report as a sign of life. */
export interface IdleFigures {
  seconds: number
  cpuMsPerMinute: number
  /** All of its requests in that time. */
  requests: Record<string, number>
}

/** Lets the agent be for a while. */
export async function measureIdle({agent}: BenchStack, seconds: number): Promise<IdleFigures> {
  const before = await agent.quietRequests()
  const cpuBefore = (await agent.cpuMs()) ?? 0
  await sleep(seconds * 1_000)
  const cpuMs = ((await agent.cpuMs()) ?? 0) - cpuBefore
  return {
    seconds,
    cpuMsPerMinute: (cpuMs * 60) / seconds,
    requests: requestsBetween(before, await agent.requests()),
  }
}
