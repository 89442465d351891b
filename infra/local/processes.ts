import {spawn} from 'node:child_process'
import {closeSync, mkdirSync, openSync} from 'node:fs'
import {open} from 'node:fs/promises'
import {dirname} from 'node:path'

import {LocalStackError} from './local-stack-error.ts'
import {waitUntil} from './wait-until.ts'

const stopGraceMilliseconds = 4_000
const logTailBytes = 4_096
const logTailLines = 12

/** What to start: a program that ends when its standard input does. Output of both kinds is appended to `logFile`. */
export interface ProcessSpec {
  name: string
  command: string
  args: readonly string[]
  logFile: string
  env?: NodeJS.ProcessEnv
}

/** A server process that this process started and must stop. */
export interface ServerProcess {
  readonly name: string
  readonly pid: number
  /** Undefined while it runs, then how it ended in words. */
  ended(): string | undefined
  /** Calls `listener` if the process ends without having been told to. */
  onUnexpectedEnd(listener: (how: string) => void): void
  /**
   * Ends it and resolves once it is gone: by SIGTERM, after `graceMilliseconds` by another, which tells some programs
   * not to wait for their clients, and after as long again by SIGKILL. @default 4000
   */
  stop(graceMilliseconds?: number): Promise<void>
}

/** Starts a server process in a session of its own, so that Ctrl-C reaches only its parent, which stops it in order. */
export async function startProcess(spec: ProcessSpec): Promise<ServerProcess> {
  mkdirSync(dirname(spec.logFile), {recursive: true, mode: 0o700})
  const log = openSync(spec.logFile, 'a', 0o600)
  const child = spawn(spec.command, spec.args, {
    stdio: ['pipe', log, log],
    detached: true,
    ...(spec.env && {env: spec.env}),
  })
  closeSync(log)
  let how: string | undefined
  let stopping = false
  const listeners: ((how: string) => void)[] = []
  const gone = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      how = signal === null ? `exit status ${code}` : `signal ${signal}`
      if (!stopping) for (const listener of listeners) listener(how)
      resolve()
    })
  })
  // The pipe only tells the child that we live; that it breaks when the child dies is no news.
  child.stdin?.on('error', () => undefined)
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', (cause) =>
      reject(
        new LocalStackError('PROCESS_DIED', `cannot start ${spec.name} (${spec.command}): ${cause.message}`, {cause}),
      ),
    )
  })
  return {
    name: spec.name,
    pid: child.pid ?? 0,
    ended: () => how,
    onUnexpectedEnd: (listener) => void listeners.push(listener),
    async stop(graceMilliseconds = stopGraceMilliseconds) {
      stopping = true
      if (how !== undefined) return
      child.kill('SIGTERM')
      const again = setTimeout(() => child.kill('SIGTERM'), graceMilliseconds)
      const atLast = setTimeout(() => child.kill('SIGKILL'), 2 * graceMilliseconds)
      await gone
      clearTimeout(again)
      clearTimeout(atLast)
      child.stdin?.destroy()
    },
  }
}

/**
 * Waits until `probe` answers true; a probe's error counts as "not yet".
 * Throws PORT_TAKEN or PROCESS_DIED with the end of the log if the process ends first, NOT_READY when the time is up.
 */
export async function waitUntilReady(
  server: ServerProcess,
  logFile: string,
  probe: () => Promise<boolean>,
  timeoutMilliseconds: number,
): Promise<void> {
  let lastError: unknown
  const ready = await waitUntil(
    async () => {
      const how = server.ended()
      if (how !== undefined) {
        const tail = await readLogTail(logFile)
        throw new LocalStackError(
          /address already in use/i.test(tail) ? 'PORT_TAKEN' : 'PROCESS_DIED',
          `${server.name} ended (${how}) before it was ready; the end of ${logFile}:\n${tail}`,
        )
      }
      try {
        return (await probe()) || undefined
      } catch (error) {
        lastError = error
        return undefined
      }
    },
    {timeoutMilliseconds},
  )
  if (ready === undefined) {
    throw new LocalStackError(
      'NOT_READY',
      `${server.name} was not ready in ${timeoutMilliseconds / 1000} s; the end of ${logFile}:\n${await readLogTail(logFile)}`,
      {cause: lastError},
    )
  }
}

/** Reads the last lines of a log, for an error message. */
export async function readLogTail(logFile: string): Promise<string> {
  await using file = await open(logFile, 'r')
  const {size} = await file.stat()
  const length = Math.min(size, logTailBytes)
  const {buffer} = await file.read(Buffer.alloc(length), 0, length, size - length)
  return buffer.toString('utf8').trimEnd().split('\n').slice(-logTailLines).join('\n')
}
