import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import {childObject, type JsonObject, type Manifest} from '#shared/model/manifest.ts'
import {findCondition} from '#shared/plan/health/read-status.ts'
import {builtInTypes, customTypes, type ExpectedStep, orderApp} from './order-app.ts'
import {type ChangeRecorder, recordChanges} from './record-changes.ts'
import {type AdmissionWebhook, startAdmissionWebhook} from './start-admission-webhook.ts'
import {createTestBridge, startTestCluster, type TestCluster, waitUntil} from './start-test-agent.ts'

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
