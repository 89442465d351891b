import {randomInt} from 'node:crypto'
import {setTimeout as wait} from 'node:timers/promises'
import {stringifyExact} from '#shared/bundle/exact-json.ts'
import {API_VERSION} from '#shared/model/api-version.ts'
import type {StatusHint} from '#shared/model/cluster-report.ts'
import type {ClusterStatus} from '#shared/model/cluster-status.ts'
import {keys} from '#shared/model/keys.ts'
import {appendHistory, selectNewEvents} from './append-history.ts'
import {computeCommitStatuses} from './compute-commit-statuses.ts'
import {emitMetrics} from './emit-metrics.ts'
import type {StatusPorts} from './ports.ts'
import {type ClusterRecord, readCluster} from './read-cluster.ts'
import {keyOf, remember, selectDue, selectSuperseded, setCommitStatuses} from './set-commit-statuses.ts'
import {StatusError} from './status-error.ts'

const MAX_TRIES = 10

/**
 * Brings a cluster's status up to date with its report: appends what is new to the history, stores the status, then shows on the
 * git host how each commit fares. May be stopped at any point and run again. Rejects only where a later try can succeed: the
 * store or the git host is down, or (`StatusError` CONTENTION) others keep writing.
 */
export async function updateStatus(ports: StatusPorts, {cluster, trace}: StatusHint): Promise<void> {
  const disputed = new Set<string>()
  for (let tries = 1; tries <= MAX_TRIES; tries++) {
    const record = await readCluster(ports.store, cluster)
    if (tries === 1) {
      for (const problem of record.problems) {
        const at = ports.clock.now().toISOString()
        ports.journal.record({event: 'refused', at, cluster, ...problem, traceparent: trace.traceparent})
      }
    }
    if ((await tryUpdate(ports, cluster, record, disputed)) === 'done') return
    if (tries < MAX_TRIES) await wait(randomInt(5, 25 * tries))
  }
  throw new StatusError('CONTENTION', `others keep writing the status of cluster ${cluster}`, {cluster})
}

async function tryUpdate(
  ports: StatusPorts,
  cluster: string,
  record: ClusterRecord,
  disputed: Set<string>,
): Promise<'done' | 'conflict'> {
  const taken = await takeReport(ports, cluster, record)
  if (taken === 'conflict') return 'conflict'
  const {status, etag} = taken
  const states = computeCommitStatuses(record.desired, status.report)
  const superseded = selectSuperseded(states, status.commitStatuses)
  const due = selectDue(states, status, disputed)
  if (due.length === 0 && superseded.length === 0) return 'done'

  const {shown, error} = await setCommitStatuses(ports, cluster, [...superseded, ...due])
  const forgotten = superseded.filter((state) => shown.includes(state))
  const known = remember(status, shown, forgotten)
  if (shown.length > 0 && (await writeStatus(ports, {...status, ...known}, etag)) === 'conflict') {
    // Another run may have shown something else meanwhile; whose word came last cannot be known, so it is said again.
    for (const state of shown) disputed.add(keyOf(state))
    return 'conflict'
  }
  if (error !== undefined) throw error
  return 'done'
}

/** Stores the report and the history; a report that was taken before is not written again. */
async function takeReport(
  ports: StatusPorts,
  cluster: string,
  {report, status, statusEtag}: ClusterRecord,
): Promise<{status: ClusterStatus; etag: string | undefined} | 'conflict'> {
  const now = ports.clock.now()
  const before: ClusterStatus = status ?? {
    apiVersion: API_VERSION,
    kind: 'ClusterStatus',
    cluster,
    receivedAt: now.toISOString(),
    lastEventId: '',
    commitStatuses: {},
  }
  if (report === undefined || isTaken(report, status)) return {status: before, etag: statusEtag}

  const events = selectNewEvents(report.events, before.report?.events ?? [], now)
  const added = await appendHistory(ports.store, cluster, events)
  const lastEventId = [before.lastEventId, ...events.map(({id}) => id)].sort().at(-1) ?? ''
  const next: ClusterStatus = {...before, receivedAt: now.toISOString(), lastEventId, report}
  const etag = await writeStatus(ports, next, statusEtag)
  // History entries are created once whoever wins, so their metrics are counted once too.
  emitMetrics(ports.metrics, report, added, now)
  return etag === 'conflict' ? 'conflict' : {status: next, etag: etag.etag}
}

function isTaken(report: NonNullable<ClusterRecord['report']>, status: ClusterStatus | undefined): boolean {
  return status?.report !== undefined && stringifyExact(status.report) === stringifyExact(report)
}

async function writeStatus(
  {store}: StatusPorts,
  status: ClusterStatus,
  etag: string | undefined,
): Promise<{etag: string} | 'conflict'> {
  return await store.swap(keys.status(status.cluster), Buffer.from(stringifyExact(status)), etag)
}
