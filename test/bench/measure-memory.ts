import type {BenchStack} from './bench-stack.ts'
import {largeApp} from './fleet.ts'
import {emptyApp, pushApp} from './push-app.ts'
import type {Memory} from './read-process.ts'
import {type Summary, summarise} from './statistics.ts'

/** MiB of one state of the agent. */
export interface MemorySummary {
  rss: Summary
  peak: Summary
}

export interface MemoryFigures {
  objects: number
  /** Freshly started, with 12 objects in all. */
  empty: MemorySummary
  /** The same process, after it has applied the large app and come to rest. */
  applied: MemorySummary
  /** Freshly started, with the large app there already. */
  restarted: MemorySummary
  /** KiB more for each object, between the first two and between the first and the last. */
  kibPerObject: {applied: number; restarted: number}
}

/** Starts the agent anew in each round, and measures it with nothing, with the large app applied, and started with it. */
export async function measureMemory(
  bench: BenchStack,
  {objects, rounds}: {objects: number; rounds: number},
): Promise<MemoryFigures> {
  const empty: Memory[] = []
  const applied: Memory[] = []
  const restarted: Memory[] = []
  for (let round = 0; round < rounds; round++) {
    await emptyApp(bench, 'large')
    await bench.agent.restart()
    await take(bench, empty)
    await (await pushApp(bench, 'large', largeApp(objects), `For memory, round ${round}`)).at('healthy')
    await take(bench, applied)
    await bench.agent.restart()
    await take(bench, restarted)
  }
  const [none, all, anew] = [summary(empty), summary(applied), summary(restarted)]
  const more = (than: MemorySummary): number => ((than.rss.p50 - none.rss.p50) * 1024) / objects
  return {
    objects,
    empty: none,
    applied: all,
    restarted: anew,
    kibPerObject: {applied: more(all), restarted: more(anew)},
  }
}

async function take({agent}: BenchStack, into: Memory[]): Promise<void> {
  await agent.quietRequests()
  into.push((await agent.memory()) ?? {rss: Number.NaN, peak: Number.NaN})
}

function summary(samples: readonly Memory[]): MemorySummary {
  return {rss: summarise(samples.map(({rss}) => rss)), peak: summarise(samples.map(({peak}) => peak))}
}
