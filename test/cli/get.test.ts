import assert from 'node:assert/strict'
import {test} from 'node:test'
import {appColumns} from '#cli/get.ts'
import type {AppRow} from '#cli/read-status.ts'

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
