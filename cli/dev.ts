import {join, resolve} from 'node:path'
import type {Command} from 'commander'
import {startStack} from '#infra/local/start-stack.ts'
import type {JournalEvent} from '#shared/model/journal-event.ts'
import {clusterNameSchema} from '#shared/model/names.ts'
import {formatEvent} from './format-event.ts'
import {CliError, type CliIo, type ExitStatus} from './io.ts'
import {DEFAULT_STATE} from './open-bridge.ts'

interface DevOptions {
  json?: boolean
  state: string
  kubeconfig?: string
  cluster: string[]
  repo: string[]
}

/** Adds `drawbridge dev`. */
export function addDevCommand(program: Command, io: CliIo, done: (status: ExitStatus) => void): void {
  program
    .command('dev')
    .description(
      'run the whole bridge on this machine: functions, S3, SQS, a real API server per cluster and its agent',
    )
    .option('--state <dir>', 'where everything is kept; start again with the same one to go on', DEFAULT_STATE)
    .option('--cluster <name>', 'name of a cluster to run (repeatable; default: dev)', collect, [])
    .option('--kubeconfig <file>', 'use this existing cluster in place of an embedded one')
    .option(
      '--repo <bare.git>',
      'track this bare repository and install a post-receive hook in it (repeatable)',
      collect,
      [],
    )
    .option('--json', 'print one JSON object a line on stdout')
    .action(async (options: DevOptions) => {
      const clusters = options.cluster.length === 0 ? ['dev'] : options.cluster
      for (const name of clusters) {
        const checked = clusterNameSchema.safeParse(name)
        if (!checked.success)
          throw new CliError(`--cluster ${name}: ${checked.error.issues[0]?.message ?? 'not a name'}`)
      }
      if (options.kubeconfig !== undefined && clusters.length > 1)
        throw new CliError('--kubeconfig names one cluster: give --cluster once')
      await runStack(io, options, [...new Set(clusters)])
      done(0)
    })
}

async function runStack(io: CliIo, options: DevOptions, clusters: string[]): Promise<void> {
  const json = options.json === true
  // The ready line comes first, whatever happens while everything starts.
  let held: JournalEvent[] | undefined = []
  const print = (event: JournalEvent): void =>
    io.out(json ? `${JSON.stringify(event)}\n` : `${formatEvent(io, event)}\n`)
  const stateDir = resolve(io.cwd, options.state)
  const stack = await startStack({
    stateDir,
    clusters,
    ...(options.kubeconfig !== undefined && {kubeconfigFile: resolve(io.cwd, options.kubeconfig)}),
    repositories: options.repo.map((path) => resolve(io.cwd, path)),
    env: io.env,
    onEvent: (event) => (held === undefined ? print(event) : void held.push(event)),
    log: (line) => io.err(`${line}\n`),
    signal: io.signal,
  })
  try {
    const {bridge, kubeconfigs} = stack
    const ready = {
      event: 'ready',
      at: new Date().toISOString(),
      webhook: bridge.webhook,
      kubeconfig: kubeconfigs.get(clusters[0] ?? ''),
      s3: bridge.s3,
      sqs: {endpoint: bridge.sqs.endpoint},
      trustRoot: bridge.trustRootFile,
      publicKey: bridge.publicKeyFile,
      kubeconfigs: Object.fromEntries(kubeconfigs),
    }
    if (json) io.out(`${JSON.stringify(ready)}\n`)
    else {
      io.out(`ready. webhook ${bridge.webhook.url} · state ${stateDir}\n`)
      for (const [name, file] of kubeconfigs) io.out(`cluster ${name}: export KUBECONFIG=${file}\n`)
      if (options.repo.length === 0) io.out(`no repository is tracked yet: start again with --repo BARE.git\n`)
      io.out(`stop with Ctrl-C; "drawbridge status --state ${join(options.state)}" tells how the apps fare\n`)
    }
    for (const event of held) print(event)
    held = undefined
    await aborted(io.signal)
  } finally {
    io.err('stopping\n')
    await stack.stop()
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    signal.addEventListener('abort', () => resolve(), {once: true})
  })
}

function collect(value: string, previous: string[]): string[] {
  return [...previous, value]
}
