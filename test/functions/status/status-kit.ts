import assert from 'node:assert/strict'
import {createStatusHandler} from '#functions/status/create-handler.ts'
import type {StatusPorts} from '#functions/status/ports.ts'
import {signEnvelope} from '#shared/attest/envelope.ts'
import {PAYLOAD_TYPES} from '#shared/attest/payload-types.ts'
import {stringifyExact} from '#shared/bundle/exact-json.ts'
import {API_VERSION} from '#shared/model/api-version.ts'
import type {AppReport, ClusterReport, ReportEvent} from '#shared/model/cluster-report.ts'
import {type ClusterStatus, clusterStatusSchema, historyEntrySchema} from '#shared/model/cluster-status.ts'
import type {DesiredState, PresentApp} from '#shared/model/desired-state.ts'
import {digestOf} from '#shared/model/digest.ts'
import type {JournalEvent} from '#shared/model/journal-event.ts'
import {keys} from '#shared/model/keys.ts'
import {startTrace} from '#shared/model/trace.ts'
import type {CommitStatus} from '#shared/ports/commit-statuses.ts'
import {createMemoryObjectStore} from '#test/fakes/memory-object-store.ts'
import {createMemoryQueue} from '#test/fakes/memory-queue.ts'
import {createMemorySigner} from '#test/fakes/memory-signer.ts'

export const REPOSITORY = 'https://git.example/fleet'
export const COMMIT_1 = '1'.repeat(40)
export const COMMIT_2 = '2'.repeat(40)
export const OUTCOME_QUEUE_ARN = 'arn:aws:sqs:us-east-1:1:outcome'
const AT = '2026-01-01T00:00:00.000Z'

export type StatusKit = ReturnType<typeof createStatusKit>

/** A status function over ports in memory, and what tests ask of it. */
export function createStatusKit({cluster = 'dev'}: {cluster?: string} = {}) {
  const store = createMemoryObjectStore()
  const signer = createMemorySigner()
  const deadLetters = createMemoryQueue()
  const events: JournalEvent[] = []
  const metrics: string[] = []
  const shown: CommitStatus[] = []
  const ports: StatusPorts = {
    store,
    commitStatuses: {
      setCommitStatus: async (status) => {
        shown.push(status)
      },
    },
    metrics: (line) => metrics.push(line),
    deadLetters,
    clock: {now: () => new Date('2026-01-01T00:01:00.000Z')},
    journal: {record: (event) => events.push(event)},
  }
  const deliver = async (
    body: unknown,
    {over = {}, queueArn = 'arn:aws:sqs:us-east-1:1:status'}: {over?: Partial<StatusPorts>; queueArn?: string} = {},
  ): Promise<'done' | 'again'> => {
    const handler = createStatusHandler({...ports, ...over}, {outcomeQueueArn: OUTCOME_QUEUE_ARN})
    const record = {messageId: 'm', body: JSON.stringify(body), eventSourceARN: queueArn, attributes: {}}
    const {batchItemFailures} = await handler({Records: [record]})
    return batchItemFailures.length === 0 ? 'done' : 'again'
  }
  const status = (): ClusterStatus => {
    const stored = store.objects.get(keys.status(cluster))
    assert.ok(stored !== undefined, 'there is no status')
    return clusterStatusSchema.parse(JSON.parse(Buffer.from(stored.bytes).toString()))
  }
  return {
    cluster,
    store,
    ports,
    deadLetters,
    events,
    metrics,
    shown,
    deliver,
    status,
    hint: () => ({apiVersion: API_VERSION, kind: 'StatusHint', cluster, trace: startTrace()}),
    want: async (...apps: PresentApp[]) => {
      const desired: DesiredState = {
        apiVersion: API_VERSION,
        kind: 'DesiredState',
        cluster,
        version: 1,
        issuedAt: AT,
        expiresAt: '2027-01-01T00:00:00.000Z',
        apps,
        trace: startTrace(),
      }
      const payload = Buffer.from(JSON.stringify(desired))
      await store.put(keys.desired(cluster), await signEnvelope(signer, PAYLOAD_TYPES.desiredState, payload))
    },
    report: async (apps: AppReport[], more: Partial<ClusterReport> = {}) => {
      const report: ClusterReport = {
        apiVersion: API_VERSION,
        kind: 'ClusterReport',
        cluster,
        at: AT,
        agent: {version: '1', instance: 'a'},
        desired: {version: 1, state: 'current', since: AT},
        apps,
        events: [],
        ...more,
      }
      await store.put(keys.report(cluster), Buffer.from(stringifyExact(report)))
    },
    history: async () => {
      const found = await store.list('history/')
      return found.map((key) => {
        const bytes = store.objects.get(key)?.bytes ?? new Uint8Array()
        return historyEntrySchema.parse(JSON.parse(Buffer.from(bytes).toString()))
      })
    },
    /** `context repository-less summary` of all that was shown, in order. */
    summaries: () => shown.map(({context, commit, state}) => `${context} ${commit.slice(0, 1)} ${state}`),
  }
}

export function wantedApp(name: string, commit = COMMIT_1): PresentApp {
  return {
    state: 'present',
    name,
    declaredIn: {repository: REPOSITORY, ref: 'refs/heads/main'},
    source: {repository: REPOSITORY, ref: 'refs/heads/main', commit, path: name},
    revision: `main@sha1:${commit}`,
    inputs: digestOf(name),
    bundle: {digest: digestOf(`${name} ${commit}`), size: 1, objects: 1},
    createNamespace: false,
    sync: {prune: true, allowEmpty: false, drift: 'heal', timeoutSeconds: 300, deletionPolicy: 'Delete'},
    trace: startTrace(),
  }
}

export function reportedApp(wanted: PresentApp, more: Partial<AppReport> = {}): AppReport {
  return {
    name: wanted.name,
    revision: wanted.revision,
    attemptedRevision: wanted.revision,
    bundle: wanted.bundle.digest,
    ready: 'True',
    reason: 'ReconciliationSucceeded',
    message: 'all objects are Current',
    since: AT,
    health: 'Current',
    objects: 1,
    unhealthy: [],
    unhealthyTotal: 0,
    drifted: [],
    driftedTotal: 0,
    ...more,
  }
}

export function reportEvent(
  counter: number,
  event: ReportEvent['event'],
  more: Partial<ReportEvent> = {},
): ReportEvent {
  const millisecond = Date.parse(AT) + counter
  return {
    id: `${millisecond}-${String(counter).padStart(6, '0')}`,
    at: new Date(millisecond).toISOString(),
    event,
    app: 'web',
    ...more,
  }
}
