import type {ResourceType} from '#agent/kube/kube-client.ts'
import {waitUntil} from '#infra/local/wait-until.ts'
import type {JsonObject} from '#shared/model/manifest.ts'
import {childObject} from '#shared/model/manifest.ts'
import {type BenchStack, readCpuSeconds, readMemory} from './bench-stack.ts'
import {countRequests, differenceOf} from './count-requests.ts'
import {asFile, configMap, largeApp} from './fleet.ts'
import {summarise} from './statistics.ts'

const TYPES: Record<string, ResourceType> = {
  ConfigMap: {group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true},
  Deployment: {group: 'apps', version: 'v1', kind: 'Deployment', plural: 'deployments', namespaced: true},
}
const NAMESPACES: ResourceType = {group: '', version: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false}
const rawConcurrency = 16

export interface FirstApplyFigures {
  objects: number
  rounds: number
  /** Seconds of plain concurrent server-side-apply PATCHes of the same objects, 16 at once, median of the rounds. */
  rawSeconds: number
  /** Seconds from the agent's `verified` to its `applied`, median. */
  applySeconds: number
  /** Seconds from `git push` to `applied`, median. */
  pushToAppliedSeconds: number
  /** Our objects a second over the raw ones. */
  ratio: number
  requests: Record<string, number>
  requestsPerObject: number
  agentCpuSeconds: number | undefined
  agentMemory: {rss: number; peak: number} | undefined
}

/** Applies 1,000 new objects through the bridge and, on the same server in turn, by plain PATCHes. */
export async function measureFirstApply(bench: BenchStack, rounds: number): Promise<FirstApplyFigures> {
  const raw: number[] = []
  const ours: number[] = []
  const whole: number[] = []
  let requests: Record<string, number> = {}
  let agentCpuSeconds: number | undefined
  const objects = largeApp()
  const resources = new Set(['configmaps', 'deployments'])
  for (let round = 0; round < rounds; round++) {
    await awaitCalm(bench)
    raw.push(await applyRaw(bench, `raw-${round}`))
    await awaitCalm(bench)
    const pid = bench.stack.agents.get('bench')?.processId() ?? 0
    const before = await countRequests(bench.transport, resources)
    const cpuBefore = await readCpuSeconds(pid)
    const {applySeconds, pushSeconds} = await pushLarge(bench, objects, `The large app, round ${round}`)
    const cpuAfter = await readCpuSeconds(pid)
    requests = differenceOf(before, await countRequests(bench.transport, resources))
    agentCpuSeconds = cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore
    ours.push(applySeconds)
    whole.push(pushSeconds)
    if (round < rounds - 1)
      await pushLarge(bench, [configMap('between-rounds', 'x')], `Without the large app, round ${round}`)
  }
  const rawSeconds = summarise(raw).p50
  const applySeconds = summarise(ours).p50
  const writes =
    (requests.APPLY ?? 0) + (requests.PATCH ?? 0) + (requests.POST ?? 0) + (requests.PUT ?? 0) + (requests.GET ?? 0)
  return {
    objects: objects.length,
    rounds,
    rawSeconds,
    applySeconds,
    pushToAppliedSeconds: summarise(whole).p50,
    ratio: rawSeconds / applySeconds,
    requests,
    requestsPerObject: writes / objects.length,
    agentCpuSeconds,
    agentMemory: await readMemory(bench.stack.agents.get('bench')?.processId() ?? 0),
  }
}

async function pushLarge(
  {events, workspace}: BenchStack,
  objects: JsonObject[],
  message: string,
): Promise<{applySeconds: number; pushSeconds: number}> {
  await workspace.write('large/app.yaml', asFile(objects))
  const since = events.mark()
  const start = Date.now()
  const commit = await workspace.push(message)
  const at = async (name: 'verified' | 'applied'): Promise<number> => {
    const event = await events.waitFor(
      `the large app is ${name}`,
      (seen) => seen.event === name && seen.app === 'large' && seen.revision?.endsWith(commit) === true,
      {since, timeoutMilliseconds: 120_000},
    )
    return Date.parse(event.at)
  }
  const [verified, applied] = [await at('verified'), await at('applied')]
  await events.waitFor(
    'the large app is healthy',
    (seen) => seen.event === 'healthy' && seen.app === 'large' && seen.revision?.endsWith(commit) === true,
    {since, timeoutMilliseconds: 120_000},
  )
  return {applySeconds: (applied - verified) / 1000, pushSeconds: (applied - start) / 1000}
}

/** Waits until the controllers have dealt with the last 200 Deployments: their writes would fall into the next measurement. */
async function awaitCalm({transport}: BenchStack): Promise<void> {
  let writes = -1
  const calm = await waitUntil(
    async () => {
      const counts = await countRequests(transport, new Set(['deployments', 'replicasets']))
      const now = [...counts.values()].reduce((sum, count) => sum + count, 0)
      const same = now === writes
      writes = now
      return same || undefined
    },
    {timeoutMilliseconds: 60_000, everyMilliseconds: 1_000},
  )
  if (calm === undefined) throw new Error('the controllers did not come to rest within 60 s')
}

async function applyRaw({client}: BenchStack, namespace: string): Promise<number> {
  await client.apply(
    NAMESPACES,
    {namespace: '', name: namespace},
    JSON.stringify({apiVersion: 'v1', kind: 'Namespace', metadata: {name: namespace}}),
    {fieldManager: 'raw', force: true, detail: 'metadata'},
  )
  const bodies = largeApp(namespace).map((object) => ({
    type: TYPES[String(object.kind)],
    name: String(childObject(object, 'metadata')?.name),
    body: JSON.stringify(object),
  }))
  let next = 0
  const start = performance.now()
  await Promise.all(
    Array.from({length: rawConcurrency}, async () => {
      for (let item = bodies[next++]; item !== undefined; item = bodies[next++]) {
        if (item.type === undefined) throw new Error(`no type for ${item.name}`)
        await client.apply(item.type, {namespace, name: item.name}, item.body, {
          fieldManager: 'raw',
          force: true,
          detail: 'metadata',
        })
      }
    }),
  )
  return (performance.now() - start) / 1000
}
