import assert from 'node:assert/strict'
import {test} from 'node:test'
import {VerificationError} from '#shared/attest/verification-error.ts'
import {parseDesiredState} from '#shared/attest/verify-desired-state.ts'
import {API_VERSION} from '#shared/model/api-version.ts'
import {clusterReportSchema} from '#shared/model/cluster-report.ts'
import {startTrace} from '#shared/model/trace.ts'

const at = '2026-01-01T00:00:00.000Z'
const digest = `sha256:${'0'.repeat(64)}`
const app = (name: string, sync: object = {}, more: object = {}) => ({
  state: 'present',
  name,
  declaredIn: {repository: 'https://git.example/fleet', ref: 'refs/heads/main'},
  source: {repository: 'https://git.example/fleet', ref: 'refs/heads/main', commit: '1'.repeat(40), path: name},
  revision: 'main@sha1:1',
  inputs: digest,
  bundle: {digest, size: 1, objects: 1},
  createNamespace: false,
  sync: {prune: true, allowEmpty: false, drift: 'heal', timeoutSeconds: 300, deletionPolicy: 'Delete', ...sync},
  trace: startTrace(),
  ...more,
})
const parse = (...apps: object[]) => {
  const state = {apiVersion: API_VERSION, kind: 'DesiredState', cluster: 'dev', version: 1, issuedAt: at, expiresAt: at}
  return parseDesiredState(Buffer.from(JSON.stringify({...state, apps, trace: startTrace()})))
}

const skews: readonly [what: string, app: object, problem: RegExp][] = [
  ['an unknown value of a closed word', app('web', {drift: 'warn'}), /^sync\.drift: /],
  ['an unknown field in sync', app('web', {pauseBefore: 'prune'}), /^sync: .*pauseBefore/],
  [
    'an unknown field below sync',
    app('web', {pruneLimit: {objects: 1, kinds: ['Secret']}}),
    /^sync\.pruneLimit: .*kinds/,
  ],
  ['an unknown field of a dependency', app('web', {}, {dependsOn: [{name: 'a', since: 1}]}), /^dependsOn\.0: .*since/],
  ['an unknown state', app('web', {}, {state: 'paused'}), /^state: /],
]

for (const [what, skewed, problem] of skews) {
  test(`${what} concerns that one app of a desired state, by name`, () => {
    const {apps, unread = []} = parse(app('api'), skewed, app('zoo'))
    assert.deepEqual(
      apps.map(({name}) => name),
      ['api', 'zoo'],
    )
    assert.deepEqual(
      unread.map(({name}) => name),
      ['web'],
    )
    assert.match(unread[0]?.problem ?? '', problem)
  })
}

test('a new field beside sync is no safety, and an app without a name refuses the document', () => {
  assert.equal(parse(app('web', {}, {colour: 'blue'})).unread, undefined)
  assert.throws(() => parse({...app('web', {drift: 'warn'}), name: '../x'}), VerificationError)
})

test('a word that is not known of one app, or of one event, leaves the rest of a report', () => {
  const reported = {
    name: 'web',
    ready: 'True',
    reason: 'ReconciliationSucceeded',
    message: '',
    since: at,
    health: 'Current',
    objects: 1,
    unhealthy: [],
    unhealthyTotal: 0,
    drifted: [],
    driftedTotal: 0,
  }
  const event = {id: `${'1'.repeat(13)}-000001`, at, event: 'healthy', app: 'web'}
  const report = clusterReportSchema.parse({
    apiVersion: API_VERSION,
    kind: 'ClusterReport',
    cluster: 'dev',
    at,
    agent: {version: '9', instance: 'a'},
    desired: {version: 1, state: 'current', since: at},
    apps: [reported, {...reported, name: 'api', health: 'Paused'}],
    events: [event, {...event, event: 'pondered'}],
  })
  assert.deepEqual(
    report.apps.map(({name, ready, reason}) => [name, ready, reason]),
    [
      ['web', 'True', 'ReconciliationSucceeded'],
      ['api', 'Unknown', 'NotUnderstood'],
    ],
  )
  assert.equal(report.events.length, 1)
})
