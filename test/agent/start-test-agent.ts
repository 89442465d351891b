import {setTimeout as sleep} from 'node:timers/promises'
import type {AgentPorts} from '#agent/agent-context.ts'
import {appType} from '#agent/app-definition.ts'
import {protectAgentState} from '#agent/check-policy.ts'
import type {AgentConfig} from '#agent/config.ts'
import {createKubeClient} from '#agent/kube/create-kube-client.ts'
import {apiVersionOf, type KubeClient, type ResourceType} from '#agent/kube/kube-client.ts'
import {loadKubeconfigEndpoint} from '#agent/kube/load-endpoint.ts'
import {createTransport, type KubeRequest, type KubeTransport} from '#agent/kube/send-request.ts'
import {createConcurrencyLimit} from '#agent/limit-concurrency.ts'
import {runAgent} from '#agent/run-agent.ts'
import {silentTelemetry} from '#agent/telemetry.ts'
import {parseExactJson, stringifyExact} from '#shared/bundle/exact-json.ts'
import {type ClusterReport, clusterReportSchema} from '#shared/model/cluster-report.ts'
import type {JournalEvent} from '#shared/model/journal-event.ts'
import {keys} from '#shared/model/keys.ts'
import type {JsonObject, Manifest} from '#shared/model/manifest.ts'
import {systemClock} from '#shared/ports/clock.ts'
import {createMemoryObjectStore, type MemoryObjectStore} from '../fakes/memory-object-store.ts'
import {createMemoryQueue, type MemoryQueue} from '../fakes/memory-queue.ts'
import type {TestCluster} from './open-test-cluster.ts'
import {createTestPublisher, type TestPublisher} from './publish-state.ts'

/** One cluster name with everything around its agent; agents come and go. */
export interface TestBridge {
  readonly store: MemoryObjectStore
  /** Where its agents keep their state. */
  readonly agentNamespace: string
  readonly queue: MemoryQueue
  readonly statusQueue: MemoryQueue
  readonly publisher: TestPublisher
  readonly publish: TestPublisher['publish']
  /** Starts an agent in this process. */
  startAgent(options?: TestAgentOptions): TestAgent
  report(): ClusterReport | undefined
  close(): Promise<void>
}

export interface TestAgentOptions {
  config?: Partial<AgentConfig>
  ports?: Partial<AgentPorts>
  /** Sees each request before it is sent; may throw in its place. */
  onRequest?: (request: KubeRequest) => void | Promise<void>
  /** Sees each request after it was answered; what it throws takes the place of the answer. */
  onAnswer?: (request: KubeRequest) => void
}

export interface TestAgent {
  readonly events: JournalEvent[]
  readonly requests: KubeRequest[]
  readonly lines: string[]
  /** Waits until an event that matches was recorded, and returns it. */
  waitFor(match: Partial<JournalEvent>, options?: {after?: number; timeoutMs?: number}): Promise<JournalEvent>
  stop(): Promise<void>
}

let bridges = 0

/** Creates a bridge whose agents keep their state in a namespace of its own, so that tests can share a cluster. Closed after the test. */
export async function createTestBridge(
  {kubeconfigFile}: TestCluster,
  test: {after(run: () => Promise<void>): void},
): Promise<TestBridge> {
  const name = 'dev'
  const namespace = `drawbridge-system-${process.pid}-${++bridges}`
  const store = createMemoryObjectStore()
  const queue = createMemoryQueue()
  const statusQueue = createMemoryQueue()
  const publisher = await createTestPublisher(name, store, queue)
  const endpoint = await loadKubeconfigEndpoint(kubeconfigFile)
  const agents = new Set<TestAgent>()

  const bridge: TestBridge = {
    store,
    agentNamespace: namespace,
    queue,
    statusQueue,
    publisher,
    publish: publisher.publish,
    startAgent(options = {}) {
      const stop = new AbortController()
      const events: JournalEvent[] = []
      const requests: KubeRequest[] = []
      const lines: string[] = []
      const limit = options.ports?.limit ?? createConcurrencyLimit(16)
      const transport = watchTransport(
        createTransport(endpoint, () => limit.throttled()),
        requests,
        options,
      )
      const ports: AgentPorts = {
        kube: createKubeClient(transport),
        store,
        queue,
        statusQueue,
        clock: systemClock,
        journal: {record: (event) => void events.push(event)},
        trustRoot: publisher.trustRoot,
        policy: protectAgentState(namespace),
        limit,
        telemetry: silentTelemetry,
        log: (level, message) => void lines.push(`${level} ${message}`),
        ...options.ports,
      }
      const config: AgentConfig = {
        cluster: name,
        namespace,
        pollIntervalSeconds: 1,
        verifyIntervalSeconds: 3_600,
        leaseSeconds: 5,
        ...options.config,
      }
      const ended = runAgent(ports, config, stop.signal)
      const agent: TestAgent = {
        events,
        requests,
        lines,
        async waitFor(match, {after = 0, timeoutMs = 20_000} = {}) {
          let found: JournalEvent | undefined
          const matches = (event: JournalEvent) =>
            Object.entries(match).every(([key, value]) => event[key as keyof JournalEvent] === value)
          await waitUntil(
            () => {
              found = events.slice(after).find(matches)
              return found !== undefined
            },
            () =>
              `${JSON.stringify(match)} among ${JSON.stringify(events.slice(after))}; ${lines.slice(-10).join('\n')}`,
            timeoutMs,
          )
          if (found === undefined) throw new Error('unreachable')
          return found
        },
        async stop() {
          stop.abort()
          await ended
          transport.close()
          agents.delete(agent)
        },
      }
      agents.add(agent)
      return agent
    },
    report() {
      const stored = store.objects.get(keys.report(name))
      return stored === undefined
        ? undefined
        : clusterReportSchema.parse(parseExactJson(Buffer.from(stored.bytes).toString('utf8')))
    },
    async close() {
      await Promise.all([...agents].map((agent) => agent.stop()))
      await publisher.close()
    },
  }
  test.after(() => bridge.close())
  return bridge
}

/** Waits until a condition holds, or fails saying what was waited for. */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  what: string | (() => string),
  timeoutMs = 20_000,
): Promise<void> {
  const giveUpAt = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > giveUpAt) {
      throw new Error(`not within ${timeoutMs / 1000} s: ${typeof what === 'string' ? what : what()}`)
    }
    await sleep(10)
  }
}

function watchTransport(
  transport: KubeTransport,
  requests: KubeRequest[],
  {onRequest, onAnswer}: TestAgentOptions,
): KubeTransport {
  return {
    ...transport,
    async send(request, expected) {
      requests.push(request)
      await onRequest?.(request)
      const answer = await transport.send(request, expected)
      onAnswer?.(request)
      return answer
    },
  }
}

/** Requests that change something in the cluster, but for the agent's own Lease and what it shows: App objects, Events, their definition. */
export function writesOf(requests: readonly KubeRequest[]): string[] {
  return requests
    .filter(
      ({method, path}) =>
        method !== 'GET' &&
        !/\/leases(\/|$)|^\/apis\/(drawbridge\.dev|events\.k8s\.io|apiextensions\.k8s\.io\/v1\/customresourcedefinitions\/apps\.drawbridge\.dev)/.test(
          path,
        ),
    )
    .map(({method, path}) => `${method} ${path}`)
}

export const types = {
  configMap: {group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true},
  namespace: {group: '', version: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false},
  secret: {group: '', version: 'v1', kind: 'Secret', plural: 'secrets', namespaced: true},
  deployment: {group: 'apps', version: 'v1', kind: 'Deployment', plural: 'deployments', namespaced: true},
} as const satisfies Record<string, ResourceType>

export function configMap(namespace: string, name: string, data: Record<string, string> = {}): Manifest {
  return {apiVersion: 'v1', kind: 'ConfigMap', metadata: {name, namespace}, data}
}

export function namespace(name: string): Manifest {
  return {apiVersion: 'v1', kind: 'Namespace', metadata: {name}}
}

export function deployment(inNamespace: string, name: string, replicas = 1, image = 'app:1'): Manifest {
  const labels = {app: name}
  const spec: JsonObject = {
    replicas,
    selector: {matchLabels: labels},
    template: {metadata: {labels}, spec: {containers: [{name: 'app', image}]}},
  }
  return {apiVersion: 'apps/v1', kind: 'Deployment', metadata: {name, namespace: inNamespace}, spec}
}

export function annotated(manifest: Manifest, annotations: Record<string, string>): Manifest {
  return {...manifest, metadata: {...manifest.metadata, annotations}}
}

/** Annotates an app's App object, as `kubectl annotate` does. */
export async function annotateApp(
  admin: KubeClient,
  {agentNamespace}: TestBridge,
  name: string,
  annotations: Record<string, string>,
): Promise<void> {
  const metadata = {name, namespace: agentNamespace, annotations}
  const body = {apiVersion: apiVersionOf(appType), kind: appType.kind, metadata}
  await applyAs(admin, 'kubectl-annotate', appType, body)
}

/** Changes an object as another client would: a merge by server-side apply under another manager's name. */
export async function applyAs(admin: KubeClient, manager: string, type: ResourceType, object: Manifest): Promise<void> {
  const target = {namespace: object.metadata.namespace ?? '', name: object.metadata.name}
  await admin.apply(type, target, stringifyExact(object), {fieldManager: manager, force: true, detail: 'metadata'})
}
