import {readFile} from 'node:fs/promises'
import {readTrustRoot} from '#shared/attest/trust-root.ts'
import {createAwsClients} from '#shared/aws/aws-clients.ts'
import {createS3ObjectStore} from '#shared/aws/s3-object-store.ts'
import {createSqsReceiver} from '#shared/aws/sqs-receiver.ts'
import {createSqsSender} from '#shared/aws/sqs-sender.ts'
import {escapeControls} from '#shared/journal/escape-controls.ts'
import {describeError} from '#shared/model/drawbridge-error.ts'
import {systemClock} from '#shared/ports/clock.ts'
import type {AgentPorts} from './agent-context.ts'
import {protectAgentState} from './check-policy.ts'
import {type AgentEnvironment, loadAgentEnvironment} from './config.ts'
import {keepBundles} from './keep-bundles.ts'
import {createKubeClient} from './kube/create-kube-client.ts'
import {loadInClusterEndpoint, loadKubeconfigEndpoint} from './kube/load-endpoint.ts'
import {createTransport} from './kube/send-request.ts'
import {createConcurrencyLimit} from './limit-concurrency.ts'
import {countOperations} from './metrics/count-operations.ts'
import {type AgentMetrics, createMetrics} from './metrics/create-metrics.ts'
import {serveEndpoints} from './metrics/serve-endpoints.ts'
import {AGENT_VERSION, runAgent} from './run-agent.ts'
import {silentTelemetry} from './telemetry.ts'

const REQUESTS_AT_ONCE = 16
const MAX_STOP_MS = 4_500
const warnings: ReadonlySet<string> = new Set(['drifted', 'refused', 'failed', 'rolledback'])
const LEVELS = ['debug', 'info', 'warn', 'error'] as const

async function main(): Promise<void> {
  const environment = loadAgentEnvironment(process.env)
  const {endpoints, config} = environment
  const metrics =
    endpoints === undefined
      ? undefined
      : createMetrics({version: AGENT_VERSION, cluster: config.cluster, clock: systemClock})
  const ports = await createPorts(environment, metrics)
  const served = endpoints === undefined || metrics === undefined ? undefined : await serveEndpoints(metrics, endpoints)
  const stop = new AbortController()
  const onSignal = () => {
    stop.abort()
    // Whatever hangs by then is safe to leave: everything can be killed at any instruction.
    setTimeout(() => process.exit(0), MAX_STOP_MS).unref()
  }
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, onSignal)
  await runAgent(ports, config, stop.signal)
  await served?.close()
  ports.kube.close()
}

async function createPorts(environment: AgentEnvironment, metrics: AgentMetrics | undefined): Promise<AgentPorts> {
  const {kubernetes, bucket, queueUrl, statusQueueUrl, trustRootFile, cacheFolder, logLevel} = environment
  const endpoint =
    'kubeconfig' in kubernetes
      ? await loadKubeconfigEndpoint(kubernetes.kubeconfig)
      : await loadInClusterEndpoint(kubernetes)
  const limit = createConcurrencyLimit(REQUESTS_AT_ONCE)
  const aws = createAwsClients()
  const writeLine = (line: object) => process.stdout.write(`${escapeControls(JSON.stringify(line))}\n`)
  const kube = createKubeClient(createTransport(endpoint, () => limit.throttled()))
  const log: AgentPorts['log'] = (level, message, about) => {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(logLevel)) return
    writeLine({level, at: systemClock.now().toISOString(), message, ...about})
  }
  const store = createS3ObjectStore({client: aws.s3, bucket})
  const warn = (message: string): void => log('warn', message)
  return {
    kube: metrics === undefined ? kube : countOperations(kube, metrics),
    telemetry: metrics ?? silentTelemetry,
    store: cacheFolder === undefined ? store : keepBundles(store, {folder: cacheFolder, log: warn}),
    queue: createSqsReceiver({client: aws.sqs, queueUrl}),
    statusQueue: createSqsSender({client: aws.sqs, queueUrl: statusQueueUrl}),
    clock: systemClock,
    journal: {record: (event) => writeLine({level: warnings.has(event.event) ? 'warn' : 'info', ...event})},
    trustRoot: readTrustRoot(await readFile(trustRootFile, 'utf8')),
    policy: protectAgentState(environment.config.namespace),
    limit,
    log,
  }
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${escapeControls(describeError(error))}\n`)
    process.exit(1)
  },
)
