import {deflateRawSync, inflateRawSync} from 'node:zlib'
import {createBoundedMap} from '#shared/memory/bounded-map.ts'

/** Texts that are kept packed, outside of the heap. */
export interface Bodies {
  /** Keeps a text; what is returned reads it back, at the cost of unpacking some 256 KiB where that was not done lately. */
  add(text: string): () => string
  /** Packs what is still kept as it came. Call after the last text. */
  close(): void
}

/** Small enough to be unpacked in a millisecond, large enough to pack as well as the whole. */
const BLOCK_BYTES = 256 * 1024
const LEVEL = 4
const RECENT_BYTES = 4 * 1024 * 1024

type Block = {packed: Buffer} | {parts: Buffer[]}

/** What was unpacked last, of all bundles. */
const recent = createBoundedMap<Block, Buffer>(RECENT_BYTES, (unpacked) => unpacked.length)

/** Creates a store for the texts of one bundle: it is freed with the last reader. */
export function createBodies(): Bodies {
  let block: Block & {parts: Buffer[]} = {parts: []}
  let size = 0

  function pack(): void {
    if (size === 0) return
    const packed = deflateRawSync(Buffer.concat(block.parts), {level: LEVEL})
    const filled: Block = block
    // A copy of its own: small results of zlib share what they were cut from.
    Object.assign(filled, {packed: Buffer.from(packed), parts: undefined})
    block = {parts: []}
    size = 0
  }

  return {
    add(text) {
      const bytes = Buffer.from(text)
      const [home, start, end] = [block as Block, size, size + bytes.length]
      block.parts.push(bytes)
      size = end
      if (size >= BLOCK_BYTES) pack()
      return () => unpack(home).toString('utf8', start, end)
    },
    close: pack,
  }
}

function unpack(block: Block): Buffer {
  if (!('packed' in block)) return Buffer.concat(block.parts)
  const known = recent.get(block)
  if (known !== undefined) return known
  const unpacked = inflateRawSync(block.packed)
  recent.set(block, unpacked)
  return unpacked
}
