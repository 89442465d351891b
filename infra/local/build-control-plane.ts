import {spawn} from 'node:child_process'
import {mkdir, rename, rm, stat} from 'node:fs/promises'
import {setPriority} from 'node:os'
import {dirname} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'

import {LocalStackError} from './local-stack-error.ts'
import {takeLock} from './lock-file.ts'

const kubernetesVersion = 'v1.36.3'

/** Flags of `go build` that decide what the program is. */
export const controlPlaneBuildFlags: readonly string[] = [
  '-trimpath',
  '-buildvcs=false',
  `-ldflags=-s -w -X k8s.io/component-base/version.gitVersion=${kubernetesVersion} -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36`,
]

const buildLimitMilliseconds = 60 * 60_000
const progressEveryMilliseconds = 5_000
const lowPriority = 10
const errorTailLines = 20

interface BuildOptions {
  sourceDir: string
  /** Where the program shall be; it appears there whole or not at all. */
  program: string
  env: NodeJS.ProcessEnv
  onProgress: (line: string) => void
  /** Ends the build or the wait for another's. */
  signal?: AbortSignal
}

/** Builds the control plane, or waits while another process builds it. Throws NO_CONTROL_PLANE without a Go, BUILD_FAILED, or INTERRUPTED by `signal`. */
export async function buildControlPlane(options: BuildOptions): Promise<void> {
  const {program, onProgress, signal} = options
  await mkdir(dirname(program), {recursive: true})
  const started = performance.now()
  const elapsedSeconds = () => Math.round((performance.now() - started) / 1000)
  while (performance.now() - started < buildLimitMilliseconds) {
    const lock = await takeLock(`${program}.lock`)
    if ('release' in lock) {
      try {
        if (!(await exists(program))) await buildOnce(options, elapsedSeconds)
        return
      } finally {
        await lock.release()
      }
    }
    onProgress(`waiting for process ${lock.heldBy}, which builds the control plane: ${elapsedSeconds()} s`)
    const pause = Math.min(progressEveryMilliseconds, 250 + elapsedSeconds() * 1_000)
    await sleep(pause, undefined, signal && {signal}).catch(() => undefined)
    if (signal?.aborted) throw interrupted()
  }
  throw new LocalStackError(
    'BUILD_FAILED',
    `another process still held ${program}.lock after an hour: end it and try again`,
  )
}

async function buildOnce(
  {sourceDir, program, env, onProgress, signal}: BuildOptions,
  elapsedSeconds: () => number,
): Promise<void> {
  const say = () =>
    onProgress(`building the control plane with Go (once; 6-9 minutes on 2 cores): ${elapsedSeconds()} s`)
  say()
  const draft = `${program}.${process.pid}.new`
  const timer = setInterval(say, progressEveryMilliseconds)
  try {
    await runGo(['build', ...controlPlaneBuildFlags, '-o', draft, '.'], sourceDir, env, signal)
    await rename(draft, program)
  } finally {
    clearInterval(timer)
    await rm(draft, {force: true})
  }
  onProgress(`built the control plane in ${elapsedSeconds()} s: ${program}`)
}

function runGo(
  args: readonly string[],
  sourceDir: string,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (signal?.aborted) return Promise.reject(interrupted())
  const tooLong = AbortSignal.timeout(buildLimitMilliseconds)
  return new Promise((resolve, reject) => {
    const go = spawn('go', args, {
      cwd: sourceDir,
      // A person's own flags, workspace or C compiler must not change what is built.
      env: {...env, GOFLAGS: '', GOWORK: 'off', CGO_ENABLED: '0'},
      stdio: ['ignore', 'ignore', 'pipe'],
      signal: signal === undefined ? tooLong : AbortSignal.any([signal, tooLong]),
    })
    let output = ''
    go.stderr.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-16_384)
    })
    go.once('spawn', () => lowerPriority(go.pid))
    go.once('error', (cause) => {
      if (signal?.aborted) reject(interrupted())
      else reject(go.pid === undefined ? noGo(cause) : tooSlow(sourceDir))
    })
    go.once('close', (code, endedBy) => {
      if (code === 0) return resolve()
      // Ctrl-C in a terminal reaches Go itself, too.
      if (signal?.aborted) return reject(interrupted())
      const tail = output.trimEnd().split('\n').slice(-errorTailLines).join('\n')
      reject(
        new LocalStackError(
          'BUILD_FAILED',
          `go build in ${sourceDir} ended with ${endedBy === null ? `exit status ${code}` : `signal ${endedBy}`}:\n${tail}\n${choices}`,
        ),
      )
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

const choices = `To have a control plane, do one of these:
  - install Go 1.26 or newer, with access to the Go modules, and try again;
  - set DRAWBRIDGE_CONTROLPLANE to a control plane program built from the same sources on another machine.
KUBEBUILDER_ASSETS and an existing kubeconfig replace only etcd and the API server; the S3 gateway is in this program.`

function interrupted(): LocalStackError {
  return new LocalStackError('INTERRUPTED', 'the build of the control plane was interrupted')
}

function noGo(cause: Error): LocalStackError {
  return new LocalStackError(
    'NO_CONTROL_PLANE',
    `no control plane is built yet, and Go cannot be run: ${cause.message}\n${choices}`,
    {
      cause,
    },
  )
}

function tooSlow(sourceDir: string): LocalStackError {
  return new LocalStackError('BUILD_FAILED', `go build in ${sourceDir} was ended, for it took over an hour\n${choices}`)
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
