import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {createKubeClient} from '#agent/kube/create-kube-client.ts'
import type {KubeClient} from '#agent/kube/kube-client.ts'
import {loadKubeconfigEndpoint} from '#agent/kube/load-endpoint.ts'
import {createTransport, type KubeTransport} from '#agent/kube/send-request.ts'
import {createEventLog, type EventLog} from '#infra/local/event-log.ts'
import {findFreePort} from '#infra/local/find-free-port.ts'
import {createGitWorkspace, type GitWorkspace} from '#infra/local/git-workspace.ts'
import {type LocalStack, startStack} from '#infra/local/start-stack.ts'
import {waitUntil} from '#infra/local/wait-until.ts'
import {buildAgentProgram} from './agent-program.ts'
import {awaitQuiet, type RequestCounts, readRequests} from './agent-requests.ts'
import {asFile, configMap, fleetConfig, smallApp} from './fleet.ts'
import type {PushedApp} from './push-app.ts'
import {type Memory, readCpuMs, readMemory} from './read-process.ts'

/** A running bridge with one cluster, `bench`, and the benchmark's repository. */
export interface BenchStack {
  stack: LocalStack
  events: EventLog
  workspace: GitWorkspace
  /** The cluster's API server, as its administrator. */
  client: KubeClient
  transport: KubeTransport
  agent: BenchAgent
  stop(): Promise<void>
}

/** The agent under measurement. */
export interface BenchAgent {
  /** Its requests since it started. */
  requests(): Promise<RequestCounts>
  /** Its requests since it started, once it has made all that it put off. */
  quietRequests(): Promise<RequestCounts>
  memory(): Promise<Memory | undefined>
  cpuMs(): Promise<number | undefined>
  /** Starts it anew, and waits until it has looked at its apps and come to rest. */
  restart(): Promise<void>
}

export interface BenchStackOptions {
  /** Run the agent's sources in place of its bundle. */
  fromSources: boolean
  /** Further arguments of the agent's Node. */
  nodeArguments: readonly string[]
  log: (line: string) => void
}

// What runs on a schedule and not because of what is measured: the hourly comparison by dry runs.
const verifyIntervalSeconds = 604_800
const startLimit = {timeoutMilliseconds: 60_000}

/** Builds the agent, starts a bridge, pushes the benchmark's apps with next to nothing in them and waits until they are healthy. */
export async function startBenchStack({fromSources, nodeArguments, log}: BenchStackOptions): Promise<BenchStack> {
  const folder = await mkdtemp(join(tmpdir(), 'drawbridge-bench-'))
  const workspace = await createGitWorkspace(folder)
  const events = createEventLog()
  const socket = join(folder, 'agent.socket')
  const stack = await startStack({
    stateDir: join(folder, 'state'),
    clusters: ['bench'],
    repositories: [workspace.bare],
    env: process.env,
    agentEnv: {
      BENCH_SOCKET: socket,
      VERIFY_INTERVAL_SECONDS: String(verifyIntervalSeconds),
      METRICS_PORT: String(await findFreePort()),
      NODE_ENV: 'production',
    },
    agentProgram: await buildAgentProgram({outDir: join(folder, 'dist'), fromSources, nodeArguments}),
    onEvent: events.record,
    log,
  })
  const transport = createTransport(await loadKubeconfigEndpoint(stack.kubeconfigs.get('bench') ?? ''))
  const client = createKubeClient(transport)
  const processId = (): number => stack.agents.get('bench')?.processId() ?? 0
  const healthy = async (app: PushedApp, since = 0): Promise<unknown> =>
    events.waitFor(`app ${app} is healthy`, (seen) => seen.event === 'healthy' && seen.app === app, {
      since,
      ...startLimit,
    })
  const agent: BenchAgent = {
    requests: () => readRequests(socket),
    quietRequests: () => awaitQuiet(socket),
    memory: () => readMemory(processId()),
    cpuMs: () => readCpuMs(processId()),
    async restart() {
      await stack.agents.get('bench')?.stop()
      stack.startAgent('bench')
      const answers = () => readRequests(socket).catch(() => undefined)
      if ((await waitUntil(answers, startLimit)) === undefined) throw new Error('the agent does not start')
      await awaitQuiet(socket)
    },
  }
  await workspace.write('drawbridge.yaml', fleetConfig)
  await workspace.write('small/app.yaml', asFile(smallApp('first')))
  for (const app of ['large', 'huge']) await workspace.write(`${app}/app.yaml`, asFile([configMap('placeholder', 'x')]))
  await workspace.push('The benchmark')
  for (const app of ['small', 'large', 'huge'] as const) await healthy(app)
  return {
    stack,
    events,
    workspace,
    client,
    transport,
    agent,
    async stop() {
      client.close()
      await stack.stop()
      await rm(folder, {recursive: true, force: true})
    },
  }
}
