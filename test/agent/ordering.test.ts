import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import type {ResourceType} from '#agent/kube/kube-client.ts'
import {childObject, type JsonObject, type Manifest} from '#shared/model/manifest.ts'
import {findCondition} from '#shared/plan/health/read-status.ts'
import {startTestCluster, type TestCluster} from './open-test-cluster.ts'
import {builtInTypes, customTypes, type ExpectedStep, orderApp} from './order-app.ts'
import {type ChangeRecorder, recordChanges} from './record-changes.ts'
import {type AdmissionWebhook, startAdmissionWebhook} from './start-admission-webhook.ts'
import {applyAs, configMap, createTestBridge, namespace, type TestBridge, types, waitUntil} from './start-test-agent.ts'

let cluster: TestCluster
let webhook: AdmissionWebhook
before(async () => {
  ;[cluster, webhook] = await Promise.all([
    startTestCluster({controllerManager: true, scheduler: true, kwok: true}),
    startAdmissionWebhook(),
  ])
})
after(async () => {
  await webhook?.stop()
  await cluster?.stop()
})

const nameOf = ({kind, metadata}: Manifest): string => `${kind}/${metadata.namespace ?? ''}/${metadata.name}`
const isHook = ({metadata}: Manifest): boolean =>
  Object.keys(childObject(metadata, 'annotations') ?? {}).some((name) => /\/hook$/.test(name))

/** What later waves wait for, in the words of each kind's own controller. */
function isHealthy(kind: string, object: JsonObject): boolean {
  const status = childObject(object, 'status')
  switch (kind) {
    case 'Deployment':
      return (
        status?.observedGeneration === childObject(object, 'metadata')?.generation &&
        status?.availableReplicas === 1 &&
        findCondition(object, 'Progressing')?.reason === 'NewReplicaSetAvailable'
      )
    case 'Job':
      return findCondition(object, 'Complete')?.status === 'True'
    case 'CustomResourceDefinition':
      return findCondition(object, 'Established')?.status === 'True'
    case 'Namespace':
      return status?.phase === 'Active'
    default:
      return true
  }
}

type Moment = 'createdAt' | 'healthyAt' | 'deletedAt'

function momentsOf(recorder: ChangeRecorder, manifests: Manifest[], moment: Moment): {name: string; at: bigint}[] {
  return manifests.map((manifest) => {
    const at = recorder.of(nameOf(manifest))[moment]
    assert.ok(at !== undefined, `${nameOf(manifest)} has no ${moment}`)
    return {name: nameOf(manifest), at}
  })
}

/** Asserts that all of `earlier` came before any of `later`. */
function assertBefore(
  recorder: ChangeRecorder,
  [earlier, earlierMoment]: [Manifest[], Moment],
  [later, laterMoment]: [Manifest[], Moment],
): void {
  const last = momentsOf(recorder, earlier, earlierMoment)
    .toSorted((a, b) => (a.at < b.at ? -1 : 1))
    .at(-1)
  const [first] = momentsOf(recorder, later, laterMoment).toSorted((a, b) => (a.at < b.at ? -1 : 1))
  if (last === undefined || first === undefined) return
  assert.ok(
    last.at < first.at,
    `${earlierMoment} of ${last.name} (${last.at}) is not before ${laterMoment} of ${first.name} (${first.at})`,
  )
}

const pairs = <T>(items: T[]): [T, T][] => items.slice(1).map((item, index) => [items[index] as T, item])

/** The same every time, and unlike any order that could be right by chance. */
function shuffled(manifests: Manifest[]): Manifest[] {
  return manifests.toSorted((a, b) => (scatter(a) < scatter(b) ? -1 : 1))
}
const scatter = (manifest: Manifest): string =>
  Buffer.from(nameOf(manifest)).toString('base64').split('').reverse().join('')

test('a big app of every sort goes in order, each wave begun when the one before is healthy, and is removed in reverse', async (t) => {
  const guarded = {namespace: 'order', resources: ['configmaps', 'deployments', 'services', 'gadgets', 'secrets']}
  webhook.decide = ({operation}) => ({allowed: false, message: `too late for ${operation}`})
  const interceptor = webhook.configuration('order', {...guarded, operations: ['CREATE', 'DELETE']})
  const {steps, never} = orderApp(interceptor)
  const all = steps.flat(2)
  assert.ok(all.length >= 60, `${all.length} objects`)

  const recorder = recordChanges(cluster.admin, isHealthy)
  t.after(() => recorder.stop())
  await recorder.follow(...builtInTypes)
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  await bridge.publish({order: {manifests: shuffled([...all, ...never])}})
  await agent.waitFor({event: 'healthy', app: 'order'}, {timeoutMs: 90_000})
  // Nobody changes these: the version that they are listed with is that of their creation.
  await recorder.follow(...customTypes)

  for (const [earlier, later] of pairs(steps)) {
    assertBefore(recorder, [earlier.flat(), 'healthyAt'], [later.flat(), 'createdAt'])
  }
  for (const stages of steps) {
    for (const [earlier, later] of pairs(stages)) {
      assertBefore(recorder, [earlier, 'createdAt'], [later, 'createdAt'])
      const definitions = earlier.filter(({kind}) => kind === 'CustomResourceDefinition')
      assertBefore(recorder, [definitions, 'healthyAt'], [later, 'createdAt'])
    }
  }
  for (const manifest of all) assert.equal(recorder.of(nameOf(manifest)).creations, 1, nameOf(manifest))
  for (const manifest of never) assert.equal(recorder.of(nameOf(manifest)).creations, 0, nameOf(manifest))
  assert.equal(agent.events.filter(({event}) => event === 'failed').length, 0)
  const deleted = all.filter((manifest) => recorder.of(nameOf(manifest)).deletedAt !== undefined).map(nameOf)
  assert.deepEqual(deleted.toSorted(), ['Job/order/announce', 'Job/order/migrate'], 'HookSucceeded')

  await bridge.publish({}, {removed: {order: 'WaitForTermination'}})
  await agent.waitFor({event: 'removed', app: 'order'}, {timeoutMs: 60_000})
  const kept: ExpectedStep[] = steps.map((stages) => stages.map((stage) => stage.filter((item) => !isHook(item))))
  const goes = (manifest: Manifest) => recorder.of(nameOf(manifest)).deletedAt !== undefined
  await waitUntil(
    () => all.every(goes),
    () =>
      all
        .filter((item) => !goes(item))
        .map(nameOf)
        .join(', '),
  )
  for (const [earlier, later] of pairs(kept.flat().filter((stage) => stage.length > 0))) {
    assertBefore(recorder, [later, 'deletedAt'], [earlier, 'deletedAt'])
  }
})

const webhookType: ResourceType = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingWebhookConfiguration',
  plural: 'validatingwebhookconfigurations',
  namespaced: false,
}
const dataOf = async (space: string, name: string) => {
  const found = await cluster.admin.get(types.configMap, {namespace: space, name}, 'whole')
  return found === 'absent' ? undefined : childObject(found, 'data')?.v
}
const app = (space: string, v: string) => ({
  manifests: [namespace(space), ...['x', 'y'].map((name) => configMap(space, name, {v}))],
})
const readyOf = (bridge: TestBridge, name: string) =>
  bridge.report()?.apps.find((report) => report.name === name)?.ready

/** Guards the ConfigMaps of a namespace until the test is over, from when the server heeds it. */
async function guard(
  test: {after(run: () => Promise<unknown>): void},
  space: string,
  options: {failurePolicy?: 'Fail' | 'Ignore'; timeoutSeconds?: number} = {},
): Promise<void> {
  const guarded = {namespace: space, resources: ['configmaps'], operations: ['CREATE', 'UPDATE'], ...options}
  await applyAs(cluster.admin, 'kubectl', webhookType, webhook.configuration(space, guarded))
  test.after(() => cluster.admin.delete(webhookType, {namespace: '', name: space}, {propagation: 'Background'}))
  await applyAs(cluster.admin, 'kubectl', types.namespace, namespace(space))
  const seen = webhook.calls.length
  await waitUntil(async () => {
    const probe = configMap(space, 'probe')
    const target = {namespace: space, name: 'probe'}
    const options = {fieldManager: 'kubectl', force: true, dryRun: true, detail: 'metadata'} as const
    await cluster.admin.apply(types.configMap, target, JSON.stringify(probe), options).catch(() => undefined)
    return webhook.calls.slice(seen).some(({name}) => name === 'probe')
  }, 'the webhook asked')
}

test('a webhook that denies is quoted with the object, stops its app alone, and is outlived', async (t) => {
  webhook.decide = () => ({allowed: true})
  await guard(t, 'denied')
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  webhook.decide = ({name}) => (name === 'x' ? {allowed: false, message: 'x needs a ticket'} : {allowed: true})
  await bridge.publish({denied: app('denied', '1'), apart: app('apart', '1')})
  await agent.waitFor({event: 'healthy', app: 'apart'})
  const failed = await agent.waitFor({event: 'failed', app: 'denied'})
  assert.match(
    failed.message ?? '',
    /apply ConfigMap denied\/x: .*admission webhook "denied.example.com" denied the request: x needs a ticket/,
  )
  assert.deepEqual([await dataOf('denied', 'x'), await dataOf('denied', 'y')], [undefined, '1'])
  webhook.decide = () => ({allowed: true})
  await agent.waitFor({event: 'healthy', app: 'denied'}, {timeoutMs: 40_000})
  assert.equal(await dataOf('denied', 'x'), '1')

  // Once it runs, a change of several objects is asked for first, and none of it made where one is denied.
  const seen = agent.events.length
  webhook.decide = ({name}) => (name === 'y' ? {allowed: false, message: 'y needs two'} : {allowed: true})
  await bridge.publish({denied: app('denied', '2'), apart: app('apart', '2')})
  const refused = await agent.waitFor({event: 'failed', app: 'denied'}, {after: seen})
  assert.equal(refused.code, 'PREFLIGHT_FAILED')
  assert.match(refused.message ?? '', /ConfigMap denied\/y: .*y needs two/)
  assert.deepEqual([await dataOf('denied', 'x'), await dataOf('denied', 'y')], ['1', '1'])
  await agent.waitFor({event: 'healthy', app: 'apart'}, {after: seen})
  webhook.decide = () => ({allowed: true})
  await agent.waitFor({event: 'healthy', app: 'denied'}, {after: seen, timeoutMs: 40_000})
})

test('a webhook that answers late is told in the words of the server, and holds up no other app', async (t) => {
  webhook.decide = () => ({allowed: true})
  await guard(t, 'late', {timeoutSeconds: 1})
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  webhook.decide = ({namespace: space}) => (space === 'late' ? {allowed: true, delayMs: 120_000} : {allowed: true})
  const many = Array.from({length: 20}, (_, index) => configMap('late', `o${index}`, {v: '1'}))
  await bridge.publish({late: {manifests: [namespace('late'), ...many]}, prompt: app('prompt', '1')})
  await agent.waitFor({event: 'healthy', app: 'prompt'})
  await waitUntil(() => webhook.calls.some(({name}) => name === 'o0'), 'the first of them under way')
  await bridge.publish({late: {manifests: [namespace('late'), ...many]}, prompt: app('prompt', '2')})
  await waitUntil(async () => (await dataOf('prompt', 'x')) === '2', 'the other app at its next version')
  // As many as may run at once, all still tried again: the other app did not wait for any of them.
  const late = agent.requests.filter(({path}) => path.includes('/namespaces/late/configmaps/o'))
  assert.equal(late.length, 16)
  const failed = await agent.waitFor({event: 'failed', app: 'late'}, {timeoutMs: 60_000})
  assert.match(
    failed.message ?? '',
    /ConfigMap late\/o\d+: .*failed calling webhook "late.example.com": .*(deadline|Timeout)/,
  )
  assert.equal(await dataOf('late', 'o0'), undefined)
  assert.equal(readyOf(bridge, 'prompt'), 'True')
})

test('a webhook that may fail delays what it guards by its bound, and no more', async (t) => {
  webhook.decide = () => ({allowed: true})
  await guard(t, 'ignored', {timeoutSeconds: 1, failurePolicy: 'Ignore'})
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  webhook.decide = () => ({allowed: true, delayMs: 120_000})
  await bridge.publish({ignored: app('ignored', '1')})
  await agent.waitFor({event: 'healthy', app: 'ignored'})
  assert.equal(
    agent.events.some(({event}) => event === 'failed'),
    false,
  )
  assert.deepEqual([await dataOf('ignored', 'x'), await dataOf('ignored', 'y')], ['1', '1'])
})
