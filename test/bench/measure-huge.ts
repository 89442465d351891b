import type {JsonObject} from '#shared/model/manifest.ts'
import {counted, type RequestCounts, requestsBetween, sumRequests} from './agent-requests.ts'
import {awaitCalm} from './await-calm.ts'
import type {BenchStack} from './bench-stack.ts'
import {configMapType} from './bench-types.ts'
import {largeApp} from './fleet.ts'
import {emptyApp, pushApp} from './push-app.ts'
import {watchGone} from './raw-requests.ts'
import type {Memory} from './read-process.ts'
import {watchObjects} from './watch-objects.ts'

export interface HugeFigures {
  objects: number
  /** Seconds from the start of `git push`. */
  pushToAppliedSeconds: number
  pushToHealthySeconds: number
  applySeconds: number
  applyRequestsPerObject: number
  requests: Record<string, number>
  /** MiB once it has come to rest, and the peak until then. */
  applied: Memory | undefined
  restarted: Memory | undefined
  /** Milliseconds until an object deleted by hand was there again. */
  driftMs: number
  pruned: number
  pushToGoneSeconds: number
  pruneRequestsPerObject: number
  /** MiB at the end. */
  end: Memory | undefined
  /** Watches that began again, from the first push to the last deletion. */
  watchRestarts: number
}

/** Applies very many objects as one app, corrects one, starts the agent anew and prunes half of them. One round. */
export async function measureHuge(bench: BenchStack, objects: number): Promise<HugeFigures> {
  const {agent} = bench
  const half = Math.floor(objects / 2)
  await emptyApp(bench, 'large')
  await awaitCalm(bench)
  await agent.restart()
  const before = await agent.quietRequests()
  const push = await pushApp(bench, 'huge', largeApp(objects), 'The huge app')
  const [verified, appliedAt] = [await push.at('verified'), await push.at('applied')]
  const healthyAt = await push.at('healthy')
  await awaitCalm(bench)
  const after = await agent.quietRequests()
  const requests = requestsBetween(before, after)
  const applied = await agent.memory()
  const driftMs = await deleteByHand(bench)
  const firstWatches = requestsBetween(after, await agent.quietRequests())
  await agent.restart()
  const restarted = await agent.memory()
  const restartedRequests = await agent.quietRequests()
  const gone = await measureGone(bench, half, largeApp(half))
  const end = await agent.quietRequests()
  const pruning = requestsBetween(restartedRequests, end)
  return {
    objects,
    pushToAppliedSeconds: (appliedAt - push.startedAt) / 1000,
    pushToHealthySeconds: (healthyAt - push.startedAt) / 1000,
    applySeconds: (appliedAt - verified) / 1000,
    applyRequestsPerObject: sumRequests(counted(requests)) / objects,
    requests: counted(requests),
    applied,
    restarted,
    driftMs,
    pruned: objects - half,
    pushToGoneSeconds: gone,
    pruneRequestsPerObject: sumRequests(counted(pruning)) / (objects - half),
    end: await agent.memory(),
    watchRestarts: [requests, firstWatches, pruning].reduce((sum, counts) => sum + watchesIn(counts), 0),
  }
}

function watchesIn(counts: RequestCounts): number {
  return sumRequests(counts, /^watch /)
}

async function deleteByHand({client}: BenchStack): Promise<number> {
  const watch = await watchObjects(client, configMapType, {namespace: 'huge'})
  try {
    const name = 'config-5'
    let gone = false
    const back = watch.expect(`${name} is there again`, ({type, object}) => {
      if (object.metadata.name !== name) return false
      gone ||= type === 'deleted'
      return gone && type === 'changed'
    })
    await client.delete(configMapType, {namespace: 'huge', name}, {propagation: 'Background'})
    const answered = Date.now()
    return (await back) - answered
  } finally {
    await watch.stop()
  }
}

async function measureGone(bench: BenchStack, half: number, rest: JsonObject[]): Promise<number> {
  const gone = await watchGone(bench, 'huge', half)
  try {
    const push = await pushApp(bench, 'huge', rest, 'Half of the huge app')
    const last = await gone.at
    await push.at('healthy')
    return (last - push.startedAt) / 1000
  } finally {
    await gone.stop()
  }
}
