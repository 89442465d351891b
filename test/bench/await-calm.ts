import {waitUntil} from '#infra/local/wait-until.ts'
import type {BenchStack} from './bench-stack.ts'

const LIMIT_MS = 300_000

/** Waits until the cluster's controllers have dealt with the last Deployments: their writes would fall into the next measurement. */
export async function awaitCalm({transport}: Pick<BenchStack, 'transport'>): Promise<void> {
  let writes = -1
  const calm = await waitUntil(
    async () => {
      const now = await countControllerRequests(transport)
      const same = now === writes
      writes = now
      return same || undefined
    },
    {timeoutMilliseconds: LIMIT_MS, everyMilliseconds: 1_000},
  )
  if (calm === undefined) throw new Error(`the controllers did not come to rest within ${LIMIT_MS / 1000} s`)
}

async function countControllerRequests(transport: BenchStack['transport']): Promise<number> {
  const {body} = await transport.send({method: 'GET', path: '/metrics', what: 'read the metrics of the API server'})
  let sum = 0
  for (const [, labels = '', value = ''] of body.matchAll(/^apiserver_request_total\{([^}]*)\} (\S+)$/gm))
    if (/(?:^|,)resource="(?:deployments|replicasets|configmaps)"/.test(labels)) sum += Number(value)
  return sum
}
