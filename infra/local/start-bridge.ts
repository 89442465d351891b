import {rm} from 'node:fs/promises'
import {join} from 'node:path'
import * as z from 'zod'
import {createPublishHandler} from '#functions/publish/create-handler.ts'
import {createRenderPool} from '#functions/render/box/render-pool.ts'
import {createRenderHandler} from '#functions/render/create-handler.ts'
import {createStatusHandler} from '#functions/status/create-handler.ts'
import {createWebhookHandler} from '#functions/webhook/create-handler.ts'
import {createKeyFileSigner} from '#shared/attest/key-file-signer.ts'
import {createAwsClients} from '#shared/aws/aws-clients.ts'
import {createS3ObjectStore} from '#shared/aws/s3-object-store.ts'
import {createSqsClusterQueues} from '#shared/aws/sqs-cluster-queues.ts'
import {createSqsReceiver} from '#shared/aws/sqs-receiver.ts'
import {createSqsSender} from '#shared/aws/sqs-sender.ts'
import {createGitSource} from '#shared/git/create-git-source.ts'
import {createCommitStatuses} from '#shared/git-hosts/create-commit-statuses.ts'
import {clusterAccess, type FunctionName, functionAccess, type StoreGrant} from '#shared/model/access.ts'
import {API_VERSION} from '#shared/model/api-version.ts'
import {limits} from '#shared/model/limits.ts'
import {startTrace} from '#shared/model/trace.ts'
import type {TrackedRepository} from '#shared/model/tracked-repository.ts'
import {systemClock} from '#shared/ports/clock.ts'
import type {Journal} from '#shared/ports/journal.ts'
import type {ObjectStore} from '#shared/ports/object-store.ts'
import {loadBridgeKeys} from './bridge-keys.ts'
import type {Grant, GrantedAction} from './bucket-policy.ts'
import type {S3Access} from './connection.ts'
import type {ControlPlaneTools} from './find-control-plane.ts'
import {pollQueue} from './poll-queue.ts'
import type {RendererModules} from './renderers/find-renderers.ts'
import {serveWebhook} from './serve-webhook.ts'
import {startObjectStore} from './start-object-store.ts'
import {startQueues} from './start-queues.ts'
import {loadState, saveState} from './state-file.ts'

export interface StartBridgeOptions {
  tools: ControlPlaneTools
  rendererModules: RendererModules
  /** Everything the bridge keeps is below it; a later start with the same one goes on where this one ended. */
  stateDir: string
  repositories: readonly TrackedRepository[]
  /** Networks beside public ones that sources may be fetched from, as CIDRs. @default none: not from this machine's servers either */
  privateNetworks?: readonly string[]
  journal: Journal
  /** EMF metric lines. @default dropped */
  metrics?: (line: string) => void
  log: (line: string) => void
  /** How often every tracked ref is looked at. @default 60 */
  sweepIntervalSeconds?: number
  desiredTtlSeconds?: number
  /** Where the functions and agents reach S3 and SQS; tests put a fault-injecting proxy here. @default the servers themselves */
  endpoints?: {s3?: (endpoint: string) => Promise<string>; sqs?: (endpoint: string) => Promise<string>}
}

/** What one cluster's agent needs to reach the bridge: credentials that can do what `clusterAccess` says. */
export interface ClusterConnection {
  cluster: string
  s3: S3Access
  sqs: {endpoint: string; region: string}
  queueUrl: string
  statusQueueUrl: string
  trustRootFile: string
}

/** A running bridge on this machine: the deployed functions' own handlers over embedded S3 and SQS. */
export interface LocalBridge {
  readonly webhook: {url: string; secret: string}
  /** Credentials that may do everything. */
  readonly s3: S3Access
  /** Credentials that may read everything. */
  readonly viewer: S3Access
  readonly sqs: {endpoint: string; region: string}
  readonly trustRootFile: string
  readonly publicKeyFile: string
  /** Makes a cluster's queue and credentials; the same again for the same name. */
  addCluster(name: string): Promise<ClusterConnection>
  /** Looks at every tracked ref now. */
  sweep(): Promise<void>
  /** Restarts the S3 server (objects stay) or the SQS server (messages are lost). */
  restart(service: 's3' | 'sqs'): Promise<void>
  stop(): Promise<void>
}

const bucket = 'drawbridge'
const queuePrefix = 'drawbridge-cluster-'
const receivesBeforeDeadLetter = 8
const visibilityTimeoutSeconds = 150

const actionNames: Record<StoreGrant['actions'][number], GrantedAction> = {
  's3:GetObject': 'get',
  's3:PutObject': 'put',
  's3:ListBucket': 'list',
}

/** Starts a bridge and returns when it takes webhooks. It tracks the repositories given and looks at each at once. */
export async function startBridge(options: StartBridgeOptions): Promise<LocalBridge> {
  const {tools, stateDir, log, journal, sweepIntervalSeconds = 60} = options
  const stops: (() => Promise<unknown>)[] = []
  const stop = async (): Promise<void> => {
    for (const step of stops.splice(0).reverse()) await step()
  }
  try {
    return await start()
  } catch (error) {
    await stop()
    throw error
  }

  async function start(): Promise<LocalBridge> {
    const bridgeKeys = await loadBridgeKeys(stateDir)
    const [objects, queues] = await Promise.all([
      startObjectStore({tools, stateDir: join(stateDir, 's3'), bucket, log}).then((started) => {
        stops.push(() => started.stop())
        return started
      }),
      startQueues().then((started) => {
        stops.push(() => started.stop())
        return started
      }),
    ])
    // The object store's lock is ours now, so what is there was left by a run that was killed.
    await Promise.all(['git', 'work'].map((name) => rm(join(stateDir, name), {recursive: true, force: true})))
    const s3Endpoint = (await options.endpoints?.s3?.(objects.endpoint)) ?? objects.endpoint
    const sqsEndpoint = (await options.endpoints?.sqs?.(queues.endpoint)) ?? queues.endpoint
    const sqs = {endpoint: sqsEndpoint, region: queues.region}
    const access = (endpoint: string, credentials: {accessKeyId: string; secretAccessKey: string}): S3Access => ({
      endpoint,
      region: objects.region,
      bucket,
      ...credentials,
    })

    const queue = async (name: string): Promise<{url: string; deadLetterUrl: string; arn: string}> => {
      const deadLetterUrl = await queues.createQueue(`${name}-dead`, {visibilityTimeoutSeconds})
      const url = await queues.createQueue(name, {
        visibilityTimeoutSeconds,
        deadLetterAfter: {queue: `${name}-dead`, receives: receivesBeforeDeadLetter},
      })
      return {url, deadLetterUrl, arn: `arn:aws:sqs:${queues.region}:000000000000:${name}`}
    }
    const [renderQueue, publishQueue, statusQueue, outcomeQueue] = await Promise.all(
      ['drawbridge-render', 'drawbridge-publish', 'drawbridge-status', 'drawbridge-outcome'].map(queue),
    )
    if (!renderQueue || !publishQueue || !statusQueue || !outcomeQueue)
      throw new Error('unreachable: four queues were asked for')

    const {sqs: sqsClient} = createAwsClients({
      region: queues.region,
      sqsEndpoint,
      credentials: {accessKeyId: 'local', secretAccessKey: 'local'},
    })
    stops.push(async () => sqsClient.destroy())
    const sender = (queueUrl: string) => createSqsSender({client: sqsClient, queueUrl})
    const storeOf = async (name: FunctionName): Promise<ObjectStore> => {
      const credentials = await objects.createUser({
        name: `function-${name}`,
        grants: functionAccess[name].map(toGrant),
      })
      const {s3} = createAwsClients({region: objects.region, s3Endpoint, credentials})
      stops.push(async () => s3.destroy())
      return createS3ObjectStore({client: s3, bucket})
    }
    const [renderStore, publishStore, statusStore, viewer] = await Promise.all([
      storeOf('render'),
      storeOf('publish'),
      storeOf('status'),
      objects.createUser({name: 'viewer', grants: [{actions: ['get', 'list'], keys: ['*']}]}),
    ])

    const git = createGitSource({
      cacheDir: join(stateDir, 'git'),
      clock: systemClock,
      privateNetworks: options.privateNetworks ?? [],
    })
    const common = {clock: systemClock, journal}
    const publish = createPublishHandler(
      {
        ...common,
        store: publishStore,
        git,
        signer: createKeyFileSigner(bridgeKeys.signingKeyFile),
        trustRoot: async () => bridgeKeys.trustRoot,
        clusters: createSqsClusterQueues({client: sqsClient, prefix: queuePrefix}),
        statusQueue: sender(statusQueue.url),
        outcomes: sender(outcomeQueue.url),
        deadLetters: sender(publishQueue.deadLetterUrl),
      },
      {repositories: options.repositories, desiredTtlSeconds: options.desiredTtlSeconds ?? 7 * 24 * 3600},
    )
    const renderers = createRenderPool({modules: options.rendererModules})
    stops.push(() => renderers.close())
    void renderers.warm()
    const render = createRenderHandler(
      {
        ...common,
        store: renderStore,
        git,
        publishQueue: sender(publishQueue.url),
        renderQueue: sender(renderQueue.url),
        outcomes: sender(outcomeQueue.url),
        deadLetters: sender(renderQueue.deadLetterUrl),
        renderers,
      },
      {
        repositories: options.repositories,

        // A message that is not done within its visibility timeout would be taken by another poller too.
        timeBudgetSeconds: visibilityTimeoutSeconds - limits.renderTimeoutSeconds - 5,
      },
    )
    const status = createStatusHandler(
      {
        ...common,
        store: statusStore,
        commitStatuses: createCommitStatuses({clock: systemClock}),
        metrics: options.metrics ?? (() => undefined),
        deadLetters: sender(statusQueue.deadLetterUrl),
      },
      {outcomeQueueArn: outcomeQueue.arn},
    )
    for (const [source, handler, concurrency] of [
      [renderQueue, render, 2],
      [publishQueue, publish, 2],
      [statusQueue, status, 1],
      [outcomeQueue, status, 1],
    ] as const) {
      const poller = pollQueue({
        receiver: createSqsReceiver({client: sqsClient, queueUrl: source.url}),
        queueArn: source.arn,
        handler,
        concurrency,
        log,
      })
      stops.push(() => poller.stop())
    }

    const portFile = join(stateDir, 'webhook.json')
    const kept = await loadState(portFile, z.object({port: z.int()}))
    const handler = createWebhookHandler(
      {...common, renderQueue: sender(renderQueue.url)},
      {secrets: [bridgeKeys.webhookSecret]},
    )
    const server = await serveWebhook(handler, kept?.port).catch(() => serveWebhook(handler))
    await saveState(portFile, {port: server.port})
    stops.push(() => server.stop())

    const sweep = async (): Promise<void> => {
      await sender(renderQueue.url).send(JSON.stringify({apiVersion: API_VERSION, kind: 'Sweep', trace: startTrace()}))
    }
    const timer = setInterval(() => {
      sweep().catch((error: unknown) => log(`sweep: ${String(error)}`))
    }, sweepIntervalSeconds * 1000)
    stops.push(async () => clearInterval(timer))
    if (options.repositories.length > 0) await sweep()

    return {
      webhook: {url: server.url, secret: bridgeKeys.webhookSecret},
      s3: access(objects.endpoint, objects.rootCredentials),
      viewer: access(objects.endpoint, viewer),
      sqs,
      trustRootFile: bridgeKeys.trustRootFile,
      publicKeyFile: bridgeKeys.publicKeyFile,
      sweep,
      restart: (service) => (service === 's3' ? objects.restart() : queues.restart()),
      stop,
      async addCluster(name) {
        const [credentials, queueUrl] = await Promise.all([
          objects.createUser({name: `cluster-${name}`, grants: clusterAccess(name).map(toGrant)}),
          queues.createQueue(`${queuePrefix}${name}`, {visibilityTimeoutSeconds: 30}),
        ])
        return {
          cluster: name,
          s3: access(s3Endpoint, credentials),
          sqs,
          queueUrl,
          statusQueueUrl: statusQueue.url,
          trustRootFile: bridgeKeys.trustRootFile,
        }
      },
    }
  }
}

function toGrant(grant: StoreGrant): Grant {
  return {actions: grant.actions.map((action) => actionNames[action]), keys: [grant.keys]}
}
