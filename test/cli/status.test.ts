import assert from 'node:assert/strict'
import {test} from 'node:test'
import type {CliIo} from '#cli/io.ts'
import type {AppRow} from '#cli/read-status.ts'
import {printStatus} from '#cli/status.ts'

const row: AppRow = {
  cluster: 'dev',
  app: {
    name: 'web',
    revision: `main@sha1:${'1'.repeat(40)}`,
    attemptedRevision: `main@sha1:${'1'.repeat(40)}`,
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
  },
}
const warning = {
  code: 'NOT_REPRODUCIBLE',
  app: 'web',
  cluster: 'dev',
  file: 'web/a.yaml',
  message: 'Each render differs',
}

function printed(format: 'table' | 'json', warnings = [warning]): string {
  let text = ''
  const io: CliIo = {
    out: (part) => {
      text += part
    },
    err: () => undefined,
    env: {},
    cwd: '/',
    signal: new AbortController().signal,
    color: false,
  }
  printStatus(io, [row], warnings, format)
  return text
}

test('warnings stand below the table, each in one line', () => {
  assert.match(
    printed('table'),
    /\n\nwarnings\n {2}dev: NOT_REPRODUCIBLE app web: web\/a\.yaml: Each render differs\n$/,
  )
  assert.ok(!printed('table', []).includes('warnings'))
})

test('warnings are with their app as data', () => {
  assert.deepEqual(JSON.parse(printed('json'))[0].warnings, [warning])
  const elsewhere = {...warning, cluster: 'prod'}
  assert.equal(JSON.parse(printed('json', [elsewhere]))[0].warnings, undefined)
})
