import assert from 'node:assert/strict'
import {test} from 'node:test'
import type {PresentApp} from '#shared/model/desired-state.ts'
import {keys} from '#shared/model/keys.ts'
import {startTrace} from '#shared/model/trace.ts'
import {CommitStatusError} from '#shared/ports/commit-status-error.ts'
import type {CommitStatus} from '#shared/ports/commit-statuses.ts'
import {COMMIT_1, COMMIT_2, createStatusKit, REPOSITORY, reportEvent, reportedApp, wantedApp} from './status-kit.ts'

test('shows a commit as pending before the cluster reports, and as success once all its apps are healthy', async () => {
  const kit = createStatusKit()
  const [web, api] = [wantedApp('web'), wantedApp('api')]
  await kit.want(web, api)
  assert.equal(await kit.deliver(kit.hint()), 'done')
  await kit.report([reportedApp(web)])
  await kit.deliver(kit.hint())
  await kit.report([reportedApp(web), reportedApp(api)])
  await kit.deliver(kit.hint())
  assert.deepEqual(kit.summaries(), ['drawbridge/dev 1 pending', 'drawbridge/dev 1 success'])
  assert.equal(kit.shown.at(-1)?.description, '2 apps healthy')
  assert.deepEqual(kit.status().commitStatuses, {[`${REPOSITORY} ${COMMIT_1}`]: 'success'})
})

test('shows a failure with the app and its reason', async () => {
  const kit = createStatusKit()
  const web = wantedApp('web')
  await kit.want(web, wantedApp('api'))
  const message = 'Deployment web/web: 0 of 1 replicas available'
  await kit.report([reportedApp(web, {ready: 'False', reason: 'HealthCheckFailed', message, health: 'Failed'})])
  await kit.deliver(kit.hint())
  assert.deepEqual(kit.summaries(), ['drawbridge/dev 1 failure'])
  assert.equal(kit.shown[0]?.description, `web: ${message}`)
})

test('names every failing app, the newest cause first and in place of an older one, once', async () => {
  const kit = createStatusKit()
  const [web, api] = [wantedApp('web'), wantedApp('api')]
  await kit.want(web, api)
  const failed = (app: PresentApp, message: string, since: string) =>
    reportedApp(app, {ready: 'False', message, since: `2026-01-01T00:00:${since}Z`})
  await kit.report([failed(web, 'no such image', '01'), reportedApp(api)])
  await kit.deliver(kit.hint())
  await kit.report([failed(web, 'no such image', '01'), failed(api, 'forbidden', '02')])
  await kit.deliver(kit.hint())
  await kit.deliver(kit.hint())
  await kit.report([failed(web, 'quota exceeded', '03'), failed(api, 'forbidden', '02')])
  await kit.deliver(kit.hint())
  assert.deepEqual(
    kit.shown.map(({description}) => description),
    ['web: no such image', 'api: forbidden; also failing (1): web', 'web: quota exceeded; also failing (1): api'],
  )
})

test('says of a commit that waits for a suspended app that it does', async () => {
  const kit = createStatusKit()
  const web = wantedApp('web', COMMIT_2)
  await kit.want(web)
  const {revision} = wantedApp('web', COMMIT_1)
  await kit.report([reportedApp(web, {revision, suspended: true})])
  await kit.deliver(kit.hint())
  assert.deepEqual(kit.summaries(), ['drawbridge/dev 2 pending'])
  assert.match(kit.shown[0]?.description ?? '', /web is suspended in dev/)
})

test('does not take health at another revision, or of another bundle, for success', async () => {
  const kit = createStatusKit()
  const web = wantedApp('web', COMMIT_2)
  await kit.want(web)
  await kit.report([reportedApp(wantedApp('web', COMMIT_1))])
  await kit.deliver(kit.hint())
  await kit.report([reportedApp(web, {bundle: wantedApp('web', COMMIT_1).bundle.digest})])
  await kit.deliver(kit.hint())
  await kit.report([reportedApp(web, {revision: wantedApp('web', COMMIT_1).revision})])
  await kit.deliver(kit.hint())
  assert.deepEqual(kit.summaries(), ['drawbridge/dev 2 pending'])
})

test('tells apart the commits that the apps of one cluster come from', async () => {
  const kit = createStatusKit()
  const [web, api] = [wantedApp('web', COMMIT_1), wantedApp('api', COMMIT_2)]
  await kit.want(api, web)
  await kit.report([
    reportedApp(web),
    reportedApp(api, {ready: 'Unknown', reason: 'Progressing', health: 'InProgress'}),
  ])
  await kit.deliver(kit.hint())
  assert.deepEqual(kit.summaries().sort(), ['drawbridge/dev 1 success', 'drawbridge/dev 2 pending'])
})

test('says of a pending commit that a newer one took its place', async () => {
  const kit = createStatusKit()
  await kit.want(wantedApp('web', COMMIT_1))
  await kit.deliver(kit.hint())
  await kit.want(wantedApp('web', COMMIT_2))
  await kit.deliver(kit.hint())
  await kit.deliver(kit.hint())
  assert.deepEqual(
    kit.shown.map(({commit, state, description}) => [commit, state, description.split(' ')[0]]),
    [
      [COMMIT_1, 'pending', '0'],
      [COMMIT_1, 'pending', 'superseded'],
      [COMMIT_2, 'pending', '0'],
    ],
  )
})

test('writes nothing where nothing is new', async () => {
  const kit = createStatusKit()
  const web = wantedApp('web')
  await kit.want(web)
  await kit.report([reportedApp(web)], {events: [reportEvent(1, 'healthy')]})
  await kit.deliver(kit.hint())
  const lines = kit.metrics.length
  const store = {
    ...kit.store,
    swap: () => assert.fail('a status was written'),
    create: () => assert.fail('history was written'),
  }
  assert.equal(await kit.deliver(kit.hint(), {over: {store}}), 'done')
  assert.equal(kit.metrics.length, lines)
  assert.equal(kit.shown.length, 1)
})

test('takes a report of a field that drifted by one beyond 2^53, once, and keeps its digits', async () => {
  const kit = createStatusKit()
  const web = wantedApp('web')
  const ref = {group: 'example.com', kind: 'Counter', namespace: 'web', name: 'a'}
  const field = {path: '/spec/size', difference: 'changed' as const, from: 2n ** 53n, to: 2n ** 53n + 1n}
  await kit.want(web)
  await kit.report([
    reportedApp(web, {drifted: [{ref, what: 'changed', since: '2026-01-01T00:00:00.000Z', fields: [field]}]}),
  ])
  assert.equal(await kit.deliver(kit.hint()), 'done')
  const text = Buffer.from(kit.store.objects.get(keys.status('dev'))?.bytes ?? []).toString()
  assert.match(text, /"from":9007199254740992,"to":9007199254740993/)
  const store = {...kit.store, swap: () => assert.fail('a status was written')}
  assert.equal(await kit.deliver(kit.hint(), {over: {store}}), 'done')
})

test('appends each event to the history once, newest first in the listing, and never changes one', async () => {
  const kit = createStatusKit()
  const events = [reportEvent(1, 'applied'), reportEvent(2, 'healthy'), reportEvent(3, 'drifted', {app: undefined})]
  await kit.report([], {events: events.slice(0, 2)})
  await kit.deliver(kit.hint())
  await kit.report([], {
    events: [{...(events[1] ?? reportEvent(2, 'healthy')), message: 'rewritten'}, reportEvent(3, 'drifted')],
  })
  await kit.deliver(kit.hint())
  const history = (await kit.history()).map(({event}) => event)
  assert.deepEqual(
    history.map(({event, message}) => [event, message]),
    [
      ['drifted', undefined],
      ['healthy', undefined],
      ['applied', undefined],
    ],
  )
  assert.equal(kit.status().lastEventId, reportEvent(3, 'drifted').id)
})

test('keeps events of the cluster as a whole under a name that no app can have', async () => {
  const kit = createStatusKit()
  const {app: _, ...event} = reportEvent(1, 'refused')
  await kit.report([], {events: [event]})
  await kit.deliver(kit.hint())
  assert.deepEqual(await kit.store.list('history/'), [keys.history('dev', '_cluster', event.id)])
})

test('takes no event whose app is no name, or that claims to be of the far future', async () => {
  const kit = createStatusKit()
  const events = [
    reportEvent(1, 'applied', {app: '../../prod/web'}),
    {...reportEvent(2, 'applied'), id: '9999999999999-000000'},
    reportEvent(3, 'applied'),
  ]
  await kit.report([], {events})
  assert.equal(await kit.deliver(kit.hint()), 'done')
  assert.deepEqual(await kit.store.list('history/'), [keys.history('dev', 'web', reportEvent(3, 'applied').id)])
  assert.equal(kit.status().lastEventId, reportEvent(3, 'applied').id)
})

test('ignores a report that claims to be of another cluster than its key', async () => {
  const kit = createStatusKit()
  const web = wantedApp('web')
  await kit.want(web)
  await kit.report([reportedApp(web)], {cluster: 'prod', events: [reportEvent(1, 'healthy')]})
  assert.equal(await kit.deliver(kit.hint()), 'done')
  assert.deepEqual(kit.summaries(), ['drawbridge/dev 1 pending'])
  assert.deepEqual(await kit.history(), [])
  assert.equal(kit.events[0]?.code, 'REPORT_OF_OTHER_CLUSTER')
})

test('keeps the last good report where a new one cannot be read', async () => {
  const kit = createStatusKit()
  const web = wantedApp('web')
  await kit.want(web)
  await kit.report([reportedApp(web)])
  await kit.deliver(kit.hint())
  for (const bad of ['{', '{}', 'null', '"\ud800"']) {
    await kit.store.put(keys.report('dev'), Buffer.from(bad))
    assert.equal(await kit.deliver(kit.hint()), 'done')
    assert.equal(kit.events.at(-1)?.code, 'REPORT_MALFORMED')
  }
  assert.equal(kit.status().report?.apps[0]?.name, 'web')
  assert.deepEqual(kit.summaries(), ['drawbridge/dev 1 success'])
})

test('stores report and history first where the git host is down, and shows the status once it is back', async () => {
  const kit = createStatusKit()
  const web = wantedApp('web')
  await kit.want(web)
  await kit.report([reportedApp(web)], {events: [reportEvent(1, 'healthy')]})
  const down = {
    setCommitStatus: async () => {
      throw new CommitStatusError('UNAVAILABLE', 'the host is down')
    },
  }
  assert.equal(await kit.deliver(kit.hint(), {over: {commitStatuses: down}}), 'again')
  assert.equal(kit.status().report?.apps.length, 1)
  assert.equal((await kit.history()).length, 1)
  assert.deepEqual(kit.status().commitStatuses, {})
  assert.equal(await kit.deliver(kit.hint()), 'done')
  assert.deepEqual(kit.summaries(), ['drawbridge/dev 1 success'])
})

test('tries no more where the host refuses for good, and says why', async () => {
  const kit = createStatusKit()
  await kit.want(wantedApp('web'))
  let calls = 0
  const refusing = {
    setCommitStatus: async () => {
      calls += 1
      throw new CommitStatusError('REFUSED', 'the token may not')
    },
  }
  assert.equal(await kit.deliver(kit.hint(), {over: {commitStatuses: refusing}}), 'done')
  assert.equal(await kit.deliver(kit.hint(), {over: {commitStatuses: refusing}}), 'done')
  assert.equal(calls, 1)
  assert.equal(kit.events[0]?.code, 'REFUSED')
})

test('ends with what the newest report says where two runs overlap', async () => {
  const kit = createStatusKit()
  const web = wantedApp('web')
  await kit.want(web)
  await kit.report([reportedApp(web, {ready: 'Unknown', health: 'InProgress'})])
  // While the first run is telling the host `pending`, the app becomes healthy and a second run takes that report in full.
  let isFirst = true
  const setCommitStatus = async (status: CommitStatus): Promise<void> => {
    if (isFirst) {
      isFirst = false
      await kit.report([reportedApp(web)])
      assert.equal(await kit.deliver(kit.hint()), 'done')
    }
    kit.shown.push(status)
  }
  assert.equal(await kit.deliver(kit.hint(), {over: {commitStatuses: {setCommitStatus}}}), 'done')
  assert.equal(kit.summaries().at(-1), 'drawbridge/dev 1 success')
  assert.deepEqual(Object.values(kit.status().commitStatuses), ['success'])
})

test('writes metrics without cluster or app among the dimensions', async () => {
  const kit = createStatusKit()
  const trace = startTrace({pushed: '2025-12-31T23:59:59.002Z'})
  const events = [
    reportEvent(2, 'healthy', {trace, revision: 'main@sha1:1'}),
    reportEvent(3, 'failed'),
    reportEvent(4, 'drifted'),
    reportEvent(5, 'healed'),
    reportEvent(6, 'verified'),
    reportEvent(7, 'failed', {code: 'DEPENDENCY_NOT_READY'}),
  ]
  await kit.report([], {
    events,
    desired: {version: 1, state: 'stale', reason: 'EXPIRED', since: '2026-01-01T00:00:00Z'},
  })
  await kit.deliver(kit.hint())
  const lines = kit.metrics.map((line) => JSON.parse(line))
  assert.deepEqual(
    lines.map(({PushToHealthy, Deployments, ApplyFailures, DriftFound, DriftHealed, StaleClusters}) => ({
      ...(PushToHealthy !== undefined && {PushToHealthy}),
      ...(Deployments !== undefined && {Deployments}),
      ...(ApplyFailures !== undefined && {ApplyFailures}),
      ...(DriftFound !== undefined && {DriftFound}),
      ...(DriftHealed !== undefined && {DriftHealed}),
      ...(StaleClusters !== undefined && {StaleClusters}),
    })),
    [{PushToHealthy: 1_000, Deployments: 1}, {ApplyFailures: 1}, {DriftFound: 1}, {DriftHealed: 1}, {StaleClusters: 1}],
  )
  for (const {_aws, cluster} of lines) {
    assert.equal(cluster, 'dev')
    const [definition] = _aws.CloudWatchMetrics
    assert.equal(definition.Namespace, 'Drawbridge')
    assert.deepEqual(definition.Dimensions, [[]])
  }
})

test('does nothing for a cluster of which nothing is stored', async () => {
  const kit = createStatusKit()
  assert.equal(await kit.deliver(kit.hint()), 'done')
  assert.equal(kit.store.objects.size, 0)
})

test('sends a hint that is malformed to the dead letters', async () => {
  const kit = createStatusKit()
  assert.equal(await kit.deliver({...kit.hint(), cluster: '../x'}), 'done')
  assert.equal(kit.deadLetters.sent.length, 1)
})
