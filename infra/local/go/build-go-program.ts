import {mkdir, readFile, rename, rm, stat, writeFile} from 'node:fs/promises'
import {dirname} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {LocalStackError} from '../local-stack-error.ts'
import {takeLock} from '../lock-file.ts'
import type {GoProgram} from './go-program.ts'
import {patchModules} from './patch-modules.ts'
import {GoError, type RunGoOptions, runGo} from './run-go.ts'

export interface BuildOptions {
  /** Where the program shall be; it appears there whole or not at all. */
  file: string
  env: NodeJS.ProcessEnv
  /** Called with a line for people: what is built or waited for, how much of it is done, and for how many seconds now. */
  onProgress: (line: string) => void
  /** Ends the build or the wait for another's. */
  signal?: AbortSignal
  /** @default 10,000 */
  progressEveryMilliseconds?: number
}

const waitLimitMilliseconds = 60 * 60_000
const defaultProgressEveryMilliseconds = 10_000

/**
 * Builds a program, or waits while another process builds it. Throws `LocalStackError`: the program's `absentCode` without a Go,
 * BUILD_FAILED with Go's words, or INTERRUPTED by `signal`.
 */
export async function buildGoProgram(program: GoProgram, options: BuildOptions): Promise<void> {
  const {file, onProgress, signal, progressEveryMilliseconds = defaultProgressEveryMilliseconds} = options
  await mkdir(dirname(file), {recursive: true})
  const started = performance.now()
  const elapsedSeconds = () => Math.round((performance.now() - started) / 1000)
  while (performance.now() - started < waitLimitMilliseconds) {
    const lock = await takeLock(`${file}.lock`)
    if ('release' in lock) {
      try {
        if (!(await exists(file))) await buildOnce(program, options, elapsedSeconds)
        return
      } catch (error) {
        throw error instanceof GoError ? explain(program, error) : error
      } finally {
        await lock.release()
      }
    }
    onProgress(`waiting for process ${lock.heldBy}, which builds ${program.title}: ${elapsedSeconds()} s`)
    const pause = Math.min(progressEveryMilliseconds, 250 + elapsedSeconds() * 1_000)
    await sleep(pause, undefined, signal && {signal}).catch(() => undefined)
    if (signal?.aborted) throw interrupted(program)
  }
  throw new LocalStackError(
    'BUILD_FAILED',
    `another process still held ${file}.lock after an hour: end it and try again`,
  )
}

async function buildOnce(program: GoProgram, options: BuildOptions, elapsedSeconds: () => number): Promise<void> {
  const {title, sourceDir, flags, target, finish} = program
  const {file, env, onProgress, signal, progressEveryMilliseconds = defaultProgressEveryMilliseconds} = options
  let stage = 'fetching Go modules'
  onProgress(`building ${title} with Go (${howLong(program)}): ${stage}, ${elapsedSeconds()} s`)
  const say = () => onProgress(`building ${title}: ${stage}, ${elapsedSeconds()} s`)
  const timer = setInterval(say, progressEveryMilliseconds)
  const draft = `${file}.${process.pid}.new`
  const workDir = `${file}.${process.pid}.work`
  const own: RunGoOptions = {sourceDir, env, ...(target && {target}), ...(signal && {signal})}
  try {
    const place = {...own, sourceDir: await patchModules(sourceDir, workDir, own)}
    const waiting = await listStalePackages(flags, place)
    const total = waiting.size
    const isProgress = (line: string): boolean => {
      const isPackage = waiting.delete(line)
      if (isPackage) stage = describeShare(total - waiting.size, total)
      return isPackage
    }
    stage = describeShare(0, total)
    await runGo(['build', '-v', ...flags, '-o', draft, '.'], {...place, isProgress})
    if (finish !== undefined) await writeFile(draft, finish.run(await readFile(draft)))
    await rename(draft, file)
  } finally {
    clearInterval(timer)
    await rm(draft, {force: true})
    await rm(workDir, {recursive: true, force: true})
  }
  onProgress(`built ${title} in ${elapsedSeconds()} s: ${file}`)
}

// This fetches the modules, too: it takes seconds where they are there already.
async function listStalePackages(flags: readonly string[], place: RunGoOptions): Promise<Set<string>> {
  const stale = await runGo(['list', '-deps', ...flags, '-f', '{{if .Stale}}{{.ImportPath}}{{end}}', '.'], place)
  return new Set(stale.split('\n').filter((line) => line !== ''))
}

function describeShare(done: number, total: number): string {
  if (done >= total) return 'linking'
  return `${Math.floor((100 * done) / total)} % (${done} of ${total} packages)`
}

/** Says how long a build takes: the only place that does, but for the README. */
export function howLong({usualMinutes}: GoProgram): string {
  const minutes = `${usualMinutes} minute${usualMinutes === 1 ? '' : 's'}`
  return `once; about ${minutes} on 2 free cores, longer on a busy machine`
}

function explain(program: GoProgram, error: GoError): LocalStackError {
  const {title, choices, absentCode} = program
  switch (error.code) {
    case 'ABSENT':
      return new LocalStackError(absentCode, `${title} is not built yet, and ${error.message}\n${choices}`, {
        cause: error.cause,
      })
    case 'FAILED':
    case 'TOO_SLOW':
      return new LocalStackError('BUILD_FAILED', `${error.message}\n${choices}`)
    case 'INTERRUPTED':
      return interrupted(program)
  }
}

function interrupted({title}: GoProgram): LocalStackError {
  return new LocalStackError('INTERRUPTED', `the build of ${title} was interrupted`)
}

async function exists(file: string): Promise<boolean> {
  try {
    await stat(file)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
}
