import {setImmediate as nextTurn} from 'node:timers/promises'

/** The sizes that a delta begins with: of what it is applied to, and of what comes of it (gitformat-pack(5)). */
export function readDeltaSizes(delta: Uint8Array): {base: number; result: number; length: number} {
  const base = readSize(delta, 0)
  const result = readSize(delta, base.end)
  return {base: base.size, result: result.size, length: result.end}
}

const COMMANDS_A_TURN = 50_000

/** Applies a delta; one of very many commands lets everything else have its turn. Rejects where it does not fit its base, or does not make what it says. */
export async function applyDelta(base: Uint8Array, delta: Uint8Array): Promise<Uint8Array> {
  const sizes = readDeltaSizes(delta)
  if (sizes.base !== base.length) throw damaged()
  const result = Buffer.allocUnsafe(sizes.result)
  let end = 0
  let at = sizes.length
  const next = (): number => {
    const byte = delta[at++]
    if (byte === undefined) throw damaged()
    return byte
  }
  const take = (source: Uint8Array, from: number, size: number): void => {
    if (from + size > source.length || end + size > result.length) throw damaged()
    result.set(source.subarray(from, from + size), end)
    end += size
  }
  for (let commands = 1; at < delta.length; commands++) {
    if (commands % COMMANDS_A_TURN === 0) await nextTurn()
    const command = next()
    if (command === 0) throw damaged()
    if ((command & 0x80) === 0) {
      take(delta, at, command)
      at += command
      continue
    }
    let from = 0
    let size = 0
    for (let byte = 0; byte < 4; byte++) if ((command & (1 << byte)) !== 0) from += next() * 2 ** (8 * byte)
    for (let byte = 0; byte < 3; byte++) if ((command & (0x10 << byte)) !== 0) size += next() * 2 ** (8 * byte)
    take(base, from, size === 0 ? 0x10000 : size)
  }
  if (end !== result.length) throw damaged()
  return result
}

function readSize(bytes: Uint8Array, start: number): {size: number; end: number} {
  let size = 0
  for (let at = start, factor = 1; at < bytes.length && at < start + 8; at++, factor *= 128) {
    const byte = bytes[at] ?? 0
    size += (byte & 0x7f) * factor
    if ((byte & 0x80) === 0) return {size, end: at + 1}
  }
  throw damaged()
}

function damaged(): Error {
  return new Error('a delta in a pack is damaged')
}
