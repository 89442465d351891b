import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import {keys} from '#shared/model/keys.ts'
import {type PublishRange, publishRangeSchema} from '#shared/model/publish-request.ts'
import type {QueueSender} from '#shared/ports/queue.ts'
import {createKillSwitch, type KillSwitch} from '#test/fakes/kill-switch.ts'
import {createRepository, RenderBridge, renderPool, type TestRepository, temporaryFolder} from './bridge-fixture.ts'
import {app, cluster, configMap} from './fleet-files.ts'

let repository: TestRepository
let folder: string
const cleanUps: (() => Promise<void>)[] = []
after(async () => {
  for (const cleanUp of cleanUps) await cleanUp()
})

// Two apps in two clusters and one that fails: every kind of write there is.
before(async () => {
  folder = await temporaryFolder({after: (cleanUp) => void cleanUps.push(cleanUp)})
  repository = await createRepository(folder, 'fleet')
  await repository.push({
    'drawbridge.yaml':
      cluster('dev') +
      cluster('prod') +
      app('api', '{source: {path: api}, clusters: [dev, prod]}') +
      app('bad', '{source: {path: bad}, clusters: [dev]}') +
      app('web', '{source: {path: web}, clusters: [dev]}'),
    'api/a.yaml': configMap('a'),
    'bad/a.yaml': 'kind: ConfigMap\n',
    'web/a.yaml': configMap('w'),
  })
})

/** A bridge, and another one over the same store and queues that `killSwitch` strikes. */
async function prepare(killSwitch: KillSwitch): Promise<{whole: RenderBridge; killed: RenderBridge}> {
  const renderers = await renderPool()
  const repositories = [{url: repository.url}]
  const whole = new RenderBridge(folder, renderers, repositories, {})
  const {store, publishQueue, outcomes} = whole.ports
  // Whatever is asked of publish must find its bundles, however soon it looks.
  const checked: QueueSender = {
    send: async (body) => {
      for (const {bundle} of readyApps(publishRangeSchema.parse(JSON.parse(body))))
        assert.ok(whole.objects.has(keys.bundle(bundle.digest)), 'asked to publish a bundle that is not stored')
      await publishQueue.send(body)
    },
  }
  const killed = new RenderBridge(folder, renderers, repositories, {
    store: killSwitch.guard(store, ['create', 'swap', 'put']),
    publishQueue: killSwitch.guard(checked, ['send']),
    outcomes: killSwitch.guard(outcomes, ['send']),
  })
  return {whole, killed}
}

function readyApps({apps}: PublishRange) {
  return apps.flatMap((entry) => (entry.outcome === 'ready' ? [entry.app] : []))
}

/** What publish would come to, were it to take these requests in this order. */
function lastWishes(requests: readonly PublishRange[]): Record<string, string[]> {
  const wishes: Record<string, string[]> = {}
  for (const request of requests) {
    wishes[request.cluster] = request.apps.map((entry) =>
      entry.outcome === 'ready' ? `${entry.app.name} ${entry.app.bundle.digest}` : `${entry.name} failed`,
    )
  }
  return wishes
}

test('has the write points that the table counts on', async () => {
  const killSwitch = createKillSwitch(Number.POSITIVE_INFINITY, 'before')
  const {killed} = await prepare(killSwitch)
  assert.equal((await killed.push(repository.url)).again, false)
  assert.equal(killSwitch.writes(), writes)
})

// Three bundles, what their renders read, a request for each cluster, the outcome.
const writes = 7

for (const moment of ['before', 'after'] as const) {
  for (let at = 1; at <= writes; at++) {
    test(`asks for the same after being killed ${moment} write ${at} of ${writes} and delivered again`, async () => {
      const expected = lastWishes(
        (await (await prepare(createKillSwitch(99, 'before'))).whole.push(repository.url)).requests,
      )
      const {whole, killed} = await prepare(createKillSwitch(at, moment))
      const dying = await killed.push(repository.url)
      assert.equal(dying.again, true)
      assert.deepEqual(killed.deadLetters, [])

      const {requests, findings, again} = await whole.push(repository.url)
      assert.equal(again, false)
      assert.deepEqual(lastWishes(requests), expected)
      assert.deepEqual(Object.keys(expected).sort(), ['dev', 'prod'])
      assert.ok(findings.some(({app: name}) => name === 'bad'))
      for (const request of requests) {
        for (const {bundle} of readyApps(request)) assert.equal(whole.manifests(bundle).length, bundle.objects)
      }
    })
  }
}
