import assert from 'node:assert/strict'
import {after, before, type TestContext, test} from 'node:test'
import {appType} from '#agent/app-definition.ts'
import {createDiscovery} from '#agent/kube/discovery.ts'
import type {ResourceType} from '#agent/kube/kube-client.ts'
import {metaText} from '#agent/kube/kube-object.ts'
import {stateTypes} from '#agent/state-types.ts'
import {childObject, type JsonObject, type Manifest} from '#shared/model/manifest.ts'
import {refKey, refOf} from '#shared/model/object-ref.ts'
import {type FollowedJobs, followJobs} from './follow-jobs.ts'
import {chartWithHooks, ingressController, operator} from './official-manifests.ts'
import {startTestCluster, type TestCluster} from './open-test-cluster.ts'
import type {TestApp} from './publish-state.ts'
import {createTestBridge, type TestAgent, type TestBridge, types, waitUntil} from './start-test-agent.ts'

let cluster: TestCluster
before(async () => {
  cluster = await startTestCluster({controllerManager: true, scheduler: true, kwok: true})
})
after(() => cluster?.stop())

const PATIENCE = {timeoutMs: 40_000}

/** Changes an object as a controller in the cluster does, under a name of its own. */
async function patch(path: string, body: JsonObject | JsonObject[], what: string): Promise<void> {
  const contentType = Array.isArray(body) ? 'application/json-patch+json' : 'application/merge-patch+json'
  await cluster.transport.send({
    method: 'PATCH',
    path: `${path}?fieldManager=controller`,
    contentType,
    body: JSON.stringify(body),
    what,
  })
}

/** The keys of those of an app's objects that are in the cluster. */
async function present(manifests: Manifest[]): Promise<string[]> {
  const discovery = createDiscovery(cluster.admin)
  const found = await Promise.all(
    manifests.map(async (manifest) => {
      const type = await discovery.find(manifest.apiVersion, manifest.kind)
      const {namespace = '', name} = manifest.metadata
      const live = type === undefined ? 'absent' : await cluster.admin.get(type, {namespace, name}, 'metadata')
      return live === 'absent' ? [] : [refKey(refOf(manifest))]
    }),
  )
  return found.flat()
}

const isHook = ({metadata}: Manifest) => 'helm.sh/hook' in (childObject(metadata, 'annotations') ?? {})

/** An app that is installed, upgraded under an agent that is restarted meanwhile, and removed. */
interface Life {
  app: string
  bridge: TestBridge
  jobs: FollowedJobs
  agents: TestAgent[]
  /** Publishes it, and resolves when it is at rest and healthy, with the Jobs that were made for it. */
  deploy(v: string, options?: {restart?: () => boolean | Promise<boolean>}): Promise<string[]>
  /** Removes it, and resolves when the agent knows nothing of it any more. Nothing but what is `expected` may have been wrong with it. */
  remove(expected?: RegExp): Promise<void>
}

async function begin(
  t: TestContext,
  app: string,
  shape: (version: string) => TestApp,
  onJob: (name: string) => void = () => undefined,
): Promise<Life> {
  const bridge = await createTestBridge(cluster, t)
  const jobs = await followJobs(cluster, app, (name) => {
    onJob(name)
    return 'none'
  })
  t.after(async () => jobs.stop())
  const agents = [bridge.startAgent()]
  const agent = () => agents.at(-1) as TestAgent
  const told = () => agents.flatMap(({events}) => events)
  const isForgotten = async () => {
    const {items} = await cluster.admin.list(stateTypes.configMap, {
      detail: 'metadata',
      namespace: bridge.agentNamespace,
    })
    const shown = await cluster.admin.get(appType, {namespace: bridge.agentNamespace, name: app}, 'metadata')
    const kept = items.some(({metadata}) => metadata.name.startsWith(`drawbridge-inventory-${app}-`))
    return shown === 'absent' && !kept && bridge.report()?.apps.length === 0
  }
  return {
    app,
    bridge,
    jobs,
    agents,
    async deploy(version, {restart} = {}) {
      const before = jobs.made.length
      const seen = told().length
      const published = await bridge.publish({[app]: shape(version)})
      if (restart !== undefined) {
        await waitUntil(restart, 'the moment of the restart', PATIENCE.timeoutMs)
        await agent().stop()
        agents.push(bridge.startAgent())
      }
      const isHealthy = () =>
        told()
          .slice(seen)
          .some(({event}) => event === 'healthy')
      await waitUntil(isHealthy, () => `healthy: ${JSON.stringify(bridge.report()?.apps)}`, PATIENCE.timeoutMs)
      const [target] = published.apps
      const isAtRest = () => {
        const report = bridge.report()?.apps[0]
        return report?.ready === 'True' && target?.state === 'present' && report.revision === target.revision
      }
      await waitUntil(isAtRest, () => `at rest: ${JSON.stringify(bridge.report()?.apps)}`)
      const objects = shape(version).manifests.filter((manifest) => !isHook(manifest) && manifest.kind !== 'Job')
      assert.equal((await present(objects)).length, objects.length, 'all of it is there')
      return jobs.made.slice(before).toSorted()
    },
    async remove(expected = /^$/) {
      await bridge.publish({}, {removed: {[app]: 'Delete'}})
      await agent().waitFor({event: 'removed', app}, PATIENCE)
      await waitUntil(isForgotten, 'that it is forgotten')
      const lines = told().map(({event, message}) => `${event} ${message}`)
      const wrong = lines.filter((words) => /^(failed|refused|drifted|healed)/.test(words) && !expected.test(words))
      assert.deepEqual(wrong, [], 'nothing else was ever wrong with it')
    },
  }
}

/** Does what the admission Jobs do: one makes a Secret with the certificate, the other enters it in the webhook's configuration. */
function admit(space: string, name: string): void {
  const ca = Buffer.from('a certificate').toString('base64')
  const path = `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${space}`
  const done =
    name === 'admission-patch'
      ? patch(path, [{op: 'add', path: '/webhooks/0/clientConfig/caBundle', value: ca}], 'enter the certificate')
      : cluster.admin.create(types.secret, {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: {name: 'admission', namespace: space},
          data: {ca},
        })
  done.catch(() => undefined)
}

async function caOf(space: string): Promise<unknown> {
  const path = `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${space}`
  const {body} = await cluster.transport.send({method: 'GET', path, what: 'read the webhook'})
  return JSON.parse(body).webhooks[0].clientConfig.caBundle
}

test('an ingress controller whose admission Jobs are hooks of helm: each runs with its release, its account outlives it, and nothing is left', async (t) => {
  const space = 'ingress-hooks'
  const shape = (version: string) => ({manifests: ingressController(space, version, 'hooks')})
  const life = await begin(t, space, shape, (name) => admit(space, name))
  const both = ['admission-create', 'admission-patch']
  const hooks = shape('2').manifests.filter(isHook)
  assert.deepEqual(await life.deploy('1'), both)
  await waitUntil(async () => (await present(hooks)).length === 0, 'hook-succeeded')
  const made = life.jobs.made.length
  assert.deepEqual(await life.deploy('2', {restart: () => life.jobs.made.length > made}), both)
  await waitUntil(async () => (await present(hooks)).length === 0, 'hook-succeeded')
  assert.ok(await caOf(space), 'what its Job entered is left to it')

  // What its Jobs made is nobody's: it is named, and the namespace stays until somebody lets it go.
  const held = /the namespace holds 1 object\(s\) that this app does not delete/
  const removed = life.remove(held)
  await waitUntil(() => held.test(life.bridge.report()?.apps[0]?.message ?? ''), 'what stays')
  await patch(`/api/v1/namespaces/${space}`, {metadata: {annotations: {'drawbridge.dev/prune': 'force'}}}, 'let it go')
  await removed
  await waitUntil(async () => (await present(shape('2').manifests)).length === 0, 'that nothing is left')
})

test('an ingress controller whose admission Jobs are plain ones with a TTL of 0: each runs once for each image, and nothing is left', async (t) => {
  const space = 'ingress-plain'
  const shape = (version: string) => ({manifests: ingressController(space, version, 'plain')})
  const life = await begin(t, space, shape)
  const both = ['admission-create', 'admission-patch']
  const jobs = shape('1').manifests.filter(({kind}) => kind === 'Job')
  assert.deepEqual(await life.deploy('1'), both)
  await waitUntil(async () => (await present(jobs)).length === 0, 'that its Jobs are through')
  // Nobody knows of a Job that runs and goes while no agent runs, so it may run again: the restart comes when both are through.
  const made = life.jobs.made.length
  const isBegun = async () => life.jobs.made.length === made + 2 && (await present(jobs)).length === 0
  assert.deepEqual(await life.deploy('2', {restart: isBegun}), both)
  await life.remove()
  await waitUntil(async () => (await present(shape('2').manifests)).length === 0, 'that nothing is left')
})

/** Does what an operator does as long as it is deployed: keeps its objects by a finalizer, and clears that when they are deleted. */
function operate(t: TestContext, space: string): void {
  const group = `${space}.example.com`
  const databases: ResourceType = {group, version: 'v1', kind: 'Database', plural: 'databases', namespaced: true}
  const finalizers = [`${group}/backup`]
  let working: Promise<void> = Promise.resolve()
  const isDeployed = async () => {
    const live = await cluster.admin.get(types.deployment, {namespace: space, name: 'operator'}, 'metadata')
    return live !== 'absent' && metaText(live, 'deletionTimestamp') === ''
  }
  async function work(): Promise<void> {
    if (!(await isDeployed())) return
    const {items} = await cluster.admin.list(databases, {detail: 'metadata', namespace: space})
    for (const {metadata} of items) {
      const path = `/apis/${group}/v1/namespaces/${space}/databases/${metadata.name}`
      if (metadata.deletionTimestamp !== undefined) await patch(path, {metadata: {finalizers: null}}, 'clean up')
      else if (metadata.finalizers === undefined) await patch(path, {metadata: {finalizers}}, 'hold')
    }
  }
  const timer = setInterval(() => {
    // Before its kind is served, and after, there is nothing to do.
    working = working.then(work).catch(() => undefined)
  }, 50)
  t.after(async () => {
    clearInterval(timer)
    await working
  })
}

test('an operator with its definition and an object that only it lets go: it is upgraded, outlives the object, and nothing is left', async (t) => {
  const space = 'database-operator'
  const shape = (version: string) => ({manifests: operator(space, version)})
  const life = await begin(t, space, shape)
  operate(t, space)
  const database = () =>
    cluster.transport.send({
      method: 'GET',
      path: `/apis/${space}.example.com/v1/namespaces/${space}/databases/main`,
      what: 'read the database',
    })
  await life.deploy('1')
  const isHeld = async () => JSON.parse((await database()).body).metadata.finalizers !== undefined
  await waitUntil(isHeld, 'the finalizer')
  const isBegun = () => bridgeMessage(life).includes('waits for')
  await life.deploy('2', {restart: isBegun})
  assert.equal(JSON.parse((await database()).body).spec.size, 2)
  assert.ok(await isHeld(), 'the finalizer is left to it')
  await life.remove()
  await waitUntil(async () => (await present(shape('2').manifests)).length === 0, 'that nothing is left')
})

const bridgeMessage = ({bridge}: Life) => bridge.report()?.apps[0]?.message ?? ''

test('a chart runs its install hooks once and its upgrade hooks with each upgrade, each with the account that it needs, and keeps what it asks to keep', async (t) => {
  const space = 'chart'
  const shape = (version: string) => ({
    manifests: chartWithHooks(space, version),
    namespace: space,
    createNamespace: true,
  })
  const life = await begin(t, space, shape)
  assert.deepEqual(await life.deploy('1'), ['check', 'prepare'])
  const gone = shape('1').manifests.filter((manifest) => isHook(manifest) && manifest.metadata.name !== 'migrate')
  await waitUntil(async () => (await present(gone)).length === 0, 'hook-succeeded')
  const made = life.jobs.made.length
  assert.deepEqual(await life.deploy('2', {restart: () => life.jobs.made.length > made}), ['announce', 'migrate'])
  assert.deepEqual(await life.deploy('3'), ['announce', 'migrate'])
  await waitUntil(async () => (await present(gone)).length === 0, 'hook-succeeded')
  await life.remove()
  const kept = [`/Secret/${space}/password`]
  await waitUntil(async () => (await present(shape('3').manifests)).length === kept.length, 'that nothing else is left')
  assert.deepEqual(await present(shape('3').manifests), kept)
})
