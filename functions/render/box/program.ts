import {limits} from '#shared/model/limits.ts'
import {type Place, RenderError, type RenderErrorCode} from '../render-error.ts'
import type {BoxFiles} from './box-files.ts'
import {createWasi, ProgramExit, type WasiWatch} from './wasi.ts'

/** Where the repository is for the programs in the box. The same as `box.Root` in renderers/box/files.go. */
const ROOT = '/repository'

/** One object that a program gave: its JSON as text, with all digits, and where it is from. */
export interface ProgramObject {
  json: string
  place: Place
}

/** What a program did with a job. */
export interface ProgramResult {
  objects: ProgramObject[]
  warnings: string[]
  problem: {code: RenderErrorCode; message: string; place: Place} | undefined
  /** Whether it asked for random bytes. */
  usedRandom: boolean
}

/** A program in the box that renders one job after the other. */
export interface Program {
  /** Throws `RenderError`; the program must not be used again where `isSpent` then. */
  run(job: object, files: BoxFiles, clock: Date): ProgramResult
  /** Whether something of a render stays in it, so that the next one needs another. */
  readonly isSpent: boolean
}

interface Run {
  files: BoxFiles
  clock: Date
  job: Uint8Array
  result: ProgramResult
  outputBytes: number
  printed: string
  printedBytes: number
  warnings: number
}

const maxPrintedBytes = 1024 * 1024
const keptPrintedLength = 4096
const maxWarnings = 20
/** No path in a repository that people work in is longer, and what walks a path must not overflow its stack. */
const maxPath = {length: 4096, parts: 256}
/** An instance that has grown is not kept, since a program's memory never shrinks. */
const keptMemoryBytes = 192 * 1024 * 1024

const answers = {absent: -1, folder: -2} as const

/** Starts a program: its module, with the files that a job is given and nothing else. */
export function startProgram(module: WebAssembly.Module): Program {
  let run: Run | undefined
  let pending: Uint8Array = new Uint8Array()
  let isSpent = false
  let printedAtStart = ''
  const text = new TextDecoder()
  const current = (): Run => {
    if (run === undefined) throw new TypeError('a program works only on a job')
    return run
  }
  const watch = (): WasiWatch => ({
    clock: run?.clock ?? new Date(0),
    onRandom: () => {
      if (run !== undefined) run.result.usedRandom = true
    },
    onPrint: (bytes) => {
      if (run === undefined) printedAtStart += text.decode(bytes)
      else notePrinted(run, text.decode(bytes))
    },
  })
  const memory = (): WebAssembly.Memory => exports.memory
  const textAt = (at: number, length: number): string => text.decode(new Uint8Array(memory().buffer, at, length))
  const answer = (bytes: Uint8Array): number => {
    pending = bytes
    return bytes.byteLength
  }

  const box = {
    ask(operationAt: number, operationLength: number, argumentAt: number, argumentLength: number): number {
      const operation = textAt(operationAt, operationLength)
      if (operation === 'job') return answer(current().job)
      const found = lookUp(current().files, operation, toRepositoryPath(textAt(argumentAt, argumentLength)))
      return typeof found === 'string' ? answers[found] : answer(found)
    },
    take(at: number): void {
      new Uint8Array(memory().buffer, at, pending.byteLength).set(pending)
      pending = new Uint8Array()
    },
    tell(kindAt: number, kindLength: number, at: number, length: number): void {
      const kind = textAt(kindAt, kindLength)
      if (kind === 'spent') isSpent = true
      else if (kind === 'clock') current().files.noteClock(current().clock)
      else noteTold(current(), kind, length, () => textAt(at, length))
    },
  }
  const instance = new WebAssembly.Instance(module, {wasi_snapshot_preview1: createWasi(module, memory, watch), box})
  const exports = instance.exports as {memory: WebAssembly.Memory; render: () => void; _initialize: () => void}
  try {
    exports._initialize()
  } catch (cause) {
    throw new TypeError(`the renderer does not start: ${printedAtStart.slice(0, keptPrintedLength)}`, {cause})
  }

  return {
    get isSpent() {
      return isSpent
    },
    run(job, files, clock) {
      const result: ProgramResult = {objects: [], warnings: [], problem: undefined, usedRandom: false}
      const jobBytes = Buffer.from(JSON.stringify(job))
      run = {files, clock, job: jobBytes, result, outputBytes: 0, printed: '', printedBytes: 0, warnings: 0}
      try {
        exports.render()
        return result
      } catch (error) {
        // The program was left in the middle of something.
        isSpent = true
        throw toRenderError(error, run.printed)
      } finally {
        run = undefined
        if (memory().buffer.byteLength > keptMemoryBytes) isSpent = true
      }
    },
  }
}

function lookUp(files: BoxFiles, operation: string, path: string): Uint8Array | 'absent' | 'folder' {
  switch (operation) {
    case 'stat': {
      const found = files.stat(path)
      if (found.type === 'absent') return 'absent'
      const real = found.path === '' ? ROOT : `${ROOT}/${found.path}`
      return Buffer.from(JSON.stringify({path: real, folder: found.type === 'folder'}))
    }
    case 'list': {
      const entries = files.list(path)
      return entries === undefined ? 'absent' : Buffer.from(JSON.stringify(entries.map(({name}) => name)))
    }
    case 'read':
      return files.read(path)
    default:
      throw new TypeError(`a program asked for ${operation}`)
  }
}

/** The path from the root of the repository. Throws `RenderError` PATH_LEAVES_REPOSITORY. */
function toRepositoryPath(path: string): string {
  if (path.length > maxPath.length || path.split('/').length > maxPath.parts) {
    throw new RenderError('PATH_NOT_FOUND', `a path of ${path.length} characters is longer than any that is read`)
  }
  if (path === ROOT) return ''
  if (path.startsWith(`${ROOT}/`)) return path.slice(ROOT.length + 1)
  const named = path.length > 200 ? `${path.slice(0, 200)}…` : path
  throw new RenderError(
    'PATH_LEAVES_REPOSITORY',
    `path ${JSON.stringify(named)} leaves the repository; only files in it are read`,
  )
}

function noteTold(run: Run, kind: string, length: number, read: () => string): void {
  run.outputBytes += length
  if (run.outputBytes > limits.maxRenderOutputBytes) {
    throw new RenderError('RENDER_OUTPUT_TOO_LARGE', `it rendered more than ${limits.maxRenderOutputBytes} bytes`)
  }
  const told = read()
  switch (kind) {
    case 'object': {
      const end = told.indexOf('\n')
      const place = JSON.parse(told.slice(0, end)) as Place
      run.result.objects.push({place, json: told.slice(end + 1)})
      if (run.result.objects.length > limits.maxObjectsPerBundle) {
        throw new RenderError('INPUT_TOO_LARGE', `the app has more than ${limits.maxObjectsPerBundle} objects`)
      }
      return
    }
    case 'warning':
      run.warnings += 1
      if (run.warnings <= maxWarnings) run.result.warnings.push(told.slice(0, keptPrintedLength))
      if (run.warnings === maxWarnings + 1) run.result.warnings.push('there are more warnings than are told')
      return
    case 'problem': {
      const {code, message, ...place} = JSON.parse(told) as {code: RenderErrorCode; message: string} & Place
      run.result.problem = {code, message, place}
      return
    }
    default:
      throw new TypeError(`a program told ${kind}`)
  }
}

function notePrinted(run: Run, words: string): void {
  run.printedBytes += words.length
  if (run.printed.length < keptPrintedLength) run.printed += words
  if (run.printedBytes > maxPrintedBytes) {
    throw new RenderError('RENDER_OUTPUT_TOO_LARGE', `it printed more than ${maxPrintedBytes} bytes`)
  }
}

function isCrash(error: Error): boolean {
  return error instanceof ProgramExit || error instanceof WebAssembly.RuntimeError || error instanceof RangeError
}

function toRenderError(error: unknown, printed: string): unknown {
  if (!(error instanceof Error) || !isCrash(error)) return error
  if (/out of memory|cannot allocate memory/.test(printed)) {
    return new RenderError(
      'RENDER_OUT_OF_MEMORY',
      `it needed more than ${limits.renderWasmMemoryBytes} bytes of memory: split the app, or make its files smaller`,
      {},
      {cause: error},
    )
  }
  if (error instanceof RangeError || /stack overflow|exceeds 2\d+-byte limit/.test(printed)) {
    return new RenderError('RENDER_FAILED', 'it nests too deeply, or calls itself without end', {}, {cause: error})
  }
  const cause = printed.split('\n').find((line) => line.trim() !== '') ?? error.message
  return new RenderError('RENDER_FAILED', `the renderer crashed: ${cause}`, {}, {cause: error})
}
