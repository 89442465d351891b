import {spawn} from 'node:child_process'
import {limits} from '#shared/model/limits.ts'
import {RenderError} from './render-error.ts'

/** A renderer's process: what runs, where, and how much it may use. */
export interface RendererProcess {
  program: string
  args: readonly string[]
  /** Its working folder; should be empty. */
  home: string
  timeoutSeconds?: number
  maxOutputBytes?: number
}

/** How it ended: its standard output, or its own words. */
export type RendererResult = {ok: true; output: string} | {ok: false; words: string}

const maxErrorBytes = 64 * 1024
/** Nothing listens here (the discard port), so that whatever asks a proxy gets no answer but a refusal. */
const deadProxy = 'http://127.0.0.1:9'

/**
 * Runs a renderer in a process of its own: an environment that holds nothing of ours, no PATH, a proxy that leads nowhere, limits of
 * memory, processor time, wall time, files that it writes, and output. Throws `RenderError` RENDER_TIMEOUT, RENDER_OUTPUT_TOO_LARGE, and RENDER_FAILED
 * where it cannot be started.
 */
export function runRenderer(process_: RendererProcess): Promise<RendererResult> {
  const {home, timeoutSeconds = limits.renderTimeoutSeconds, maxOutputBytes = limits.maxRenderOutputBytes} = process_
  const [program, args] = limited(process_, timeoutSeconds)
  return new Promise((resolve, reject) => {
    // A process group of its own, so that whatever it starts ends with it.
    const child = spawn(program, args, {
      cwd: home,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    let stopped: RenderError | undefined
    const stop = (error: RenderError): void => {
      if (stopped !== undefined) return
      stopped = error
      killGroup(child.pid)
    }
    const timer = setTimeout(() => {
      stop(new RenderError('RENDER_TIMEOUT', `the render took longer than ${timeoutSeconds} seconds and was stopped`))
    }, timeoutSeconds * 1000)

    const output: Buffer[] = []
    let outputBytes = 0
    child.stdout.on('data', (part: Buffer) => {
      outputBytes += part.length
      if (outputBytes <= maxOutputBytes) output.push(part)
      else {
        const message = `the render wrote more than ${maxOutputBytes} bytes and was stopped`
        stop(new RenderError('RENDER_OUTPUT_TOO_LARGE', message))
      }
    })
    const words: Buffer[] = []
    let wordsBytes = 0
    child.stderr.on('data', (part: Buffer) => {
      if (wordsBytes < maxErrorBytes) words.push(part.subarray(0, maxErrorBytes - wordsBytes))
      wordsBytes += part.length
    })
    child.on('error', (cause) => {
      clearTimeout(timer)
      reject(new RenderError('RENDER_FAILED', `the renderer ${process_.program} cannot be started`, {}, {cause}))
    })
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      if (stopped !== undefined) reject(stopped)
      else if (code === 0) resolve({ok: true, output: Buffer.concat(output).toString('utf8')})
      else resolve({ok: false, words: describeEnd(Buffer.concat(words).toString('utf8').trim(), code, signal)})
    })
  })
}

/** On Linux a shell sets the limits and is replaced by the renderer; elsewhere wall time and output limit it. */
function limited({program, args}: RendererProcess, timeoutSeconds: number): [string, string[]] {
  if (process.platform !== 'linux') return [program, [...args]]
  const kibibytes = Math.floor(limits.renderMemoryBytes / 1024)
  // POSIX counts the size of files in blocks of 512 bytes.
  const blocks = Math.ceil(limits.maxSourceFileBytes / 512)
  const script = `ulimit -c 0; ulimit -f ${blocks}; ulimit -v ${kibibytes}; ulimit -t ${timeoutSeconds * 2}; exec "$0" "$@"`
  return ['/bin/sh', ['-c', script, program, ...args]]
}

/** The same for every render: kustomize takes values of an env file from here, and a folder's random name would end in a bundle. */
const environment: Readonly<Record<string, string>> = {
  HOME: '/nonexistent',
  TMPDIR: '/nonexistent',
  PATH: '/nonexistent',
  LC_ALL: 'C',
  TZ: 'UTC',
  HTTP_PROXY: deadProxy,
  HTTPS_PROXY: deadProxy,
  http_proxy: deadProxy,
  https_proxy: deadProxy,
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    // ESRCH: it ended by itself just now.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

function describeEnd(words: string, code: number | null, signal: NodeJS.Signals | null): string {
  const isOutOfMemory = /out of memory|cannot allocate memory|failed to reserve|mmap/i.test(words.slice(0, 2000))
  if (isOutOfMemory) return `it used more than ${limits.renderMemoryBytes} bytes of memory`
  if (signal === 'SIGKILL' || signal === 'SIGXCPU') return `it used too much processor time (${signal})`
  if (words !== '') return words
  return signal === null ? `it ended with exit code ${code} and said nothing` : `it was ended by ${signal}`
}
