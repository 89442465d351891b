import {type BenchStack, readCpuSeconds, readMemory} from './bench-stack.ts'
import {countRequests, differenceOf} from './count-requests.ts'

export interface IdleFigures {
  /** Requests for the apps' objects while one app changed and the 1,000 objects of the other did not, without watches. */
  requestsForUnchanged: Record<string, number>
  agentMemory: {rss: number; peak: number} | undefined
  agentCpuSeconds: number | undefined
}

/** Publishes a new desired state in which nothing of the large app changed, and counts what the API server is asked. */
export async function measureIdle({workspace, events, transport, stack}: BenchStack): Promise<IdleFigures> {
  const pid = stack.agents.get('bench')?.processId() ?? 0
  const resources = new Set(['deployments', 'configmaps'])
  const before = await countRequests(transport, resources)
  const cpuBefore = await readCpuSeconds(pid)
  const since = events.mark()
  // A comment in the source changes what is read, and nothing of what is applied.
  await workspace.write('large/zz-comment.yaml', '# nothing but a comment\n')
  const commit = await workspace.push('A comment')
  await events.waitFor(
    'the large app is healthy again',
    (seen) => seen.event === 'healthy' && seen.app === 'large' && seen.revision?.endsWith(commit) === true,
    {since, timeoutMilliseconds: 60_000},
  )
  const cpuAfter = await readCpuSeconds(pid)
  return {
    requestsForUnchanged: differenceOf(before, await countRequests(transport, resources)),
    agentMemory: await readMemory(pid),
    agentCpuSeconds: cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore,
  }
}
