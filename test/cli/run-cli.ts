import {type ChildProcessByStdio, execFile, spawn} from 'node:child_process'
import {join} from 'node:path'
import type {Readable} from 'node:stream'

const launcher = join(import.meta.dirname, '..', '..', 'cli', 'drawbridge.js')
const timeoutMilliseconds = 60_000

/** What a run of the command line left behind. */
export interface CliResult {
  status: number
  stdout: string
  stderr: string
}

/** Runs `drawbridge` to its end, through its launcher. */
export function runCli(
  args: readonly string[],
  options: {cwd?: string; env?: NodeJS.ProcessEnv; input?: string} = {},
): Promise<CliResult> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [launcher, ...args],
      {cwd: options.cwd, env: options.env ?? process.env, timeout: timeoutMilliseconds, maxBuffer: 64 * 1024 * 1024},
      (error, stdout, stderr) =>
        resolve({status: error === null ? 0 : typeof error.code === 'number' ? error.code : 255, stdout, stderr}),
    )
    child.stdin?.end(options.input ?? '')
  })
}

/** Starts `drawbridge` and leaves it running. */
export function startCli(
  args: readonly string[],
  options: {cwd?: string} = {},
): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(process.execPath, [launcher, ...args], {cwd: options.cwd, stdio: ['ignore', 'pipe', 'pipe']})
}
