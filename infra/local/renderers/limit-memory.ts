import {DrawbridgeError} from '#shared/model/drawbridge-error.ts'

/** Why a module cannot be limited: it is no WebAssembly module, has not one memory of its own, or starts with more than the limit. */
export class WasmError extends DrawbridgeError<'MALFORMED' | 'NOT_ONE_MEMORY' | 'STARTS_TOO_LARGE'> {}

/** Bytes of a page of WebAssembly memory. WebAssembly 2.0, 4.2.8 */
export const wasmPageBytes = 65_536

const preamble = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)
const memorySectionId = 5

/**
 * Gives the module with its memory limited to `maxPages`, or to what it says itself if that is less: growing beyond it fails inside,
 * whatever the host allows. Everything else keeps its bytes. WebAssembly 2.0, 5.5.8. Throws `WasmError`.
 */
export function limitMemory(module: Uint8Array, maxPages: number): Uint8Array {
  if (!startsWith(module, preamble)) throw new WasmError('MALFORMED', 'this is not a WebAssembly module')
  let offset = preamble.length
  while (offset < module.length) {
    const [size, start] = readUnsigned(module, offset + 1)
    const end = start + size
    if (end > module.length) throw malformed()
    if (module[offset] === memorySectionId) {
      const section = limitSection(module.subarray(start, end), maxPages)
      const head = [memorySectionId, ...writeUnsigned(section.length)]
      return concat(module.subarray(0, offset), Uint8Array.from(head), section, module.subarray(end))
    }
    offset = end
  }
  throw new WasmError('NOT_ONE_MEMORY', 'the module has no memory of its own to limit')
}

function limitSection(section: Uint8Array, maxPages: number): Uint8Array {
  const [count, flagsAt] = readUnsigned(section, 0)
  if (count !== 1) throw new WasmError('NOT_ONE_MEMORY', `the module has ${count} memories`, {count})
  const flags = section[flagsAt]
  // 5.3.7: bit 0 says that there is a maximum; the others are shared and 64-bit memories, which nothing here makes.
  if (flags !== 0 && flags !== 1) throw malformed()
  const [minPages, maxAt] = readUnsigned(section, flagsAt + 1)
  const own = flags === 1 ? readUnsigned(section, maxAt)[0] : maxPages
  if (minPages > maxPages) {
    const details = {minPages, maxPages}
    throw new WasmError(
      'STARTS_TOO_LARGE',
      `the module starts with ${minPages} pages; at most ${maxPages} are left to it`,
      details,
    )
  }
  return Uint8Array.from([1, 1, ...writeUnsigned(minPages), ...writeUnsigned(Math.min(own, maxPages))])
}

// LEB128 (5.2.2), of at most 32 bits.
function readUnsigned(bytes: Uint8Array, start: number): [value: number, next: number] {
  let value = 0
  for (let index = 0; index < 5; index++) {
    const byte = bytes[start + index]
    if (byte === undefined) throw malformed()
    value += (byte & 0x7f) * 2 ** (7 * index)
    if (byte < 0x80) return [value, start + index + 1]
  }
  throw malformed()
}

function writeUnsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value % 0x80) | 0x80, ...writeUnsigned(Math.floor(value / 0x80))]
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return start.every((byte, index) => bytes[index] === byte)
}

function concat(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, {length}) => size + length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

function malformed(): WasmError {
  return new WasmError('MALFORMED', 'the WebAssembly module ends in the middle, or its memory is of an unknown kind')
}
