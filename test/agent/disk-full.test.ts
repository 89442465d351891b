import assert from 'node:assert/strict'
import {randomBytes} from 'node:crypto'
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises'
import {request} from 'node:https'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {text} from 'node:stream/consumers'
import {after, before, test} from 'node:test'
import * as z from 'zod'
import {createKubeClient} from '#agent/kube/create-kube-client.ts'
import {loadKubeconfigEndpoint} from '#agent/kube/load-endpoint.ts'
import {createTransport} from '#agent/kube/send-request.ts'
import {type ControlPlaneTools, findControlPlane} from '#infra/local/find-control-plane.ts'
import {startAgent} from '#infra/local/start-agent.ts'
import {startCluster} from '#infra/local/start-cluster.ts'
import {startObjectStore} from '#infra/local/start-object-store.ts'
import {startQueues} from '#infra/local/start-queues.ts'
import {createAwsClients} from '#shared/aws/aws-clients.ts'
import {createS3ObjectStore} from '#shared/aws/s3-object-store.ts'
import {createSqsSender} from '#shared/aws/sqs-sender.ts'
import type {JournalEvent} from '#shared/model/journal-event.ts'
import {childObject, type JsonObject} from '#shared/model/manifest.ts'
import type {TestCluster} from './open-test-cluster.ts'
import {createTestPublisher} from './publish-state.ts'
import {applyAs, configMap, createTestBridge, namespace, types, waitUntil} from './start-test-agent.ts'

const QUOTA_BYTES = 24 * 1024 * 1024
const FILLER_BYTES = 700 * 1024

let folder: string
let tools: ControlPlaneTools
let cluster: TestCluster
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drawbridge-disk-full-'))
  tools = await findControlPlane({env: process.env, onProgress: () => undefined})
  // The last of two flags of one name counts.
  const etcd = join(folder, 'etcd-on-a-small-disk')
  const own = tools.etcd ?? `${tools.program}' 'etcd`
  await writeFile(etcd, `#!/bin/sh\nexec '${own}' "$@" --quota-backend-bytes=${QUOTA_BYTES}\n`, {mode: 0o755})
  const started = await startCluster({tools: {...tools, etcd}, stateDir: join(folder, 'cluster'), name: 'dev'})
  const transport = createTransport(await loadKubeconfigEndpoint(started.kubeconfigFile))
  cluster = {
    kubeconfigFile: started.kubeconfigFile,
    admin: createKubeClient(transport),
    transport,
    async stop() {
      transport.close()
      await started.stop()
    },
  }
})
after(async () => {
  await cluster?.stop()
  await rm(folder, {recursive: true, force: true})
})

const dataOf = async (space: string, name: string) => {
  const found = await cluster.admin.get(types.configMap, {namespace: space, name}, 'whole')
  return found === 'absent' ? undefined : childObject(found, 'data')?.v
}

/** Asks etcd itself, as its administrator would. */
async function askEtcd(path: string, body: JsonObject): Promise<unknown> {
  const at = (...parts: string[]) => join(folder, 'cluster', ...parts)
  const [ports, ca, cert, key] = await Promise.all([
    readFile(at('ports.json'), 'utf8'),
    readFile(at('certs', 'etcd-ca.crt')),
    readFile(at('certs', 'apiserver-etcd-client.crt')),
    readFile(at('certs', 'apiserver-etcd-client.key')),
  ])
  const {etcd} = z.object({etcd: z.number()}).parse(JSON.parse(ports))
  const url = `https://127.0.0.1:${etcd}/v3/${path}`
  const answer = await new Promise<{status: number; body: string}>((resolve, reject) => {
    const outgoing = request(url, {method: 'POST', ca, cert, key, timeout: 20_000}, (incoming) => {
      text(incoming).then((body) => resolve({status: incoming.statusCode ?? 0, body}), reject)
    })
    outgoing.on('error', reject)
    outgoing.end(JSON.stringify(body))
  })
  assert.equal(answer.status, 200, `${path}: ${answer.body}`)
  return JSON.parse(answer.body)
}

/** Gives the space of what was deleted back, and lets etcd write again. */
async function freeSpace(): Promise<void> {
  const status = z
    .object({header: z.object({member_id: z.string(), revision: z.string()})})
    .parse(await askEtcd('maintenance/status', {}))
  const {member_id, revision} = status.header
  await askEtcd('kv/compaction', {revision, physical: true})
  await askEtcd('maintenance/defragment', {})
  await askEtcd('maintenance/alarm', {action: 'DEACTIVATE', memberID: member_id, alarm: 'NOSPACE'})
}

test('a full disk below the API server is told in its words, prunes nothing, and is outlived', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent({config: {leaseSeconds: 15}})
  const space = 'full'
  await bridge.publish({
    [space]: {manifests: [namespace(space), configMap(space, 'x', {v: '1'}), configMap(space, 'gone', {v: '1'})]},
    lean: {manifests: [configMap('default', 'goes', {v: '1'}), configMap('default', 'stays', {v: '1'})]},
  })
  for (const app of [space, 'lean']) await agent.waitFor({event: 'healthy', app})

  let fillers = 0
  await assert.rejects(async () => {
    for (; fillers * FILLER_BYTES < 2 * QUOTA_BYTES; fillers++) {
      const filler = configMap('default', `filler-${fillers}`, {v: randomBytes(FILLER_BYTES).toString('base64')})
      await applyAs(cluster.admin, 'kubectl', types.configMap, filler)
    }
  }, /database space exceeded/)
  const seen = agent.events.length
  await bridge.publish({
    [space]: {manifests: [namespace(space), configMap(space, 'x', {v: '2'}), configMap(space, 'new', {v: '2'})]},
    lean: {manifests: [configMap('default', 'stays', {v: '1'})]},
  })
  const failed = await agent.waitFor({event: 'failed', app: space}, {after: seen})
  assert.match(failed.message ?? '', /etcdserver: mvcc: database space exceeded/)
  await waitUntil(
    () => bridge.report()?.apps.some(({name, message}) => name === space && /space exceeded/.test(message)) === true,
    'the words in the report',
  )
  assert.deepEqual(
    [await dataOf(space, 'x'), await dataOf(space, 'gone'), await dataOf('default', 'goes')],
    ['1', '1', '1'],
  )

  while (fillers-- > 0)
    await cluster.admin.delete(
      types.configMap,
      {namespace: 'default', name: `filler-${fillers}`},
      {propagation: 'Background'},
    )
  await freeSpace()
  await agent.waitFor({event: 'healthy', app: space}, {after: seen, timeoutMs: 60_000})
  await waitUntil(async () => (await dataOf('default', 'goes')) === undefined, 'the other app pruned', 60_000)
  assert.deepEqual(
    [
      await dataOf(space, 'x'),
      await dataOf(space, 'new'),
      await dataOf(space, 'gone'),
      await dataOf('default', 'stays'),
    ],
    ['2', '2', undefined, '1'],
  )
})

test('the agent itself does all that it does without writing to any disk', async (t) => {
  const s3 = await startObjectStore({tools, stateDir: join(folder, 's3'), bucket: 'bridge', log: () => undefined})
  t.after(() => s3.stop())
  const sqs = await startQueues()
  t.after(() => sqs.stop())
  const settings = {visibilityTimeoutSeconds: 5}
  const [queueUrl, statusQueueUrl] = [await sqs.createQueue('dev', settings), await sqs.createQueue('status', settings)]
  const {endpoint, region, bucket, rootCredentials} = s3
  const clients = createAwsClients({
    region,
    s3Endpoint: endpoint,
    sqsEndpoint: sqs.endpoint,
    credentials: rootCredentials,
  })
  const store = createS3ObjectStore({client: clients.s3, bucket})
  const publisher = await createTestPublisher('dev', store, createSqsSender({client: clients.sqs, queueUrl}))
  t.after(() => publisher.close())
  const trustRootFile = join(folder, 'root.json')
  await writeFile(trustRootFile, JSON.stringify(publisher.trustRoot))
  const events: JournalEvent[] = []
  const lines: string[] = []
  const agent = startAgent({
    connection: {
      cluster: 'dev',
      s3: {endpoint, region, bucket, ...rootCredentials},
      sqs: {endpoint: sqs.endpoint, region: sqs.region},
      queueUrl,
      statusQueueUrl,
      trustRootFile,
    },
    kubeconfigFile: cluster.kubeconfigFile,
    onEvent: (event) => void events.push(event),
    log: (line) => void lines.push(line),
    // Any write to a file is refused by the runtime, as by a disk that is full or read-only.
    program: {nodeArguments: ['--permission', '--allow-fs-read=*']},
    env: {
      POLL_INTERVAL_SECONDS: '1',
      LEASE_SECONDS: '2',
      HOME: '/nonexistent',
      TMPDIR: '/nonexistent',
      NODE_COMPILE_CACHE: '',
      CACHE_DIR: join(folder, 'copies'),
    },
  })
  t.after(() => agent.stop())
  const has = (event: string) => events.some((found) => found.event === event)
  const told = () => `${JSON.stringify(events)} ${lines.join('\n')}`
  await publisher.publish({dry: {manifests: ['a', 'b'].map((name) => configMap('default', name, {v: '1'}))}})
  await waitUntil(() => has('healthy'), told)
  await applyAs(cluster.admin, 'kubectl', types.configMap, configMap('default', 'a', {v: 'theirs'}))
  await waitUntil(() => has('healed'), told)
  await publisher.publish({dry: {manifests: [configMap('default', 'a', {v: '2'})]}})
  await waitUntil(() => has('pruned'), told)
  assert.deepEqual([await dataOf('default', 'a'), await dataOf('default', 'b')], ['2', undefined])
  // It was kept from writing: only the copies for a time without the store are wanting, and it says so.
  await waitUntil(() => lines.some((line) => line.includes('bundles are not kept')), told)
  assert.equal(await agent.stop(), 0)
})
