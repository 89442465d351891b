import {createHash} from 'node:crypto'
import {readFile} from 'node:fs/promises'

/** The index of a pack: where in it each object begins. */
export interface PackIndex {
  /** The offset of an object in the pack; undefined where it is not in it. */
  find(oid: string): number | undefined
}

const HEADER_BYTES = 8
const FANOUT_BYTES = 256 * 4
const LARGE_OFFSET = 0x80000000

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
    if (offset < LARGE_OFFSET) return offset
    return Number(bytes.readBigUInt64BE(largeOffsets + (offset - LARGE_OFFSET) * 8))
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

/** Where an object begins in its pack, and the CRC-32 of its bytes there. */
export interface IndexedObject {
  oid: string
  offset: number
  crc: number
}

/** Makes the index of a pack of less than 2 GiB (gitformat-pack(5), version 2). `checksum` is the pack's own. */
export function encodePackIndex(objects: readonly IndexedObject[], checksum: Uint8Array): Buffer {
  // Bytes sort as their hexadecimal digits do.
  const sorted = [...objects].sort((a, b) => (a.oid < b.oid ? -1 : a.oid > b.oid ? 1 : 0))
  const count = sorted.length
  const names = HEADER_BYTES + FANOUT_BYTES
  const bytes = Buffer.alloc(names + count * 28)
  bytes.writeUInt32BE(0xff744f63, 0)
  bytes.writeUInt32BE(2, 4)
  const upTo = new Uint32Array(256)
  for (const [index, {oid, offset, crc}] of sorted.entries()) {
    if (offset >= LARGE_OFFSET) throw new RangeError(`offset ${offset} does not fit the index of a pack`)
    bytes.write(oid, names + index * 20, 'hex')
    bytes.writeUInt32BE(crc, names + count * 20 + index * 4)
    bytes.writeUInt32BE(offset, names + count * 24 + index * 4)
    upTo[Number.parseInt(oid.slice(0, 2), 16)] = index + 1
  }
  let most = 0
  for (const [first, end] of upTo.entries()) {
    most = Math.max(most, end)
    bytes.writeUInt32BE(most, HEADER_BYTES + first * 4)
  }
  const content = Buffer.concat([bytes, checksum])
  return Buffer.concat([content, createHash('sha1').update(content).digest()])
}
