import {createRequire} from 'node:module'
import {Command, CommanderError} from 'commander'
import {describeError} from '#shared/model/drawbridge-error.ts'
import {CliError, type CliIo, type ExitStatus, showText} from './io.ts'

const ended = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'disconnect'] as const) {
  // `disconnect` is the launcher's death, SIGKILL included.
  process.on(signal, () => ended.abort())
}
process.channel?.unref()
// A reader that closes the pipe early (head, less) has what it wanted.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

const io: CliIo = {
  out: (text) => void process.stdout.write(showText(text)),
  err: (text) => void process.stderr.write(showText(text)),
  env: process.env,
  cwd: process.cwd(),
  signal: ended.signal,
  color: process.stdout.isTTY === true && (process.env.NO_COLOR ?? '') === '' && process.env.TERM !== 'dumb',
}

type AddCommand = (program: Command, io: CliIo, done: (status: ExitStatus) => void) => void

let status: ExitStatus = 0
const done = (code: ExitStatus): void => {
  status = code
}
const {version} = createRequire(import.meta.url)('../package.json') as {version: string}
const program = new Command('drawbridge')
  .description('GitOps without a way in: signed bundles from git to clusters, over S3 and SQS')
  .version(version)
  .exitOverride()
  .configureOutput({writeOut: io.out, writeErr: io.err})
  .configureHelp({showGlobalOptions: true})
  .addHelpText(
    'after',
    '\nData goes to stdout, everything else to stderr. Exit status: 0 yes or done, 1 no, 2 could not be told.',
  )
program
  .command('version')
  .description('print the version')
  .action(() => io.out(`${version}\n`))
// Only what was asked for is loaded: a command starts in a fraction of the time that all of them take.
const commands: Record<string, () => Promise<AddCommand>> = {
  dev: async () => (await import('./dev.ts')).addDevCommand,
  demo: async () => (await import('./demo.ts')).addDemoCommand,
  diff: async () => (await import('./diff.ts')).addDiffCommand,
  render: async () => (await import('./render.ts')).addRenderCommand,
  get: async () => (await import('./get.ts')).addGetCommand,
  status: async () => (await import('./status.ts')).addStatusCommand,
  history: async () => (await import('./history.ts')).addHistoryCommand,
  health: async () => (await import('./health.ts')).addHealthCommand,
  verify: async () => (await import('./verify.ts')).addVerifyCommand,
  keys: async () => (await import('./keys.ts')).addKeysCommand,
  agent: async () => (await import('./agent.ts')).addAgentCommand,
}
const asked = commands[process.argv[2] ?? '']
const needed = asked === undefined ? Object.values(commands) : [asked]
const adders = process.argv[2] === 'version' ? [] : await Promise.all(needed.map((load) => load()))
for (const add of adders) add(program, io, done)

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has printed its message; help and version end with 0.
    status = error.exitCode === 0 ? 0 : 2
  } else {
    io.err(`drawbridge: ${describeError(error)}\n`)
    status = error instanceof CliError ? error.exitStatus : 2
  }
}
process.exitCode = status
