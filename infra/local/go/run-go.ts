import {spawn} from 'node:child_process'
import {setPriority} from 'node:os'
import {DrawbridgeError} from '#shared/model/drawbridge-error.ts'

/** Why Go did not do it: there is none, it failed and said why, it took over an hour, or the caller's signal ended it. */
export class GoError extends DrawbridgeError<'ABSENT' | 'FAILED' | 'TOO_SLOW' | 'INTERRUPTED'> {}

export interface RunGoOptions {
  sourceDir: string
  env: NodeJS.ProcessEnv
  /** @default this machine */
  target?: {GOOS: string; GOARCH: string}
  /** Sees each line of the standard error; what it answers true to is no part of an error's words. */
  isProgress?: (line: string) => boolean
  signal?: AbortSignal
}

const timeLimitMilliseconds = 60 * 60_000
const lowPriority = 10
const errorTailLines = 20
const maxOutputCharacters = 16 * 1024 * 1024

/** Runs the machine's Go at a low priority, and gives what it wrote to the standard output. Throws `GoError`. */
export function runGo(args: readonly string[], options: RunGoOptions): Promise<string> {
  const {sourceDir, env, target, isProgress, signal} = options
  if (signal?.aborted) return Promise.reject(interrupted())
  const tooLong = AbortSignal.timeout(timeLimitMilliseconds)
  return new Promise((resolve, reject) => {
    const go = spawn('go', args, {
      cwd: sourceDir,
      // A person's own flags, workspace or C compiler must not change what is built.
      env: {...env, GOOS: '', GOARCH: '', ...target, GOFLAGS: '', GOWORK: 'off', CGO_ENABLED: '0'},
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: signal === undefined ? tooLong : AbortSignal.any([signal, tooLong]),
    })
    let output = ''
    go.stdout.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(0, maxOutputCharacters)
    })
    const said: string[] = []
    let rest = ''
    const take = (line: string): void => {
      if (!isProgress?.(line)) said.splice(0, said.push(line) - errorTailLines)
    }
    go.stderr.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      lines.forEach(take)
    })
    go.once('spawn', () => lowerPriority(go.pid))
    go.once('error', (cause) => {
      if (signal?.aborted) reject(interrupted())
      else if (go.pid === undefined) reject(new GoError('ABSENT', `Go cannot be run: ${cause.message}`, {}, {cause}))
      else reject(new GoError('TOO_SLOW', `go ${args[0]} in ${sourceDir} was ended, for it took over an hour`))
    })
    go.once('close', (code, endedBy) => {
      if (code === 0) return resolve(output)
      // Ctrl-C in a terminal reaches Go itself, too.
      if (signal?.aborted) return reject(interrupted())
      if (rest !== '') take(rest)
      const how = endedBy === null ? `exit status ${code}` : `signal ${endedBy}`
      reject(new GoError('FAILED', `go ${args[0]} in ${sourceDir} ended with ${how}:\n${said.join('\n').trimEnd()}`))
    })
  })
}

// A build of minutes should leave the machine usable; that some systems refuse this does no harm.
function lowerPriority(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, lowPriority)
  } catch (error) {
    if (!(error instanceof Error)) throw error
  }
}

function interrupted(): GoError {
  return new GoError('INTERRUPTED', 'the build was interrupted')
}
