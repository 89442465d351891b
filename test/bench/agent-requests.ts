import {connect} from 'node:net'
import {text} from 'node:stream/consumers'
import * as z from 'zod'
import {waitUntil} from '#infra/local/wait-until.ts'

/** How many requests of each name (see `classifyRequest`) were made. */
export type RequestCounts = Readonly<Record<string, number>>

const countsSchema = z.record(z.string(), z.number())
const QUIET_MS = 1_600
const QUIET_LIMIT_MS = 60_000

/** Asks the running agent how many requests it has made since it started. */
export async function readRequests(socketFile: string): Promise<RequestCounts> {
  return countsSchema.parse(JSON.parse(await text(connect(socketFile))))
}

/** Waits until an agent has made no request for longer than it puts any off, and returns the counts of then. */
export async function awaitQuiet(socketFile: string): Promise<RequestCounts> {
  let last = ''
  let since = performance.now()
  const quiet = await waitUntil(
    async () => {
      const counts = await readRequests(socketFile)
      const now = JSON.stringify(counted(counts))
      if (now !== last) since = performance.now()
      last = now
      return performance.now() - since > QUIET_MS ? counts : undefined
    },
    {timeoutMilliseconds: QUIET_LIMIT_MS, everyMilliseconds: 200},
  )
  if (quiet === undefined) throw new Error(`the agent did not come to rest within ${QUIET_LIMIT_MS / 1000} s`)
  return quiet
}

/** What came on top between two counts. */
export function requestsBetween(before: RequestCounts, after: RequestCounts): Record<string, number> {
  const entries = Object.entries(after).map(([name, count]) => [name, count - (before[name] ?? 0)] as const)
  return Object.fromEntries(entries.filter(([, count]) => count !== 0).sort(([, a], [, b]) => b - a))
}

/** The requests to the API server that an apply is the cause of: not the Lease's, which go on all the time, and not the watches. */
export function counted(counts: RequestCounts): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([name]) => !/^(s3|sqs|watch) | leases$/.test(name)))
}

/** The sum of requests whose names match. */
export function sumRequests(counts: RequestCounts, matching = /./): number {
  return Object.entries(counts).reduce((sum, [name, count]) => sum + (matching.test(name) ? count : 0), 0)
}
