import {readFile} from 'node:fs/promises'

/** The index of a pack: where in it each object begins. */
export interface PackIndex {
  /** The offset of an object in the pack; undefined where it is not in it. */
  find(oid: string): number | undefined
}

const HEADER_BYTES = 8
const FANOUT_BYTES = 256 * 4

/** Reads a pack's index (gitformat-pack(5), version 2, which git has written since 2008). */
export async function readPackIndex(path: string): Promise<PackIndex> {
  const bytes = await readFile(path)
  if (bytes.length < HEADER_BYTES + FANOUT_BYTES || bytes.readUInt32BE(0) !== 0xff744f63 || bytes.readUInt32BE(4) !== 2)
    throw new Error(`${path} is not an index of version 2: run git gc in that repository`)
  const fanout = (first: number): number => (first < 0 ? 0 : bytes.readUInt32BE(HEADER_BYTES + first * 4))
  const count = fanout(255)
  const names = HEADER_BYTES + FANOUT_BYTES
  const offsets = names + count * 24
  const largeOffsets = offsets + count * 4
  if (bytes.length < largeOffsets + 40) throw new Error(`${path} is cut short`)

  const offsetAt = (index: number): number => {
    const offset = bytes.readUInt32BE(offsets + index * 4)
    if (offset < 0x80000000) return offset
    return Number(bytes.readBigUInt64BE(largeOffsets + (offset - 0x80000000) * 8))
  }
  return {
    find(oid) {
      const wanted = Buffer.from(oid, 'hex')
      const first = wanted[0] ?? 0
      let low = fanout(first - 1)
      let high = fanout(first)
      while (low < high) {
        const middle = (low + high) >>> 1
        const at = names + middle * 20
        const order = wanted.compare(bytes, at, at + 20)
        if (order === 0) return offsetAt(middle)
        if (order < 0) high = middle
        else low = middle + 1
      }
      return undefined
    },
  }
}
