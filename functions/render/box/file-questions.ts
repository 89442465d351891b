import {type MessagePort, receiveMessageOnPort} from 'node:worker_threads'
import {type Place, RenderError, type RenderErrorCode} from '../render-error.ts'
import {inFolder} from '../resolve-path.ts'
import type {FileAnswers, FolderEntry, Stat} from './box-files.ts'

/** What a worker asks of the main thread while it waits. */
export type FileQuestion =
  | {ask: 'stat' | 'list'; path: string}
  | {ask: 'read'; path: string; maxBytes: number}
  | {ask: 'module'; name: ModuleName}

export type ModuleName = 'kustomize' | 'helm'

/** What it is answered. `failed`: no render may go on. */
export type FileAnswer =
  | {stat: Stat}
  | {list: FolderEntry[]}
  | {bytes: Uint8Array<ArrayBuffer>}
  | {module: WebAssembly.Module}
  | {failed: {code: RenderErrorCode; message: string; place: Place}}
  /** An error that is not the app's: what is thrown on the main thread as it was. */
  | {broken: string}

/** A question on its way, and its answer: an answer is told from one that came late by its number. */
export type Asked = {number: number; question: FileQuestion}
export type Answered = {number: number; answer: FileAnswer}

/** How a worker asks: `signal` is a counter in shared memory that goes up with each answer. */
export interface QuestionLine {
  port: MessagePort
  signal: Int32Array
}

/** Thrown in a worker whose question met an error that is not the app's; the main thread has the cause. */
class AnswerBroken extends Error {}

const answerLimitMilliseconds = 120_000
let asked = 0

/** Asks the main thread and waits for the answer, on the spot: a program in the box cannot wait otherwise. Throws `RenderError`. */
export function askMain(line: QuestionLine, question: FileQuestion): FileAnswer {
  asked += 1
  const number = asked
  let seen = Atomics.load(line.signal, 0)
  const until = performance.now() + answerLimitMilliseconds
  line.port.postMessage({number, question} satisfies Asked)
  while (performance.now() < until) {
    // The wake-up call of the last answer may come only now, so being woken alone says nothing.
    Atomics.wait(line.signal, 0, seen, until - performance.now())
    seen = Atomics.load(line.signal, 0)
    const answer = takeAnswer(line.port, number)
    if (answer !== undefined) return readAnswer(answer)
  }
  throw new AnswerBroken('the main thread did not answer')
}

function takeAnswer(port: MessagePort, number: number): FileAnswer | undefined {
  for (;;) {
    const answered = receiveMessageOnPort(port)?.message as Answered | undefined
    if (answered === undefined) return undefined
    if (answered.number === number) return answered.answer
  }
}

function readAnswer(answer: FileAnswer): FileAnswer {
  if ('broken' in answer) throw new AnswerBroken(answer.broken)
  if ('failed' in answer) throw new RenderError(answer.failed.code, answer.failed.message, answer.failed.place)
  return answer
}

/** Gives compiled modules, each asked of the main thread once. */
export function createModuleAnswers(line: QuestionLine): (name: ModuleName) => WebAssembly.Module {
  const modules = new Map<ModuleName, WebAssembly.Module>()
  return (name) => {
    const known = modules.get(name)
    if (known !== undefined) return known
    const answer = askMain(line, {ask: 'module', name})
    if (!('module' in answer)) throw new TypeError('the answer is of another question')
    modules.set(name, answer.module)
    return answer.module
  }
}

/**
 * The files of one commit, asked of the main thread and remembered: a commit does not change. `startApp` begins the count of the
 * bytes that one app may read.
 */
export function createFileAnswers(
  line: QuestionLine,
  budget: {maxFileBytes: number; maxAppBytes: number; maxAppFiles: number; maxKeptBytes: number},
): FileAnswers & {startApp(): void} {
  const stats = new Map<string, Stat>()
  const lists = new Map<string, FolderEntry[]>()
  const files = new Map<string, Uint8Array>()
  let keptBytes = 0
  let appFiles = new Set<string>()
  let appBytes = 0

  const count = (path: string, bytes: Uint8Array): Uint8Array => {
    if (appFiles.has(path)) return bytes
    appFiles.add(path)
    appBytes += bytes.byteLength
    if (appBytes > budget.maxAppBytes || appFiles.size > budget.maxAppFiles) {
      const limit =
        appBytes > budget.maxAppBytes ? `${budget.maxAppBytes} bytes of files` : `${budget.maxAppFiles} files`
      throw new RenderError('INPUT_TOO_LARGE', `the app reads more than ${limit}; with ${path} it is over`, {
        file: path,
      })
    }
    return bytes
  }
  const askList = (path: string): FolderEntry[] => {
    const answer = askMain(line, {ask: 'list', path})
    if (!('list' in answer)) throw new TypeError('the answer is of another question')
    return answer.list
  }
  return {
    startApp() {
      appFiles = new Set()
      appBytes = 0
    },
    stat(path) {
      const known = stats.get(path)
      if (known !== undefined) return known
      const answer = askMain(line, {ask: 'stat', path})
      if (!('stat' in answer)) throw new TypeError('the answer is of another question')
      stats.set(path, answer.stat)
      return answer.stat
    },
    list(path) {
      const folder = this.stat(path)
      const real = folder.type === 'folder' ? folder.path : path
      const known = lists.get(real)
      const list = known ?? askList(real)
      lists.set(real, list)
      // What is in a folder that was listed need not be asked for.
      for (const {name, stat} of list) {
        // A link that leads nowhere may lead out of the repository: asked for, it is told.
        if (stat.type === 'file' || stat.type === 'folder') stats.set(inFolder(path, name), stat)
      }
      return list
    },
    read(path, oid) {
      const known = files.get(oid)
      if (known !== undefined) return count(path, known)
      const left = appFiles.has(path) ? budget.maxFileBytes : budget.maxAppBytes - appBytes
      const maxBytes = Math.min(budget.maxFileBytes, left)
      const answer = askMain(line, {ask: 'read', path, maxBytes})
      if (!('bytes' in answer)) throw new TypeError('the answer is of another question')
      const {bytes} = answer
      keptBytes += bytes.byteLength
      if (keptBytes > budget.maxKeptBytes) {
        files.clear()
        keptBytes = bytes.byteLength
      }
      files.set(oid, bytes)
      return count(path, bytes)
    },
  }
}
