import {readFile} from 'node:fs/promises'
import {join, resolve} from 'node:path'
import type {Command} from 'commander'
import * as z from 'zod'
import {startStack} from '#infra/local/start-stack.ts'
import {networkSchema} from '#shared/config/git-settings.ts'
import {describeError} from '#shared/model/drawbridge-error.ts'
import type {JournalEvent} from '#shared/model/journal-event.ts'
import {clusterNameSchema} from '#shared/model/names.ts'
import {type RepositoryPolicy, repositoryPolicySchema} from '#shared/model/tracked-repository.ts'
import {describeFileError} from './describe-file-error.ts'
import {findKubeconfig} from './find-kubeconfig.ts'
import {formatEvent} from './format-event.ts'
import {formatLogLine} from './format-log-line.ts'
import {CliError, type CliIo, type ExitStatus} from './io.ts'
import {DEFAULT_STATE} from './open-bridge.ts'
import {createEventOrder, orderEvents} from './order-events.ts'

/** How much later than the bridge's own events an agent's, which come through a pipe, may be. */
const HOLD_MILLISECONDS = 250

interface DevOptions {
  json?: boolean
  state: string
  kubeconfig?: string
  cluster: string[]
  repo: string[]
  policy?: string
  allowNetwork: string[]
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
    .option('--policy <file>', 'JSON object: what each repository may name, by its path, as "policy" in docs/aws.md')
    .option(
      '--allow-network <cidr>',
      'fetch sources from this network too, such as 127.0.0.1 (repeatable; default: public addresses only)',
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
      for (const network of options.allowNetwork) {
        if (!networkSchema.safeParse(network).success)
          throw new CliError(`--allow-network ${network}: not an IP address or a network such as 10.1.0.0/16`)
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
  const order = createEventOrder((event) => io.out(`${formatEvent(io, event)}\n`), HOLD_MILLISECONDS)
  const print = (event: JournalEvent): void => {
    if (json) io.out(`${JSON.stringify(event)}\n`)
    // A look that found nothing to do is no news.
    else if (event.event !== 'skipped' || event.code !== 'UNCHANGED') order.add(event)
  }
  const stateDir = resolve(io.cwd, options.state)
  const kubeconfigFile = options.kubeconfig === undefined ? undefined : await findKubeconfig(io, options.kubeconfig)
  const policies = options.policy === undefined ? undefined : await readPolicies(io, options.policy, options.repo)
  const stack = await startStack({
    stateDir,
    clusters,
    ...(kubeconfigFile !== undefined && {kubeconfigFile}),
    repositories: options.repo.map((path) => resolve(io.cwd, path)),
    ...(policies !== undefined && {policies}),
    bridge: {privateNetworks: options.allowNetwork},
    env: io.env,
    onEvent: (event) => (held === undefined ? print(event) : void held.push(event)),
    log: (line) => io.err(`${json ? line : formatLogLine(line)}\n`),
    onProgress: (line) => io.err(`${line}\n`),
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
    for (const event of orderEvents(held)) print(event)
    held = undefined
    await aborted(io.signal)
  } finally {
    order.end()
    io.err('stopping\n')
    await stack.stop()
  }
}

const policiesSchema = z.record(z.string(), repositoryPolicySchema)

async function readPolicies(io: CliIo, file: string, repos: readonly string[]): Promise<Map<string, RepositoryPolicy>> {
  const text = await readFile(resolve(io.cwd, file), 'utf8').catch((cause: unknown) => {
    throw new CliError(`--policy: cannot read ${file}: ${describeFileError(cause)}`)
  })
  try {
    const parsed = policiesSchema.parse(JSON.parse(text))
    const paths = new Set(repos.map((path) => resolve(io.cwd, path)))
    const policies = new Map(Object.entries(parsed).map(([path, policy]) => [resolve(io.cwd, path), policy]))
    const unknown = [...policies.keys()].find((path) => !paths.has(path))
    if (unknown !== undefined) throw new Error(`${unknown} is not given by --repo`)
    return policies
  } catch (cause) {
    const why = cause instanceof z.ZodError ? z.prettifyError(cause) : describeError(cause)
    throw new CliError(`--policy ${file}: ${why}`)
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
