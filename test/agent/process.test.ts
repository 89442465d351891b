import assert from 'node:assert/strict'
import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {after, before, test} from 'node:test'
import {findControlPlane} from '#infra/local/find-control-plane.ts'
import {type LocalAgent, startAgent} from '#infra/local/start-agent.ts'
import {type LocalObjectStore, startObjectStore} from '#infra/local/start-object-store.ts'
import {type LocalQueues, startQueues} from '#infra/local/start-queues.ts'
import {createAwsClients} from '#shared/aws/aws-clients.ts'
import {createS3ObjectStore} from '#shared/aws/s3-object-store.ts'
import {createSqsSender} from '#shared/aws/sqs-sender.ts'
import type {JournalEvent} from '#shared/model/journal-event.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {createTestPublisher, type TestPublisher} from './publish-state.ts'
import {configMap, namespace, types, waitUntil} from './start-test-agent.ts'

let folder: string
let cluster: TestCluster
let s3: LocalObjectStore
let sqs: LocalQueues
let publisher: TestPublisher
let launch: (onEvent: (event: JournalEvent) => void) => LocalAgent

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drawbridge-agent-process-'))
  const tools = await findControlPlane({env: process.env, onProgress: () => undefined})
  cluster = await openTestCluster()
  s3 = await startObjectStore({tools, stateDir: join(folder, 's3'), bucket: 'bridge', log: () => undefined})
  sqs = await startQueues()
  const settings = {visibilityTimeoutSeconds: 5}
  const queueUrl = await sqs.createQueue('dev', settings)
  const statusQueueUrl = await sqs.createQueue('status', settings)
  const clients = createAwsClients({
    region: s3.region,
    s3Endpoint: s3.endpoint,
    sqsEndpoint: sqs.endpoint,
    credentials: s3.rootCredentials,
  })
  const store = createS3ObjectStore({client: clients.s3, bucket: s3.bucket})
  publisher = await createTestPublisher('dev', store, createSqsSender({client: clients.sqs, queueUrl}))
  const trustRootFile = join(folder, 'root.json')
  await writeFile(trustRootFile, JSON.stringify(publisher.trustRoot))
  const {endpoint, region, bucket, rootCredentials} = s3
  launch = (onEvent) =>
    startAgent({
      connection: {
        cluster: 'dev',
        s3: {endpoint, region, bucket, ...rootCredentials},
        sqs: {endpoint: sqs.endpoint, region: sqs.region},
        queueUrl,
        statusQueueUrl,
        trustRootFile,
      },
      kubeconfigFile: cluster.kubeconfigFile,
      onEvent,
      log: () => undefined,
      env: {POLL_INTERVAL_SECONDS: '1', LEASE_SECONDS: '2'},
    })
})
after(async () => {
  await publisher?.close()
  await sqs?.stop()
  await s3?.stop()
  await cluster?.stop()
  await rm(folder, {recursive: true, force: true})
})

const countIn = async (space: string): Promise<number> => {
  const {items} = await cluster.admin.list(types.configMap, {
    detail: 'metadata',
    namespace: space,
    labelSelector: 'drawbridge.dev/app',
  })
  return items.length
}

test('killed in the middle of an apply, it goes on where it was and ends cleanly when told to', async (t) => {
  const events: JournalEvent[] = []
  const agent = launch((event) => void events.push(event))
  t.after(() => agent.stop())
  const app = (count: number) => ({
    many: {manifests: [namespace('many'), ...Array.from({length: count}, (_, i) => configMap('many', `c${i}`))]},
  })
  await publisher.publish(app(400))
  await waitUntil(async () => (await countIn('many')) > 50, 'the apply under way')
  agent.kill()
  assert.ok((await countIn('many')) < 400, 'it was killed before its end')
  // What the killed one has applied, and what it has not, is known to the next: all of it can be pruned.
  await publisher.publish(app(10))
  await waitUntil(async () => (await countIn('many')) === 10, 'ten objects', 40_000)
  await waitUntil(() => events.some(({event}) => event === 'healthy'), 'health')

  const at = performance.now()
  assert.equal(await agent.stop(), 0)
  assert.ok(performance.now() - at < 5_000, 'it ends in time')
})
