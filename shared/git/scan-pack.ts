import {createHash} from 'node:crypto'
import {once} from 'node:events'
import {setImmediate as nextTurn} from 'node:timers/promises'
import {crc32, createInflate, type Inflate, inflateSync} from 'node:zlib'
import {limits} from '../model/limits.ts'
import {SourceError} from '../ports/source-error.ts'
import {type EntryHeader, readEntryHeader} from './pack-entry.ts'
import type {IndexedObject} from './pack-index.ts'

/** A delta, whose id is known only once what it is a delta of was read. */
export interface PendingDelta {
  offset: number
  crc: number
}

/** What was found by going once through a pack. */
export interface ScannedPack {
  whole: IndexedObject[]
  deltas: PendingDelta[]
  /** The pack's SHA-1, as its last bytes say. */
  checksum: Buffer
}

const HEADER_BYTES = 12
const CHECKSUM_BYTES = 20
/** Beyond this an object is inflated piece by piece, and never whole. */
const MAX_WHOLE_BYTES = 1024 * 1024
const PIECE_BYTES = 64 * 1024
const TURN_MS = 10

/**
 * Goes through a pack (gitformat-pack(5), version 2) once, and hashes what it holds. The size that an entry states is read before it is inflated:
 * no more than that is inflated, a large one in pieces, and all of them together to `maxUnpackedPackBytes`. Throws `SourceError` REPOSITORY_TOO_LARGE beyond that, and `Error` for what is damaged.
 */
export async function scanPack(pack: Buffer): Promise<ScannedPack> {
  const end = pack.length - CHECKSUM_BYTES
  if (end < HEADER_BYTES || pack.toString('latin1', 0, 4) !== 'PACK' || pack.readUInt32BE(4) !== 2)
    throw new Error('what the server sent is not a pack of version 2')
  const checksum = pack.subarray(end)
  if (!createHash('sha1').update(pack.subarray(0, end)).digest().equals(checksum))
    throw new Error('the pack that the server sent is damaged: its checksum is another')
  const scanned: ScannedPack = {whole: [], deltas: [], checksum}
  const count = pack.readUInt32BE(8)
  let unpacked = 0
  let turn = performance.now()
  let offset = HEADER_BYTES
  for (let done = 0; done < count; done++) {
    const header = readEntryHeader(pack.subarray(offset, end))
    if (header === 'damaged') throw new Error(`the pack that the server sent is damaged at ${offset}`)
    unpacked += header.size
    if (unpacked > limits.maxUnpackedPackBytes) throw tooMuch(unpacked)
    const start = offset + header.length
    const {oid, length} = await inflateAndHash(pack.subarray(start, end), header)
    const next = start + length
    const crc = crc32(pack.subarray(offset, next))
    if (header.base === undefined) scanned.whole.push({oid, offset, crc})
    else scanned.deltas.push({offset, crc})
    offset = next
    // A large pack must not keep everything else waiting.
    if (performance.now() - turn > TURN_MS) {
      await nextTurn()
      turn = performance.now()
    }
  }
  if (offset !== end) throw new Error(`the pack that the server sent is damaged: it has ${end - offset} bytes too many`)
  return scanned
}

/** The id of an entry's content, and how many bytes of the pack it takes. */
async function inflateAndHash(bytes: Buffer, header: EntryHeader): Promise<{oid: string; length: number}> {
  const hash = createHash('sha1').update(`${header.type} ${header.size}\0`)
  if (header.size > MAX_WHOLE_BYTES) return inflatePieces(bytes, header.size, hash)
  const {buffer, engine} = inflateWhole(bytes, header.size)
  if (buffer.length !== header.size) throw new Error(damaged(header.size))
  return {oid: hash.update(buffer).digest('hex'), length: engine.bytesWritten}
}

/** Types of Node know nothing of `info`, which tells how much of the input was used. */
function inflateWhole(bytes: Buffer, size: number): {buffer: Buffer; engine: {bytesWritten: number}} {
  const options = {info: true, maxOutputLength: Math.max(size, 1)}
  return inflateSync(bytes, options) as unknown as {buffer: Buffer; engine: {bytesWritten: number}}
}

async function inflatePieces(
  bytes: Buffer,
  size: number,
  hash: ReturnType<typeof createHash>,
): Promise<{oid: string; length: number}> {
  const inflater = createInflate()
  let inflated = 0
  inflater.on('data', (piece: Buffer) => {
    inflated += piece.length
    hash.update(piece)
    if (inflated > size) inflater.destroy(new Error(damaged(size)))
  })
  const ended = once(inflater, 'end')
  ended.catch(() => undefined)
  await feed(inflater, bytes, ended)
  await ended
  if (inflated !== size) throw new Error(damaged(size))
  return {oid: hash.digest('hex'), length: inflater.bytesWritten}
}

/** Writes as much as the stream takes until it has seen its own end. */
async function feed(inflater: Inflate, bytes: Buffer, ended: Promise<unknown>): Promise<void> {
  let over = false
  const settled = ended.finally(() => {
    over = true
  })
  for (let at = 0; at < bytes.length && !over; at += PIECE_BYTES) {
    const written = new Promise<void>((resolve) => {
      inflater.write(bytes.subarray(at, at + PIECE_BYTES), () => resolve())
    })
    await Promise.race([written, settled])
  }
  if (!over) inflater.end()
}

function damaged(size: number): string {
  return `the pack that the server sent is damaged: an object is not of the ${size} bytes that it states`
}

function tooMuch(bytes: number): SourceError {
  const {maxUnpackedPackBytes} = limits
  return new SourceError(
    'REPOSITORY_TOO_LARGE',
    `the files of this commit have more than ${maxUnpackedPackBytes} bytes together, and no more are fetched: keep large files elsewhere, such as in Git LFS`,
    {size: bytes},
  )
}
