import {createHash} from 'node:crypto'
import {type FileHandle, open, readdir} from 'node:fs/promises'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {constants, inflate, inflateSync} from 'node:zlib'
import {type BoundedMap, createBoundedMap} from '../memory/bounded-map.ts'
import {applyDelta, readDeltaSizes} from './apply-delta.ts'
import {type GitObject, isAbsent} from './loose-object.ts'
import {type EntryHeader, MAX_HEADER_BYTES, readEntryHeader} from './pack-entry.ts'
import {type PackIndex, readPackIndex} from './pack-index.ts'

/** What is kept of a repository's packs between reads. */
export interface PackCache {
  /** By the name of the pack, which is that of its content. */
  indexes: Map<string, Promise<PackIndex>>
  /** Objects that others are deltas of, by pack and offset. */
  bases: BoundedMap<string, GitObject>
}

const MAX_KEPT_BYTES = 16 * 1024 * 1024

export function createPackCache(): PackCache {
  return {indexes: new Map(), bases: createBoundedMap(MAX_KEPT_BYTES, ({content}) => content.length)}
}

/** A small file may be a delta of a larger one; this is how large what it passes through may be. */
export const MAX_BASE_BYTES = 32 * 1024 * 1024
/** git makes chains of 50, and of 250 at most where it is asked to. */
export const MAX_CHAIN = 500
const inflateAsync = promisify(inflate)

/**
 * Reads an object out of the packs of a repository, checked against its id; `'absent'` where none has it. A larger one than `maxBytes`,
 * or one that is a delta of very large ones, is only told by its size: sizes are read before anything is inflated.
 */
export async function readPackedObject(
  gitdir: string,
  cache: PackCache,
  oid: string,
  maxBytes: number,
): Promise<GitObject | {tooLarge: number} | 'absent'> {
  const folder = join(gitdir, 'objects', 'pack')
  // git gc puts objects into new packs and then removes the old ones, at any moment.
  for (let tries = 0; tries < 3; tries++) {
    const names = await listPacks(folder)
    for (const name of cache.indexes.keys()) if (!names.includes(name)) cache.indexes.delete(name)
    const found = await findInPacks(folder, names, cache, oid, maxBytes)
    if (found !== 'moved') return found
  }
  throw new Error(`the packs below ${folder} keep changing`)
}

async function findInPacks(
  folder: string,
  names: readonly string[],
  cache: PackCache,
  oid: string,
  maxBytes: number,
): Promise<GitObject | {tooLarge: number} | 'absent' | 'moved'> {
  try {
    for (const name of names) {
      const index = await openIndex(folder, name, cache)
      const offset = index.find(oid)
      if (offset === undefined) continue
      const handle = await open(join(folder, `${name}.pack`), 'r')
      try {
        const {size} = await handle.stat()
        const object = await readAt({handle, size, name, cache, index}, offset, maxBytes)
        if ('content' in object && idOf(object) !== oid)
          throw new Error(`object ${oid} is damaged: its content is not what its id says`)
        return object
      } finally {
        await handle.close()
      }
    }
    return 'absent'
  } catch (error) {
    if (isAbsent(error)) return 'moved'
    throw error
  }
}

async function listPacks(folder: string): Promise<string[]> {
  try {
    const names = await readdir(folder)
    return names.filter((name) => name.endsWith('.idx')).map((name) => name.slice(0, -'.idx'.length))
  } catch (error) {
    if (isAbsent(error)) return []
    throw error
  }
}

function openIndex(folder: string, name: string, {indexes}: PackCache): Promise<PackIndex> {
  const known = indexes.get(name)
  if (known !== undefined) return known
  const opened = readPackIndex(join(folder, `${name}.idx`))
  indexes.set(name, opened)
  opened.catch(() => indexes.delete(name))
  return opened
}

interface Pack {
  handle: FileHandle
  size: number
  name: string
  cache: PackCache
  index: PackIndex
}

/** An entry of a pack: its inflated size, and where its compressed bytes begin; `base` is the offset of what it is a delta of. */
interface PackEntry {
  type: string
  size: number
  data: number
  base: number | undefined
}

async function readAt(pack: Pack, offset: number, maxBytes: number): Promise<GitObject | {tooLarge: number}> {
  // From the object down to the one that is whole; sizes first.
  const deltas: {at: number; entry: PackEntry}[] = []
  let allowed = maxBytes
  let object: GitObject | undefined
  for (let at = offset; object === undefined; ) {
    const known = pack.cache.bases.get(`${pack.name} ${at}`)
    if (known !== undefined) {
      if (known.content.length > allowed) return {tooLarge: known.content.length}
      object = known
      break
    }
    const entry = await readEntry(pack, at)
    if (entry.base === undefined) {
      if (entry.size > allowed) return {tooLarge: entry.size}
      object = {type: entry.type, content: await inflateEntry(pack, entry)}
      if (deltas.length > 0) pack.cache.bases.set(`${pack.name} ${at}`, object)
      break
    }
    const sizes = await peekDelta(pack, entry)
    if (sizes.result > allowed) return {tooLarge: sizes.result}
    if (entry.size > MAX_BASE_BYTES) return {tooLarge: entry.size}
    deltas.push({at, entry})
    if (deltas.length > MAX_CHAIN) throw new Error(`pack ${pack.name} is damaged: deltas without end`)
    allowed = Math.max(maxBytes, MAX_BASE_BYTES)
    at = entry.base
  }
  let {content} = object
  const {type} = object
  for (const {at, entry} of deltas.reverse()) {
    content = await applyDelta(content, await inflateEntry(pack, entry))
    // Many may be deltas of it.
    pack.cache.bases.set(`${pack.name} ${at}`, {type, content})
  }
  return {type, content}
}

async function readEntry(pack: Pack, offset: number): Promise<PackEntry> {
  const header = readEntryHeader(await readBytes(pack, offset, MAX_HEADER_BYTES))
  if (header === 'damaged') throw new Error(`pack ${pack.name} is damaged at ${offset}`)
  const {type, size, length, base} = header
  return {type, size, data: offset + length, base: base && offsetOf(pack, offset, base)}
}

function offsetOf(pack: Pack, offset: number, base: NonNullable<EntryHeader['base']>): number {
  if ('oid' in base) {
    const found = pack.index.find(base.oid)
    if (found === undefined) throw new Error(`pack ${pack.name} has a delta of an object that is not in it`)
    return found
  }
  if (base.distance > offset) throw new Error(`pack ${pack.name} is damaged at ${offset}`)
  return offset - base.distance
}

async function peekDelta(pack: Pack, {data}: PackEntry): Promise<{base: number; result: number}> {
  const begin = await readBytes(pack, data, 128)
  return readDeltaSizes(inflateSync(begin, {finishFlush: constants.Z_SYNC_FLUSH}))
}

async function inflateEntry(pack: Pack, {size, data}: PackEntry): Promise<Uint8Array> {
  // How many bytes it takes in the pack is written nowhere: deflate makes little more of what it cannot compress.
  const compressed = await readBytes(pack, data, size + (size >> 3) + 1_024)
  const content = await inflateAsync(compressed, {maxOutputLength: Math.max(size, 1)})
  if (content.length !== size) throw new Error(`pack ${pack.name} is damaged at ${data}`)
  return content
}

async function readBytes({handle, size}: Pack, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, size - offset)))
  const {bytesRead} = await handle.read(bytes, 0, bytes.length, offset)
  return bytes.subarray(0, bytesRead)
}

/** The id of an object, which is the SHA-1 of its type, size and content. */
export function idOf({type, content}: GitObject): string {
  return createHash('sha1').update(`${type} ${content.length}\0`).update(content).digest('hex')
}
