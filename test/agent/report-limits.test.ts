import assert from 'node:assert/strict'
import {test} from 'node:test'
import {fitReport} from '#agent/fit-report.ts'
import {createReportPoster} from '#agent/post-report.ts'
import {datedUntil, nextEventId} from '#agent/tell-event.ts'
import {
  type AppReport,
  type ClusterReport,
  clusterReportSchema,
  type ReportEvent,
} from '#shared/model/cluster-report.ts'
import {keys} from '#shared/model/keys.ts'
import {limits} from '#shared/model/limits.ts'
import {createMemoryObjectStore} from '../fakes/memory-object-store.ts'
import {createMemoryQueue} from '../fakes/memory-queue.ts'

const at = '2026-01-01T00:00:00.000Z'
const ref = (name: string) => ({group: '', kind: 'ConfigMap', namespace: 'web', name})
const eventAt = (ms: number, message = ''): ReportEvent => ({
  id: nextEventId(undefined, new Date(ms)),
  at,
  event: 'drifted',
  message,
})

function appOf(name: string, valueLength: number): AppReport {
  const value = 'v'.repeat(valueLength)
  const fields = Array.from({length: 10}, (_, index) => ({
    path: `/data/${index}`,
    difference: 'changed' as const,
    from: value,
    to: value,
  }))
  const drifted = Array.from({length: 20}, (_, index) => ({ref: ref(`c${index}`), what: '/data/0', since: at, fields}))
  const unhealthy = [{ref: ref('x'), health: 'Failed' as const, reason: 'it crashes'}]
  const counts = {objects: 900, unhealthyTotal: 700, driftedTotal: 800}
  const condition = {ready: 'False' as const, reason: 'HealthCheckFailed', message: '', since: at}
  return {name, ...condition, health: 'Failed', drifted, unhealthy, ...counts}
}

function reportOf(apps: number, valueLength: number, events: ReportEvent[] = []): ClusterReport {
  return {
    apiVersion: 'drawbridge.dev/v1alpha1',
    kind: 'ClusterReport',
    cluster: 'dev',
    at,
    agent: {version: '1', instance: 'a'},
    desired: {version: 1, state: 'current', since: at},
    apps: Array.from({length: apps}, (_, index) => appOf(`app-${index}`, valueLength)),
    events,
  }
}
const sizeOf = (report: ClusterReport) => Buffer.byteLength(JSON.stringify(report))

test('leaves a report that fits as it is', () => {
  const report = reportOf(3, 10)
  assert.equal(fitReport(report, sizeOf(report)), report)
})

test('leaves out values first, then objects, then old events, and never how many there are', () => {
  const report = reportOf(5, 100, [eventAt(1_000), eventAt(2_000), eventAt(3_000), eventAt(4_000)])
  const withoutValues = fitReport(report, sizeOf(report) - 1)
  assert.deepEqual(
    withoutValues.apps.map(({drifted}) => drifted.map((drift) => [drift.ref.name, 'fields' in drift])),
    report.apps.map(({drifted}) => drifted.map((drift) => [drift.ref.name, false])),
  )
  const withoutObjects = fitReport(report, sizeOf(withoutValues) - 1)
  const withoutEvents = fitReport(report, sizeOf(withoutObjects) - 1)
  assert.deepEqual(withoutObjects.events, report.events)
  assert.deepEqual(withoutEvents.events, report.events.slice(2))
  for (const fitted of [withoutValues, withoutObjects, withoutEvents]) {
    clusterReportSchema.parse(fitted)
    assert.deepEqual(
      fitted.apps.map(({unhealthyTotal, driftedTotal, objects}) => [unhealthyTotal, driftedTotal, objects]),
      report.apps.map(() => [700, 800, 900]),
    )
  }
  assert.deepEqual(withoutObjects.apps[0]?.drifted, [])
})

test('an incident of very many long values is still stored as a report that can be read', async () => {
  const report = reportOf(80, 1_000)
  assert.ok(sizeOf(report) > limits.maxReportBytes)
  const store = createMemoryObjectStore()
  const poster = createReportPoster({store, statusQueue: createMemoryQueue(), log: () => undefined}, () => report)
  poster.changed()
  await poster.close()
  const stored = store.objects.get(keys.report('dev'))?.bytes ?? new Uint8Array()
  assert.ok(stored.length > 0 && stored.length < limits.maxReportBytes)
  assert.equal(clusterReportSchema.parse(JSON.parse(Buffer.from(stored).toString('utf8'))).apps[79]?.driftedTotal, 800)
})

test('goes on with the ids of a former report, but not with those of times to come', () => {
  const now = new Date(at)
  const past = [eventAt(now.getTime() - 1_000), eventAt(now.getTime() + 60_000)]
  const kept = datedUntil(now, [...past, {...eventAt(0), id: '9999999999999-999999'}])
  assert.deepEqual(kept, past)
  const next = nextEventId(kept.at(-1)?.id, now)
  assert.ok(next > (kept.at(-1)?.id ?? ''))
  assert.match(next, /^\d{13}-\d{6}$/)
})
