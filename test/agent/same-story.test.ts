import assert from 'node:assert/strict'
import {after, before, type TestContext, test} from 'node:test'
import type {AppReport} from '#shared/model/cluster-report.ts'
import type {Manifest} from '#shared/model/manifest.ts'
import {followJobs} from './follow-jobs.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import type {TestApp} from './publish-state.ts'
import {
  annotateApp,
  annotated,
  applyAs,
  configMap,
  createTestBridge,
  deployment,
  namespace,
  type TestAgent,
  types,
  waitUntil,
} from './start-test-agent.ts'
import {type StoryActor, type StoryStep, type Told, tellStory} from './tell-story.ts'

let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster.stop())

const told = ({events}: TestAgent, app: string, since = 0) =>
  events.slice(since).flatMap((event) => (event.app === app && event.event !== 'pulled' ? [event.event] : []))

test('an app that is removed and added again at the same revision tells all of it again', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const again = {again: {manifests: [configMap('default', 'again')]}}
  await bridge.publish(again)
  await agent.waitFor({event: 'healthy', app: 'again'})
  const first = told(agent, 'again')
  assert.deepEqual(first, ['verified', 'applied', 'healthy'])
  await bridge.publish({}, {removed: {again: 'Delete'}})
  await agent.waitFor({event: 'removed', app: 'again'})
  const seen = agent.events.length
  await bridge.publish(again)
  await agent.waitFor({event: 'healthy', app: 'again'}, {after: seen})
  assert.deepEqual(told(agent, 'again', seen), first)
})

test('an app that is suspended or resumed while no agent runs tells it once, whatever restarts', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  let agent = bridge.startAgent()
  const suspend = (value: string) => annotateApp(cluster.admin, bridge, 'asleep', {'drawbridge.dev/suspend': value})
  const isSuspended = () => bridge.report()?.apps.find(({name}) => name === 'asleep')?.suspended === true
  await bridge.publish({asleep: {manifests: [configMap('default', 'asleep')]}})
  await agent.waitFor({event: 'healthy', app: 'asleep'})
  for (const [value, event] of [
    ['true', 'suspended'],
    ['false', 'resumed'],
  ] as const) {
    await agent.stop()
    await suspend(value)
    agent = bridge.startAgent()
    await agent.waitFor({event, app: 'asleep'})
    await waitUntil(() => isSuspended() === (value === 'true'), `the report says ${event}`)
    await agent.stop()
    agent = bridge.startAgent()
    await waitUntil(
      () =>
        bridge.report()?.agent.instance !== undefined && agent.requests.some(({path}) => path.includes('inventory')),
      'the next agent has begun',
    )
    await bridge.publish({
      asleep: {manifests: [configMap('default', 'asleep')]},
      [event]: {manifests: [configMap('default', event)]},
    })
    await agent.waitFor({event: 'healthy', app: event})
    assert.deepEqual(told(agent, 'asleep'), [])
  }
  assert.deepEqual(
    bridge.report()?.events.flatMap((each) => (each.app === 'asleep' ? [each.event] : [])),
    ['verified', 'applied', 'healthy', 'suspended', 'resumed'],
  )
})

const invalid = (space: string): Manifest => ({...configMap(space, 'broken'), data: {'not a key': 'v'}})
const annotation = 'drawbridge.dev/suspend'
const ready = (app: AppReport | undefined) => app?.ready === 'True' && app.driftedTotal === 0
const good = (space: string, v: string): TestApp => ({manifests: [configMap(space, 'c', {v}), configMap(space, 'd')]})
const guarded = (space: string): Manifest =>
  annotated(configMap(space, 'guarded'), {'argocd.argoproj.io/sync-options': 'Prune=confirm'})
const hook = (space: string): Manifest => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: {name: 'migrate', namespace: space, annotations: {'argocd.argoproj.io/hook': 'PreSync'}},
  spec: {template: {spec: {containers: [{name: 'run', image: 'run:1'}], restartPolicy: 'Never'}}},
})
const touch = ({app, cluster}: StoryActor, name: string) =>
  applyAs(cluster.admin, 'somebody', types.configMap, configMap(app, name, {v: 'theirs'}))

/** What may happen to an app, each step to be told once. */
const story: StoryStep[] = [
  {name: 'deployed', act: ({publish, app}) => publish(good(app, '1')), ends: 'healthy', isOver: ready},
  {
    name: 'refused by the API server',
    act: ({publish, app}) => publish({manifests: [...good(app, '2').manifests, invalid(app)]}),
    ends: 'failed',
    isOver: (app) => app?.reason === 'ReconciliationFailed',
  },
  {
    name: 'unhealthy',
    act: ({publish, app}) =>
      publish({manifests: [...good(app, '3').manifests, deployment(app, 'web')], sync: {timeoutSeconds: 1}}),
    ends: 'failed',
    isOver: (app) => app?.reason === 'HealthCheckFailed',
  },
  {
    name: 'failed by a hook',
    act: ({publish, app}) => publish({manifests: [...good(app, '4').manifests, hook(app)]}),
    ends: 'failed',
    isOver: (app) => /it runs again with the next bundle/.test(app?.message ?? ''),
  },
  {name: 'mended', act: ({publish, app}) => publish(good(app, '5')), ends: 'healthy', isOver: ready},
  {name: 'healed', act: (actor) => touch(actor, 'c'), ends: 'healed', isOver: ready},
  {
    name: 'suspended',
    act: ({annotate}) => annotate({[annotation]: 'true'}),
    ends: 'suspended',
    isOver: (app) => app?.suspended === true && app.ready === 'True',
  },
  {name: 'drifted', act: (actor) => touch(actor, 'c'), ends: 'drifted', isOver: (app) => app?.driftedTotal === 1},
  {
    name: 'resumed',
    act: ({annotate}) => annotate({[annotation]: 'false'}),
    ends: 'healed',
    isOver: (app) => !app?.suspended && ready(app),
  },
  {
    name: 'given what only goes when that is confirmed',
    act: ({publish, app}) => publish({manifests: [...good(app, '5').manifests, guarded(app)]}),
    ends: 'healthy',
    isOver: ready,
  },
  {
    name: 'left with it',
    act: ({publish, app}) => publish(good(app, '6')),
    ends: 'healthy',
    isOver: (app) => ready(app) && /not pruned/.test(app?.message ?? ''),
  },
  {
    name: 'rid of it',
    act: ({app, cluster}) =>
      applyAs(
        cluster.admin,
        'somebody',
        types.configMap,
        annotated(configMap(app, 'guarded'), {'drawbridge.dev/prune': 'confirmed'}),
      ),
    ends: 'pruned',
    isOver: (app) => ready(app) && !/not pruned/.test(app?.message ?? ''),
  },
  {name: 'removed', act: ({remove}) => remove(), ends: 'removed', isOver: (app) => app === undefined},
  {name: 'added again', act: ({publish, app}) => publish(good(app, '6')), ends: 'healthy', isOver: ready},
]

/** The steps that an agent may also find done when it starts: what is published by then is as new to it as to one that runs. */
const unseen = ['deployed', 'healed', 'suspended', 'drifted', 'resumed', 'rid of it', 'removed', 'added again']

/** What is told of it: the event, the number of the revision, the code, the object. */
const expected = [
  'verified 1',
  'applied 1',
  'healthy 1',
  'verified 2',
  'failed 2 PREFLIGHT_FAILED',
  'verified 3',
  'applied 3',
  'failed 3 HealthCheckFailed',
  'verified 4',
  'failed 4 HOOK_FAILED',
  'verified 5',
  'applied 5',
  'pruned 5 Job/migrate',
  'healthy 5',
  'drifted 5 ConfigMap/c',
  'healed 5 ConfigMap/c',
  'suspended 5',
  'drifted 5 ConfigMap/c',
  'resumed 5',
  'healed 5 ConfigMap/c',
  'verified 6',
  'applied 6',
  'healthy 6',
  'verified 7',
  'applied 7',
  'failed 7 CONFIRM ConfigMap/guarded',
  'healthy 7',
  'pruned 7 ConfigMap/guarded',
  'pruned - ConfigMap/d',
  'removed -',
  'verified 7',
  'applied 7',
  'healthy 7',
]

async function tell(t: TestContext, space: string, options: Parameters<typeof tellStory>[4] = {}): Promise<Told[]> {
  await cluster.admin.create(types.namespace, namespace(space))
  const jobs = await followJobs(cluster, space, () => 'Failed')
  t.after(async () => jobs.stop())
  return tellStory(t, cluster, space, story, options)
}

test('the story of an app', async (t) => {
  let undisturbed: Told[] = []
  await t.test('is told once for each cause', async (t) => {
    undisturbed = await tell(t, 'undisturbed')
    const events = undisturbed.map(({what}) => what)
    assert.deepEqual(events, expected)
  })

  await t.test('is the same where an agent follows another', {concurrency: 4}, async (t) => {
    const runs = story.map(({name}, index) =>
      t.test(`after the app was ${name}`, async (t) => {
        assert.deepEqual(await tell(t, `restart-after-${index}`, {restartAfter: name}), undisturbed)
      }),
    )
    const missed = unseen.map((name, index) =>
      t.test(`and none ran when the app was ${name}`, async (t) => {
        const told = await tell(t, `missing-at-${index}`, {missing: name})
        // What drifted while nobody watched is told in words of its own.
        assert.deepEqual(
          told.map(({what}) => what),
          expected,
        )
      }),
    )
    await Promise.all([...runs, ...missed])
  })
})
