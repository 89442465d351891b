import {appType} from '#agent/app-definition.ts'
import {childObject} from '#shared/model/manifest.ts'
import {counted, requestsBetween} from './agent-requests.ts'
import {awaitCalm} from './await-calm.ts'
import type {BenchStack} from './bench-stack.ts'
import {pushCommit} from './push-app.ts'
import {type Summary, summarise} from './statistics.ts'
import {watchObjects} from './watch-objects.ts'

/** One way to a reconcile of the large app in which nothing changed. */
export interface UnchangedFigures {
  /** Milliseconds from the cause until the cluster is told that it was done. */
  wallMs: Summary
  /** CPU milliseconds of the agent from the cause until it has come to rest: report, App object and Event are in it. */
  agentCpuMs: Summary
  /** Its requests to the API server but for watches and the Lease, of the last round. */
  requests: Record<string, number>
  /** How many of them wrote or dry-ran an object of the app. */
  objectRequests: number
}

const ownNamespace = 'drawbridge-system'

/** Reconciles the large app though nothing changed: by pushes that make a new revision, and by the annotation that asks for it. */
export async function measureUnchanged(
  bench: BenchStack,
  rounds: number,
): Promise<{byPush: UnchangedFigures; byAnnotation: UnchangedFigures}> {
  const byPush = await measure(bench, rounds, async (round) => {
    // A comment in the source changes what is read, and nothing of what is applied.
    await bench.workspace.write('large/zz-comment.yaml', `# comment ${round}\n`)
    const push = await pushCommit(bench, 'large', `Comment ${round}`)
    return (await push.at('healthy')) - push.startedAt
  })
  const watch = await watchObjects(bench.client, appType, {namespace: ownNamespace, detail: 'whole'})
  try {
    const byAnnotation = await measure(bench, rounds, async (round) => {
      const requestedAt = `bench-${round}`
      const handled = watch.expect(`request ${round} is handled`, ({object}) => {
        return childObject(object, 'status')?.lastHandledReconcileAt === requestedAt
      })
      const startedAt = Date.now()
      await bench.transport.send({
        method: 'PATCH',
        path: `/apis/${appType.group}/${appType.version}/namespaces/${ownNamespace}/${appType.plural}/large`,
        contentType: 'application/merge-patch+json',
        body: JSON.stringify({metadata: {annotations: {'reconcile.drawbridge.dev/requestedAt': requestedAt}}}),
        what: 'ask for a reconcile',
      })
      return (await handled) - startedAt
    })
    return {byPush, byAnnotation}
  } finally {
    await watch.stop()
  }
}

async function measure(
  bench: BenchStack,
  rounds: number,
  run: (round: number) => Promise<number>,
): Promise<UnchangedFigures> {
  const walls: number[] = []
  const cpu: number[] = []
  let requests: Record<string, number> = {}
  await awaitCalm(bench)
  for (let round = 0; round < rounds; round++) {
    const before = await bench.agent.quietRequests()
    const cpuBefore = await bench.agent.cpuMs()
    walls.push(await run(round))
    requests = counted(requestsBetween(before, await bench.agent.quietRequests()))
    cpu.push(((await bench.agent.cpuMs()) ?? 0) - (cpuBefore ?? 0))
  }
  const objectRequests = Object.entries(requests)
    .filter(([name]) => /^(?!get|list).*(configmaps|deployments)|^dry run/.test(name))
    .reduce((sum, [, count]) => sum + count, 0)
  return {wallMs: summarise(walls), agentCpuMs: summarise(cpu), requests, objectRequests}
}
