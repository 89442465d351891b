import {constants} from 'node:fs'
import {access, mkdir} from 'node:fs/promises'
import {join, resolve} from 'node:path'
import {createKubeClient} from '#agent/kube/create-kube-client.ts'
import {loadKubeconfigEndpoint} from '#agent/kube/load-endpoint.ts'
import {createTransport} from '#agent/kube/send-request.ts'
import type {JournalEvent} from '#shared/model/journal-event.ts'
import type {RepositoryPolicy} from '#shared/model/tracked-repository.ts'
import {findControlPlane} from './find-control-plane.ts'
import {checkRepository, installHook, repositoryUrl} from './install-hook.ts'
import {LocalStackError} from './local-stack-error.ts'
import {findRenderers} from './renderers/find-renderers.ts'
import {type AgentProgram, type LocalAgent, startAgent} from './start-agent.ts'
import {type LocalBridge, type StartBridgeOptions, startBridge} from './start-bridge.ts'
import {type LocalCluster, startCluster} from './start-cluster.ts'
import {saveState} from './state-file.ts'

export interface StartStackOptions {
  stateDir: string
  /** Names of the clusters; each gets a control plane of its own and an agent. */
  clusters: readonly string[]
  /** An existing cluster to use in place of an embedded one; then `clusters` names exactly one. */
  kubeconfigFile?: string
  /** Paths of bare repositories to track. */
  repositories: readonly string[]
  /** What each may name, by its path. @default everything */
  policies?: ReadonlyMap<string, RepositoryPolicy>
  env: NodeJS.ProcessEnv
  onEvent: (event: JournalEvent) => void
  /** Lines for people on what is being started and what fails. */
  log: (line: string) => void
  /** Lines for people on how far the start is. */
  onProgress?: (line: string) => void
  /** Gives the start up; what was started by then is stopped. */
  signal?: AbortSignal
  /** Further environment of the agents. */
  agentEnv?: Readonly<Record<string, string>>
  /** What the agents run in place of the sources. */
  agentProgram?: AgentProgram
  bridge?: Partial<
    Pick<StartBridgeOptions, 'sweepIntervalSeconds' | 'desiredTtlSeconds' | 'endpoints' | 'metrics' | 'privateNetworks'>
  >
}

/** A whole Drawbridge on one machine. */
export interface LocalStack {
  readonly bridge: LocalBridge
  /** By cluster name; absent for an existing cluster that was given by its kubeconfig. */
  readonly clusters: ReadonlyMap<string, LocalCluster>
  readonly agents: ReadonlyMap<string, LocalAgent>
  /** Starts a cluster's agent again after its `stop`. */
  startAgent(cluster: string): void
  /** Admin kubeconfig by cluster name. */
  readonly kubeconfigs: ReadonlyMap<string, string>
  stop(): Promise<void>
}

const agentUser = 'drawbridge-agent'

/**
 * Starts everything: control planes, S3 and SQS, the functions, an agent per cluster, and a post-receive hook in each repository.
 * Returns when a push would be taken. What it started ends with this process, however that ends. Rejects with `LocalStackError`
 * BAD_INPUT before anything is started where a path is not what it should be, INTERRUPTED by `signal`, and those of the parts.
 */
export async function startStack(options: StartStackOptions): Promise<LocalStack> {
  const {env, log, onEvent, onProgress = () => undefined} = options
  const stateDir = resolve(options.stateDir)
  const repositories = [...new Set(options.repositories.map((path) => resolve(path)))]
  await checkPaths(stateDir, repositories, options.kubeconfigFile)
  const policies = new Map([...(options.policies ?? [])].map(([path, policy]) => [resolve(path), policy]))
  const checkInterrupted = (): void => {
    if (options.signal?.aborted) throw new LocalStackError('INTERRUPTED', 'stopped before everything was up')
  }
  const stops: (() => Promise<unknown>)[] = []
  const stop = async (): Promise<void> => {
    for (const step of stops.splice(0).reverse()) await step()
  }
  try {
    const find = {env, onProgress: log, ...(options.signal && {signal: options.signal})}
    // One after the other: each build takes all cores.
    const tools = await findControlPlane(find)
    const rendererModules = await findRenderers(find)
    checkInterrupted()
    const clusters = new Map<string, LocalCluster>()
    const agents = new Map<string, LocalAgent>()
    const kubeconfigs = new Map<string, string>()

    const bringCluster = async (name: string): Promise<string> => {
      if (options.kubeconfigFile !== undefined) {
        kubeconfigs.set(name, resolve(options.kubeconfigFile))
        return resolve(options.kubeconfigFile)
      }
      const clusterDir = join(stateDir, 'clusters', name)
      onProgress(`cluster ${name}: starting etcd, the API server, the controllers and kwok`)
      const began = performance.now()
      const components = {controllerManager: true, scheduler: true, kwok: true}
      const cluster = await startCluster({tools, stateDir: clusterDir, name, components, log})
      stops.push(() => cluster.stop())
      onProgress(`cluster ${name}: ready after ${secondsSince(began)}`)
      clusters.set(name, cluster)
      kubeconfigs.set(name, cluster.kubeconfigFile)
      await bindAgent(cluster.kubeconfigFile)
      return cluster.issueKubeconfig({name: agentUser}, join(clusterDir, 'agent.kubeconfig'))
    }

    onProgress('bridge: starting S3, SQS and the functions')
    const bridgeBegan = performance.now()
    const urls = repositories.map((path) => ({url: repositoryUrl(path), policy: policies.get(path)}))
    // All are waited for even where one fails, so that nothing is started after the clean-up.
    const [bridgeResult, ...clusterResults] = await Promise.allSettled([
      startBridge({
        tools,
        rendererModules,
        stateDir,
        repositories: urls,
        journal: {record: onEvent},
        log,
        ...options.bridge,
      }).then((bridge) => {
        stops.push(() => bridge.stop())
        onProgress(`bridge: ready after ${secondsSince(bridgeBegan)}`)
        return bridge
      }),
      ...options.clusters.map(bringCluster),
    ])
    if (bridgeResult.status === 'rejected') throw bridgeResult.reason
    checkInterrupted()
    const bridge = bridgeResult.value
    const launchers = new Map<string, () => void>()
    stops.push(() => Promise.all([...agents.values()].map((agent) => agent.stop())))
    for (const [index, name] of options.clusters.entries()) {
      const result = clusterResults[index]
      if (result === undefined || result.status === 'rejected') throw result?.reason
      const connection = await bridge.addCluster(name)
      const launch = (): void => {
        agents.set(
          name,
          startAgent({
            connection,
            kubeconfigFile: result.value,
            onEvent,
            log,
            env: {CACHE_DIR: join(stateDir, 'agents', name, 'bundles'), ...options.agentEnv},
            ...(options.agentProgram && {program: options.agentProgram}),
          }),
        )
      }
      launchers.set(name, launch)
      launch()
    }
    for (const repository of repositories) await installHook({repository, webhook: bridge.webhook, stateDir})
    await saveState(join(stateDir, 'connection.json'), {
      pid: process.pid,
      viewer: bridge.viewer,
      kubeconfigs: Object.fromEntries(kubeconfigs),
    })
    return {bridge, clusters, agents, kubeconfigs, startAgent: (cluster) => launchers.get(cluster)?.(), stop}
  } catch (error) {
    await stop()
    throw error
  }
}

function secondsSince(began: number): string {
  return `${((performance.now() - began) / 1000).toFixed(1)} s`
}

async function checkPaths(stateDir: string, repositories: readonly string[], kubeconfigFile?: string): Promise<void> {
  for (const repository of repositories) await checkRepository(repository)
  // Whether its server answers is the agent's to wait for; whether it can be read is known now.
  if (kubeconfigFile !== undefined) {
    await loadKubeconfigEndpoint(resolve(kubeconfigFile)).catch((cause: unknown) => {
      throw new LocalStackError('BAD_INPUT', `the kubeconfig ${kubeconfigFile} cannot be used`, {cause})
    })
  }
  try {
    await mkdir(stateDir, {recursive: true, mode: 0o700})
    await access(stateDir, constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw new LocalStackError('BAD_INPUT', `${stateDir} is not a directory that state can be kept in`, {cause})
  }
}

// The embedded cluster's agent has what the platform profile of the install manifests gives it: a user of its own, not system:masters.
async function bindAgent(adminKubeconfigFile: string): Promise<void> {
  const client = createKubeClient(createTransport(await loadKubeconfigEndpoint(adminKubeconfigFile)))
  try {
    const binding = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: {name: agentUser},
      roleRef: {apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin'},
      subjects: [{apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: agentUser}],
    }
    const type = {
      group: 'rbac.authorization.k8s.io',
      version: 'v1',
      kind: 'ClusterRoleBinding',
      plural: 'clusterrolebindings',
      namespaced: false,
    }
    await client.create(type, binding)
  } finally {
    client.close()
  }
}
