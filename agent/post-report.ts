import {stringifyExact} from '#shared/bundle/exact-json.ts'
import {API_VERSION} from '#shared/model/api-version.ts'
import type {ClusterReport, StatusHint} from '#shared/model/cluster-report.ts'
import {describeError} from '#shared/model/drawbridge-error.ts'
import {keys} from '#shared/model/keys.ts'
import {limits} from '#shared/model/limits.ts'
import {startTrace} from '#shared/model/trace.ts'
import type {AgentPorts} from './agent-context.ts'
import {fitReport} from './fit-report.ts'

/** Sends the report when something changed, and as a heartbeat when nothing did. */
export interface ReportPoster {
  /** Something changed: it is sent soon, together with what else changes meanwhile. */
  changed(): void
  /** Sends what is not sent yet, and stops. */
  close(): Promise<void>
}

const SETTLE_MS = 20
const LEAST_INTERVAL_MS = 100
/** Ten minutes: at a thousand clusters each heartbeat a minute would cost $400 a month. */
const HEARTBEAT_MS = 600_000
const RETRY_MS = 5_000
/** Whoever reads it wraps it into a document that has the same limit. */
const MAX_BYTES = limits.maxReportBytes - 256 * 1024

/** Creates the poster. `build` makes the report of now; what differs only in its time is not sent before the heartbeat. */
export function createReportPoster(
  ports: Pick<AgentPorts, 'store' | 'statusQueue' | 'log'>,
  build: () => ClusterReport,
): ReportPoster {
  let timer: NodeJS.Timeout | undefined
  let sending: Promise<void> | undefined
  let dirty = false
  let closed = false
  let lastSentAt = Number.NEGATIVE_INFINITY
  let lastContent = ''
  const heartbeat = setInterval(() => {
    lastContent = ''
    changed()
  }, HEARTBEAT_MS)

  function changed(): void {
    dirty = true
    if (closed || timer !== undefined || sending !== undefined) return
    schedule(Math.max(SETTLE_MS, lastSentAt + LEAST_INTERVAL_MS - performance.now()))
  }

  function schedule(delayMs: number): void {
    timer = setTimeout(() => {
      timer = undefined
      sending = send().finally(() => {
        sending = undefined
        if (dirty && !closed && timer === undefined) schedule(LEAST_INTERVAL_MS)
      })
    }, delayMs)
  }

  async function send(): Promise<void> {
    dirty = false
    const built = build()
    const content = stringifyExact({...built, at: ''})
    if (content === lastContent) return
    const report = Buffer.byteLength(content) > MAX_BYTES ? fitReport(built, MAX_BYTES) : built
    try {
      await ports.store.put(keys.report(report.cluster), Buffer.from(stringifyExact(report)))
      lastContent = content
      lastSentAt = performance.now()
    } catch (error) {
      ports.log('warn', `cannot store the report: ${describeError(error)}`)
      if (!closed) {
        dirty = true
        schedule(RETRY_MS)
      }
      return
    }
    const trace = report.events.at(-1)?.trace ?? startTrace()
    const hint: StatusHint = {apiVersion: API_VERSION, kind: 'StatusHint', cluster: report.cluster, trace}
    // A hint only: the heartbeat brings the report in where this one is lost.
    await ports.statusQueue.send(JSON.stringify(hint)).catch((error: unknown) => {
      ports.log('warn', `cannot send the status hint: ${describeError(error)}`)
    })
  }

  return {
    changed,
    async close() {
      closed = true
      clearInterval(heartbeat)
      clearTimeout(timer)
      await sending
      if (dirty || timer !== undefined) await send()
    },
  }
}
