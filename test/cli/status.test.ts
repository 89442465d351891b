import assert from 'node:assert/strict'
import {test} from 'node:test'
import type {AppRow} from '#cli/read-status.ts'
import {printStatus} from '#cli/status.ts'
import type {Outcome} from '#shared/model/outcome.ts'
import {startTrace} from '#shared/model/trace.ts'
import {createTestIo} from './test-io.ts'

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

const failed: Outcome = {
  apiVersion: 'drawbridge.dev/v1alpha1',
  kind: 'Outcome',
  stage: 'render',
  repository: 'https://git.example/fleet',
  ref: 'refs/heads/main',
  commit: '2'.repeat(40),
  findings: [
    {code: 'YAML_INVALID', app: 'web', file: 'web/a.yaml', line: 3, message: 'not YAML'},
    {code: 'CONFIG_INVALID', message: 'no App'},
  ],
  trace: startTrace(),
}

function print(format: 'table' | 'json' | 'name', warnings = [warning], outcomes: Outcome[] = []) {
  const {io, written} = createTestIo()
  printStatus(io, [row], warnings, format, outcomes)
  return written
}

const printed = (format: 'table' | 'json', warnings = [warning]): string => print(format, warnings).out

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

test('a commit that did not render comes first, with the first reason, then what runs', () => {
  const [headline, second, empty, verdict] = print('table', [], [failed]).out.split('\n')
  assert.equal(
    headline,
    'https://git.example/fleet main@2222222 did not render, so what runs is older: YAML_INVALID app web: web/a.yaml:3: not YAML',
  )
  assert.equal(second, '  CONFIG_INVALID no App')
  assert.equal(empty, '')
  assert.equal(verdict, '1 of 1 apps ready')
})

test('a commit that did not render is an item of the data, with its outcome, and never ready', () => {
  const {out, err} = print('json', [], [failed])
  const [app, commit, ...others] = JSON.parse(out)
  assert.equal(app.name, 'web')
  assert.deepEqual(commit, {...failed, ready: 'False'})
  assert.deepEqual(others, [])
  assert.match(err, /^https:\/\/git\.example\/fleet main@2222222 did not render/)
  assert.equal(print('name', [], [failed]).out, 'dev/web\n')
})
