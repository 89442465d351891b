import {randomFillSync} from 'node:crypto'

/** What a program did to the walls of its box. */
export interface WasiWatch {
  /** What the program's wall clock shows: it stands. */
  readonly clock: Date
  onRandom(): void
  /** Called with what it prints, on either stream. May throw to end it. */
  onPrint(bytes: Uint8Array): void
}

/** Thrown out of a program that ended itself. */
export class ProgramExit extends Error {
  readonly exitCode: number

  constructor(exitCode: number) {
    super(`the program ended with exit code ${exitCode}`)
    this.exitCode = exitCode
  }
}

// WASI preview 1, errno.
const SUCCESS = 0
const BAD_FILE = 8
const NOT_CAPABLE = 76

// WASI preview 1, clockid.
const REALTIME = 0

/** Sizes of WASI's `subscription` and `event` records in bytes, and where their parts are. */
const subscription = {bytes: 48, kind: 8, clockId: 16, timeout: 24, flags: 40}
const event = {bytes: 32, kind: 10}

/** Libraries of Go expect that there is a first argument. */
const programName = Buffer.from('renderer\0')

type WasiFunction = (...args: never[]) => number | undefined

/**
 * The system of a program in the box, by the names of WASI preview 1: a clock that stands, random bytes, and a place to print to. There
 * are no files, no sockets and no variables, and the one argument is a name: whatever else it asks for is refused. `memory` is asked at each call,
 * since a program's memory moves when it grows.
 */
export function createWasi(
  module: WebAssembly.Module,
  memory: () => WebAssembly.Memory,
  watch: () => WasiWatch,
): Record<string, WasiFunction> {
  const view = (): DataView => new DataView(memory().buffer)
  const bytes = (at: number, length: number): Uint8Array => new Uint8Array(memory().buffer, at, length)
  // Time passes only by waiting, so that two runs see the same.
  let monotonic = 1n

  const known: Record<string, WasiFunction> = {
    sched_yield: () => SUCCESS,
    proc_exit: (code: number) => {
      throw new ProgramExit(code)
    },
    args_sizes_get: (count: number, size: number) => writeSizes(count, size, 1, programName.length),
    // A list of one pointer, and what it points to.
    args_get(list: number, buffer: number) {
      view().setUint32(list, buffer, true)
      bytes(buffer, programName.length).set(programName)
      return SUCCESS
    },
    environ_sizes_get: (count: number, size: number) => writeSizes(count, size, 0, 0),
    environ_get: () => SUCCESS,
    clock_time_get(id: number, _precision: bigint, at: number) {
      view().setBigUint64(at, id === REALTIME ? BigInt(watch().clock.getTime()) * 1_000_000n : monotonic, true)
      return SUCCESS
    },
    random_get(at: number, length: number) {
      watch().onRandom()
      randomFillSync(bytes(at, length))
      return SUCCESS
    },
    fd_write(file: number, vectors: number, count: number, written: number) {
      if (file !== 1 && file !== 2) return BAD_FILE
      let sum = 0
      for (let index = 0; index < count; index++) {
        const at = view().getUint32(vectors + 8 * index, true)
        const length = view().getUint32(vectors + 8 * index + 4, true)
        watch().onPrint(bytes(at, length))
        sum += length
      }
      view().setUint32(written, sum, true)
      return SUCCESS
    },
    // Whatever is waited for has come: the clock moves on to it.
    poll_oneoff(subscriptions: number, events: number, count: number, happened: number) {
      const data = view()
      for (let index = 0; index < count; index++) {
        const from = subscriptions + index * subscription.bytes
        const to = events + index * event.bytes
        const kind = data.getUint8(from + subscription.kind)
        bytes(to, event.bytes).fill(0)
        data.setBigUint64(to, data.getBigUint64(from, true), true)
        data.setUint8(to + event.kind, kind)
        if (kind !== 0) continue
        const timeout = data.getBigUint64(from + subscription.timeout, true)
        const isAbsolute = (data.getUint16(from + subscription.flags, true) & 1) === 1
        const end = isAbsolute ? timeout : monotonic + timeout
        if (data.getUint32(from + subscription.clockId, true) !== REALTIME && end > monotonic) monotonic = end
      }
      data.setUint32(happened, count, true)
      return SUCCESS
    },
    fd_prestat_get: () => BAD_FILE,
    fd_fdstat_get(file: number, at: number) {
      if (file > 2) return BAD_FILE
      bytes(at, 24).fill(0)
      // A character device, which may be written to.
      view().setUint8(at, 2)
      return SUCCESS
    },
    fd_fdstat_set_flags: () => SUCCESS,
  }

  function writeSizes(countAt: number, sizeAt: number, count: number, size: number): number {
    view().setUint32(countAt, count, true)
    view().setUint32(sizeAt, size, true)
    return SUCCESS
  }

  const wanted = WebAssembly.Module.imports(module).filter((each) => each.module === 'wasi_snapshot_preview1')
  return Object.fromEntries(wanted.map(({name}) => [name, known[name] ?? (() => NOT_CAPABLE)]))
}
