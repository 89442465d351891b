import assert from 'node:assert/strict'
import {test} from 'node:test'
import {appColumns, showApps} from '#cli/get.ts'
import type {AppRow} from '#cli/read-status.ts'
import type {ClusterStatus} from '#shared/model/cluster-status.ts'
import {createTestIo} from './test-io.ts'

const revision = (digit: string) => `main@sha1:${digit.repeat(40)}`
const row = (app: Partial<AppRow['app']>): AppRow => ({
  cluster: 'dev',
  app: {
    name: 'web',
    revision: revision('1'),
    attemptedRevision: revision('1'),
    ready: 'True',
    reason: 'ReconciliationSucceeded',
    message: 'Applied',
    since: '2026-01-01T00:00:00.000Z',
    health: 'Current',
    objects: 1,
    unhealthy: [],
    unhealthyTotal: 0,
    drifted: [],
    driftedTotal: 0,
    ...app,
  },
})
const cellsOf = (rows: AppRow[]) =>
  rows.map((each) => Object.fromEntries(appColumns(rows).map(({title, value}) => [title, value(each)])))

test('shows which apps are suspended, and what waits for them, and no such column where none is', () => {
  const [web, api] = cellsOf([row({suspended: true, attemptedRevision: revision('2')}), row({name: 'api'})])
  assert.equal(web?.SUSPENDED, 'True')
  assert.equal(web?.REVISION, 'main@1111111')
  assert.equal(web?.MESSAGE, 'suspended; main@2222222 is waiting')
  assert.equal(api?.SUSPENDED, '')
  assert.equal(api?.MESSAGE, 'Applied')
  assert.equal(cellsOf([row({suspended: true})])[0]?.MESSAGE, 'Applied')
  assert.ok(!('SUSPENDED' in (cellsOf([row({})])[0] ?? {})))
})

const statusOf = (cluster: string, names: string[]): ClusterStatus => ({
  apiVersion: 'drawbridge.dev/v1alpha1',
  kind: 'ClusterStatus',
  cluster,
  receivedAt: '2026-01-01T00:00:00.000Z',
  lastEventId: '',
  commitStatuses: {},
  report: {
    apiVersion: 'drawbridge.dev/v1alpha1',
    kind: 'ClusterReport',
    cluster,
    at: '2026-01-01T00:00:00.000Z',
    agent: {version: '1', instance: 'a'},
    desired: {version: 1, state: 'current', since: '2026-01-01T00:00:00.000Z'},
    apps: names.map((name) => row({name}).app),
    events: [],
  },
})
const statuses = [statusOf('dev', ['web', 'api']), statusOf('prod', ['web'])]

test('says of an app that there is none of that name, and which there are, with exit status 1', () => {
  for (const [options, words] of [
    [{}, 'there is no app nope in this bridge; known are web, api\n'],
    [{cluster: 'prod'}, 'there is no app nope in cluster prod in this bridge; known are web\n'],
    [{cluster: 'nowhere'}, 'there is no cluster nowhere in this bridge; known are dev, prod\n'],
  ] as const) {
    const {io, written} = createTestIo()
    assert.equal(showApps(io, statuses, 'nope', {output: 'table', header: true, ...options}), 1)
    assert.deepEqual(written, {out: '', err: words})
  }
  const {io, written} = createTestIo()
  assert.equal(showApps(io, statuses, 'nope', {output: 'json', header: true}), 1)
  assert.equal(written.out, '[]\n')
})

test('lists the apps of a name in every cluster', () => {
  const {io, written} = createTestIo()
  assert.equal(showApps(io, statuses, 'web', {output: 'name', header: true}), 0)
  assert.equal(written.out, 'dev/web\nprod/web\n')
})
