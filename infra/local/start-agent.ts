import {type ChildProcess, spawn} from 'node:child_process'
import {join} from 'node:path'
import {createInterface} from 'node:readline'
import {setTimeout as sleep} from 'node:timers/promises'
import type {JournalEvent} from '#shared/model/journal-event.ts'
import type {ClusterConnection} from './start-bridge.ts'

export interface StartAgentOptions {
  connection: ClusterConnection
  kubeconfigFile: string
  onEvent: (event: JournalEvent) => void
  log: (line: string) => void
  /** Further environment, as POLL_INTERVAL_SECONDS. */
  env?: Readonly<Record<string, string>>
  /** Start it again when it ends by itself, as a Deployment would. @default true */
  restart?: boolean
  /** What to run in place of the sources, as a pod does. */
  program?: AgentProgram
}

/** An agent to run: its entry file, and what Node is started with. */
export interface AgentProgram {
  /** @default the sources, or the build of an installed package */
  file?: string
  nodeArguments?: readonly string[]
}

/** A running agent: a process of its own, as in a pod. */
export interface LocalAgent {
  readonly processId: () => number
  /** Sends SIGTERM, then SIGKILL after 8 seconds; resolves once it is gone, with its exit code. */
  stop(): Promise<number | undefined>
  /** Ends it at once, as a crash would; it is started again where `restart` is on. */
  kill(): void
}

const stopGraceMilliseconds = 8_000
const maxRestartPauseMilliseconds = 10_000

/** Starts the agent against a cluster; its log lines that are events go to `onEvent`, all others to `log`. */
export function startAgent(options: StartAgentOptions): LocalAgent {
  const {restart = true} = options
  let stopping = false
  let child = launch(options)
  let exited = exitOf(child)
  let failures = 0
  const supervise = async (): Promise<number | undefined> => {
    for (;;) {
      const started = performance.now()
      const code = await exited
      if (stopping || !restart) return code
      failures = performance.now() - started > maxRestartPauseMilliseconds ? 1 : failures + 1
      options.log(`agent of cluster ${options.connection.cluster} ended (${code ?? 'killed'}); it is started again`)
      await sleep(Math.min(maxRestartPauseMilliseconds, 100 * 2 ** failures))
      if (stopping) return code
      child = launch(options)
      exited = exitOf(child)
    }
  }
  const supervised = supervise()
  return {
    processId: () => child.pid ?? 0,
    async stop() {
      stopping = true
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), stopGraceMilliseconds)
      const code = await supervised
      clearTimeout(timer)
      return code
    },
    kill: () => void child.kill('SIGKILL'),
  }
}

function launch({connection, kubeconfigFile, onEvent, log, env, program = {}}: StartAgentOptions): ChildProcess {
  const {cluster, s3, sqs} = connection
  const root = join(import.meta.dirname, '..', '..')
  // Node refuses to strip types below node_modules, so an installed package runs its build.
  const installed = import.meta.dirname.includes('node_modules')
  const {
    file = installed ? join(root, 'dist', 'agent', 'main.mjs') : join(root, 'agent', 'main.ts'),
    nodeArguments = [],
  } = program
  const child = spawn(
    process.execPath,
    [
      ...nodeArguments,
      '--disable-warning=ExperimentalWarning',
      '--import',
      join(import.meta.dirname, 'end-with-parent.js'),
      file,
    ],
    {
      // The channel closes when this process dies in whatever way, and the agent ends with it.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        ...(process.env.NODE_COMPILE_CACHE === undefined ? {} : {NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE}),
        CLUSTER_NAME: cluster,
        BUCKET: s3.bucket,
        QUEUE_URL: connection.queueUrl,
        STATUS_QUEUE_URL: connection.statusQueueUrl,
        TRUST_ROOT_FILE: connection.trustRootFile,
        KUBECONFIG: kubeconfigFile,
        METRICS_PORT: '0',
        AWS_REGION: s3.region,
        AWS_ACCESS_KEY_ID: s3.accessKeyId,
        AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
        AWS_ENDPOINT_URL_S3: s3.endpoint,
        AWS_ENDPOINT_URL_SQS: sqs.endpoint,
        ...env,
      },
    },
  )
  if (child.stdout !== null) {
    createInterface({input: child.stdout}).on('line', (line) => {
      const event = parseEvent(line)
      if (event === undefined) log(`agent ${cluster}: ${line}`)
      else onEvent(event)
    })
  }
  if (child.stderr !== null)
    createInterface({input: child.stderr}).on('line', (line) => log(`agent ${cluster}: ${line}`))
  return child
}

function exitOf(child: ChildProcess): Promise<number | undefined> {
  return new Promise((resolve) => {
    child.once('exit', (code) => resolve(code ?? undefined))
    child.once('error', () => resolve(undefined))
  })
}

function parseEvent(line: string): JournalEvent | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && 'event' in value && 'at' in value
      ? (value as JournalEvent)
      : undefined
  } catch {
    return undefined
  }
}
