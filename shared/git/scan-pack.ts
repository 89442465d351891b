import {createHash, type Hash} from 'node:crypto'
import {once} from 'node:events'
import {crc32, createInflate, type Inflate, inflateSync} from 'node:zlib'
import {limits} from '../model/limits.ts'
import {SourceError} from '../ports/source-error.ts'
import {type EntryHeader, readEntryHeader} from './pack-entry.ts'
import {tooLarge, type UnpackBudget} from './unpack-budget.ts'

/** An entry of a pack, where its compressed bytes are, and the CRC-32 of all of it. */
export interface ScannedEntry extends EntryHeader {
  offset: number
  end: number
  crc: number
}

/** An entry that is an object as it stands. */
export interface WholeEntry extends ScannedEntry {
  base: undefined
  oid: string
}

/** An entry that is a delta: its id is known only once what it is a delta of was read. */
export interface DeltaEntry extends ScannedEntry {
  base: NonNullable<EntryHeader['base']>
}

/** What was found by going once through a pack. */
export interface ScannedPack {
  whole: WholeEntry[]
  deltas: DeltaEntry[]
  /** The pack's SHA-1, as its last bytes say. */
  checksum: Buffer
}

const HEADER_BYTES = 12
const CHECKSUM_BYTES = 20
/** Beyond this an object is inflated piece by piece, and never whole. */
const MAX_WHOLE_BYTES = 1024 * 1024
const PIECE_BYTES = 64 * 1024

/**
 * Goes through a pack (gitformat-pack(5), version 2) once, and hashes what it holds. The size that an entry states is read before it is inflated: no
 * more than that is inflated, and a large one in pieces. Throws `SourceError` REPOSITORY_TOO_LARGE, REPOSITORY_DAMAGED and, where the pack did not
 * arrive as it was sent, UNAVAILABLE.
 */
export async function scanPack(pack: Buffer, budget: UnpackBudget): Promise<ScannedPack> {
  const end = pack.length - CHECKSUM_BYTES
  if (end < HEADER_BYTES || pack.toString('latin1', 0, 4) !== 'PACK' || pack.readUInt32BE(4) !== 2)
    throw damaged('it is not a pack of version 2')
  const checksum = pack.subarray(end)
  if (!createHash('sha1').update(pack.subarray(0, end)).digest().equals(checksum))
    throw new SourceError('UNAVAILABLE', 'what the git host sent did not arrive whole: its checksum is another')
  const count = pack.readUInt32BE(8)
  if (count > limits.maxPackObjects) throw tooLarge(`has ${count} objects`, `${limits.maxPackObjects}`)
  const scanned: ScannedPack = {whole: [], deltas: [], checksum}
  let offset = HEADER_BYTES
  for (let done = 0; done < count; done++) {
    const header = readEntryHeader(pack.subarray(offset, end))
    if (header === 'damaged') throw damaged(`there is no object at ${offset}`)
    budget.spend(header.size)
    const start = offset + header.length
    const {oid, length} = await inflateAndHash(pack.subarray(start, end), header)
    const place = {offset, end: start + length, crc: crc32(pack.subarray(offset, start + length))}
    const {base} = header
    if (base === undefined) scanned.whole.push({...header, ...place, base, oid})
    else scanned.deltas.push({...header, ...place, base})
    offset = place.end
    await budget.pause()
  }
  if (offset !== end) throw damaged(`it has ${end - offset} bytes too many`)
  return scanned
}

/** The error of a pack that is not as the format says, though it arrived as it was sent. */
export function damaged(why: string): SourceError {
  return new SourceError('REPOSITORY_DAMAGED', `what the git host sends cannot be read: ${why}. Run git fsck there`)
}

/** The id of an entry's content, and how many bytes of the pack it takes. */
async function inflateAndHash(bytes: Buffer, {type, size}: EntryHeader): Promise<{oid: string; length: number}> {
  const hash = createHash('sha1').update(`${type} ${size}\0`)
  try {
    if (size > MAX_WHOLE_BYTES) return await inflatePieces(bytes, size, hash)
    const {buffer, engine} = inflateWhole(bytes, size)
    if (buffer.length !== size) throw wrongSize(size)
    return {oid: hash.update(buffer).digest('hex'), length: engine.bytesWritten}
  } catch (error) {
    if (error instanceof SourceError || !(error instanceof Error)) throw error
    throw damaged(`an object of ${size} bytes cannot be inflated`)
  }
}

/** Types of Node know nothing of `info`, which tells how much of the input was used. */
function inflateWhole(bytes: Buffer, size: number): {buffer: Buffer; engine: {bytesWritten: number}} {
  const options = {info: true, maxOutputLength: Math.max(size, 1)}
  return inflateSync(bytes, options) as unknown as {buffer: Buffer; engine: {bytesWritten: number}}
}

async function inflatePieces(bytes: Buffer, size: number, hash: Hash): Promise<{oid: string; length: number}> {
  const inflater = createInflate()
  let inflated = 0
  inflater.on('data', (piece: Buffer) => {
    inflated += piece.length
    hash.update(piece)
    if (inflated > size) inflater.destroy(wrongSize(size))
  })
  const ended = once(inflater, 'end')
  ended.catch(() => undefined)
  await feed(inflater, bytes, ended)
  await ended
  if (inflated !== size) throw wrongSize(size)
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

function wrongSize(size: number): SourceError {
  return damaged(`an object is not of the ${size} bytes that it states`)
}
