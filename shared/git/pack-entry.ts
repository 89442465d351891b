/** What an entry of a pack says of itself before its compressed bytes. */
export interface EntryHeader {
  type: string
  /** Of the object, or of the delta, once it is inflated. */
  size: number
  /** Of this header, in bytes. */
  length: number
  /** What it is a delta of: how many bytes before it that begins, or its id; undefined for a whole object. */
  base: {distance: number} | {oid: string} | undefined
}

/** A header is never longer. */
export const MAX_HEADER_BYTES = 64
const ID_BYTES = 20
const types = ['', 'commit', 'tree', 'blob', 'tag', '', 'ofs-delta', 'ref-delta']

/** Reads the header that an entry of a pack begins with (gitformat-pack(5), "pack-*.pack files have the following format"). */
export function readEntryHeader(bytes: Buffer): EntryHeader | 'damaged' {
  let at = 0
  const next = (): number => bytes[at++] ?? Number.NaN
  let byte = next()
  const type = types[(byte >> 4) & 7] ?? ''
  let size = byte & 15
  for (let factor = 16; (byte & 0x80) !== 0; factor *= 128) {
    byte = next()
    size += (byte & 0x7f) * factor
  }
  let base: EntryHeader['base']
  if (type === 'ofs-delta') {
    byte = next()
    let distance = byte & 0x7f
    while ((byte & 0x80) !== 0) {
      byte = next()
      distance = (distance + 1) * 128 + (byte & 0x7f)
    }
    if (distance <= 0 || !Number.isSafeInteger(distance)) return 'damaged'
    base = {distance}
  } else if (type === 'ref-delta') {
    base = {oid: bytes.toString('hex', at, at + ID_BYTES)}
    at += ID_BYTES
  }
  const cutShort = at > bytes.length
  return type === '' || cutShort || !Number.isSafeInteger(size) ? 'damaged' : {type, size, length: at, base}
}
