import assert from 'node:assert/strict'
import {randomBytes} from 'node:crypto'
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {after, before, test} from 'node:test'
import type {KubeClient} from '#agent/kube/kube-client.ts'
import {MEMORY} from '#infra/agent/agent-install.ts'
import {buildBundles} from '#infra/build-bundles.ts'
import {findControlPlane} from '#infra/local/find-control-plane.ts'
import {startAgent} from '#infra/local/start-agent.ts'
import {type LocalObjectStore, startObjectStore} from '#infra/local/start-object-store.ts'
import {type LocalQueues, startQueues} from '#infra/local/start-queues.ts'
import {createAwsClients} from '#shared/aws/aws-clients.ts'
import {createS3ObjectStore} from '#shared/aws/s3-object-store.ts'
import {createSqsSender} from '#shared/aws/sqs-sender.ts'
import type {JournalEvent} from '#shared/model/journal-event.ts'
import {limits} from '#shared/model/limits.ts'
import type {Manifest} from '#shared/model/manifest.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {createTestPublisher, type TestPublisher} from './publish-state.ts'
import {configMap, namespace, types, waitUntil} from './start-test-agent.ts'

/** `npm run test:memory` takes what the documentation promises; the suite takes less, in a heap that is as much smaller. */
const full = process.env.DRAWBRIDGE_TEST_MEMORY === 'full'
const size = full
  ? {foreign: 2_000, apps: 50, heapMebibytes: MEMORY.oldSpaceMebibytes, residentMebibytes: MEMORY.limitMebibytes}
  : {foreign: 160, apps: 4, heapMebibytes: 64, residentMebibytes: 192}
const FAT_BYTES = 250_000
/** Of so many apps, all of a cluster but for a few. */
const OBJECTS = Math.floor((limits.maxClusterObjects - 100) / 50)
/** What does not get smaller when it is packed. */
const NOISE_BYTES = 1_000
const waitMs = full ? 900_000 : 90_000

let folder: string
let cluster: TestCluster
let s3: LocalObjectStore
let sqs: LocalQueues
let publisher: TestPublisher
let launch: (onEvent: (event: JournalEvent) => void, log: (line: string) => void) => ReturnType<typeof startAgent>

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drawbridge-agent-memory-'))
  const tools = await findControlPlane({env: process.env, onProgress: () => undefined})
  cluster = await openTestCluster()
  s3 = await startObjectStore({tools, stateDir: join(folder, 's3'), bucket: 'bridge', log: () => undefined})
  sqs = await startQueues()
  const settings = {visibilityTimeoutSeconds: 5}
  const queueUrl = await sqs.createQueue('dev', settings)
  const statusQueueUrl = await sqs.createQueue('status', settings)
  const {endpoint, region, bucket, rootCredentials} = s3
  const clients = createAwsClients({
    region,
    s3Endpoint: endpoint,
    sqsEndpoint: sqs.endpoint,
    credentials: rootCredentials,
  })
  const store = createS3ObjectStore({client: clients.s3, bucket})
  publisher = await createTestPublisher('dev', store, createSqsSender({client: clients.sqs, queueUrl}))
  const trustRootFile = join(folder, 'root.json')
  await writeFile(trustRootFile, JSON.stringify(publisher.trustRoot))
  const root = join(import.meta.dirname, '..', '..')
  const [bundle] = await buildBundles({root, outDir: folder, only: ['agent']})
  assert.ok(bundle)
  const sqsRegion = sqs.region
  const sqsEndpoint = sqs.endpoint
  launch = (onEvent, log) =>
    startAgent({
      connection: {
        cluster: 'dev',
        s3: {endpoint, region, bucket, ...rootCredentials},
        sqs: {endpoint: sqsEndpoint, region: sqsRegion},
        queueUrl,
        statusQueueUrl,
        trustRootFile,
      },
      kubeconfigFile: cluster.kubeconfigFile,
      onEvent,
      log,
      restart: false,
      env: {POLL_INTERVAL_SECONDS: '1', AGENT_NAMESPACE: 'drawbridge-memory', CACHE_DIR: join(folder, 'bundles')},
      program: {
        file: bundle.file,
        nodeArguments: ['--max-semi-space-size=1', `--max-old-space-size=${size.heapMebibytes}`],
      },
    })
})
after(async () => {
  await publisher?.close()
  await sqs?.stop()
  await s3?.stop()
  await cluster?.stop()
  await rm(folder, {recursive: true, force: true})
})

test('lives through fat objects that anybody labelled and through bundles at every limit, within its pod', async (t) => {
  await cluster.admin.create(types.namespace, namespace('memory'))
  await makeFat(cluster.admin, size.foreign)
  const events: JournalEvent[] = []
  const lines: string[] = []
  const agent = launch(
    (event) => void events.push(event),
    (line) => void lines.push(line),
  )
  t.after(() => agent.stop())
  const small = {manifests: [configMap('memory', 'mine')]}
  await publisher.publish({small})
  const happened = (what: Partial<JournalEvent>) =>
    waitUntil(
      () => events.some((event) => Object.entries(what).every(([key, value]) => event[key as 'app'] === value)),
      () => `${JSON.stringify(what)} among ${JSON.stringify(events.slice(-10))}; ${lines.slice(-10).join('\n')}`,
      waitMs,
    )
  await happened({event: 'healthy', app: 'small'})
  const withForeign = await residentMebibytes(agent.processId())

  // Loaded and kept, and not applied: each waits for an app that is never ready.
  const large = Array.from({length: size.apps}, (_, index) => [
    `large-${index}`,
    {manifests: bundleAtLimit(`large-${index}`, OBJECTS), dependsOn: [{name: 'never'}]},
  ])
  await publisher.publish({small, ...Object.fromEntries(large)})
  for (const [name] of large) await happened({event: 'verified', app: String(name)})
  // Another of them is more than fits, and is told so.
  if (full) {
    const more = {manifests: bundleAtLimit('more', 800), dependsOn: [{name: 'never'}]}
    await publisher.publish({small, ...Object.fromEntries(large), more})
    await happened({event: 'refused', app: 'more'})
  }
  await publisher.publish({
    small: {manifests: [configMap('memory', 'mine', {changed: 'yes'})]},
    ...Object.fromEntries(large),
  })
  const before = events.length
  await waitUntil(
    () => events.slice(before - 1).some(({event, app}) => event === 'applied' && app === 'small'),
    'the change',
    waitMs,
  )
  const withBundles = await residentMebibytes(agent.processId())
  t.diagnostic(`most resident: ${withForeign} MiB with foreign objects, ${withBundles} MiB with bundles`)
  assert.ok(withBundles < size.residentMebibytes, `${withBundles} MiB`)
  assert.equal(await agent.stop(), 0, lines.slice(-10).join('\n'))
})

/** ConfigMaps with the owner's label, which no app declares; all that is read of them is their metadata. */
async function makeFat(admin: KubeClient, count: number): Promise<void> {
  const annotations = {fat: 'x'.repeat(FAT_BYTES)}
  for (let start = 0; start < count; start += 20) {
    const names = Array.from({length: Math.min(20, count - start)}, (_, index) => `fat-${start + index}`)
    await Promise.all(
      names.map((name) => {
        const metadata = {namespace: 'memory', name, labels: {'drawbridge.dev/app': `foreign-${name}`}, annotations}
        return admin.create(types.configMap, {apiVersion: 'v1', kind: 'ConfigMap', metadata})
      }),
    )
  }
}

/** As large as a bundle may be when it is unpacked, and 50 of them about as large as they may be packed. */
function bundleAtLimit(prefix: string, objects: number): Manifest[] {
  const each = Math.floor(limits.maxUnpackedBundleBytes / objects) - 300
  return Array.from({length: objects}, (_, index) =>
    configMap('memory', `${prefix}-${index}`, {
      fat: randomBytes(NOISE_BYTES).toString('base64').padEnd(each, 'drawbridge '),
    }),
  )
}

async function residentMebibytes(processId: number): Promise<number> {
  const status = await readFile(`/proc/${processId}/status`, 'utf8')
  return Math.ceil(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024)
}
