import {createHash} from 'node:crypto'
import {gunzipSync, gzipSync} from 'node:zlib'
import * as z from 'zod'
import {API_VERSION} from '../model/api-version.ts'
import {groupOf, refKey} from '../model/object-ref.ts'
import {type HookRecord, type InventoryEntry, inventoryUnion} from './inventory.ts'
import {InventoryError} from './inventory-error.ts'
import {SYNC_PHASES} from './read-hook.ts'

/** What a chunk may weigh at most: with base64 and metadata around it, still below etcd's 1.5 MiB. */
export const maxInventoryChunkBytes = 700 * 1024
const maxUnpackedChunkBytes = 64 * 1024 * 1024
const maxChunks = 256

const hex = z.string().regex(/^([0-9a-f]{16,64})?$/)
const hookSchema = z.object({
  bundle: z.string(),
  results: z.partialRecord(z.enum(SYNC_PHASES), z.enum(['Succeeded', 'Failed'])),
  reason: z.string().optional(),
  formerUid: z.string().optional(),
})
// One group of objects that share a kind, a version and a namespace: [apiVersion, kind, namespace, [name, applied, fields, uid or '', hook?][]].
const groupSchema = z.tuple([
  z.string(),
  z.string().min(1),
  z.string(),
  z.array(z.tuple([z.string().min(1), hex, z.string(), z.string(), hookSchema.optional()])),
])
const chunkSchema = z.object({
  apiVersion: z.string(),
  kind: z.literal('Inventory'),
  index: z.int().nonnegative(),
  chunks: z.int().positive().max(maxChunks),
  groups: z.array(groupSchema),
  /** By `refKey`. */
  ended: z.record(z.string(), z.enum(['Succeeded', 'Failed'])).optional(),
})
type Chunk = z.infer<typeof chunkSchema>

/**
 * Packs an inventory into chunks of gzip'd JSON, each smaller than `maxInventoryChunkBytes`, to be stored each by itself; at least one, and always a power of two of them.
 * Which chunk an object is in depends on its ref and the number of chunks alone, so a change rewrites only its own chunk; equal inventories give equal bytes.
 * Chunks are written one by one, in the order that `orderInventoryWrites` gives. Throws `InventoryError` TOO_LARGE (far beyond 100,000 objects).
 */
export function encodeInventory(entries: InventoryEntry[]): Uint8Array[] {
  const sorted = inventoryUnion(entries, [])
  for (let count = 1; count <= maxChunks; count *= 2) {
    const chunks = splitByRef(sorted, count).map((part, index) => packChunk(part, index, count))
    if (chunks.every((chunk) => chunk.length < maxInventoryChunkBytes)) return chunks
  }
  throw new InventoryError('TOO_LARGE', `an inventory of ${entries.length} objects is more than can be stored`, {
    objects: entries.length,
  })
}

/**
 * Unpacks what `encodeInventory` packed, sorted by ref; the chunks in any order. Also reads what a writer left behind that was stopped halfway between two numbers
 * of chunks: an object told of twice with different facts has none of them (`applied` ''). Throws `InventoryError` MALFORMED, UNSUPPORTED_VERSION, or MISSING_CHUNK where an object could be missing.
 */
export function decodeInventory(chunks: Uint8Array[]): InventoryEntry[] {
  const read = chunks.map(unpackChunk)
  const newest = Math.max(1, ...read.map((chunk) => chunk.chunks))
  requireAllChunks(read, newest)
  return inventoryUnion(
    read.flatMap((chunk) => entriesOf(chunk)),
    [],
  )
}

/**
 * Orders the writes of chunks over a stored set so that a stop between any two of them loses no entry: growing sets from the last chunk to the first (entries only
 * ever move to a later chunk then), shrinking ones from the first to the last, with what is left over removed at the end.
 */
export function orderInventoryWrites(
  storedChunks: number,
  chunks: Uint8Array[],
): ({index: number; write: Uint8Array} | {index: number; write: 'remove'})[] {
  const writes = chunks.map((write, index) => ({index, write}))
  if (storedChunks < chunks.length) return writes.toReversed()
  const surplus = Array.from({length: storedChunks - chunks.length}, (_, offset) => ({
    index: chunks.length + offset,
    write: 'remove' as const,
  }))
  return [...writes, ...surplus.toReversed()]
}

function splitByRef(entries: InventoryEntry[], count: number): InventoryEntry[][] {
  const parts: InventoryEntry[][] = Array.from({length: count}, () => [])
  for (const entry of entries) {
    const place = count === 1 ? 0 : createHash('sha256').update(refKey(entry.ref)).digest().readUInt32BE() % count
    parts[place]?.push(entry)
  }
  return parts
}

function packChunk(entries: InventoryEntry[], index: number, chunks: number): Uint8Array {
  const groups = new Map<string, Chunk['groups'][number]>()
  for (const {ref, version, applied, fields, uid, hook} of entries) {
    const key = `${version} ${ref.kind} ${ref.namespace}`
    const group = groups.get(key) ?? [version, ref.kind, ref.namespace, []]
    const known = [ref.name, applied, fields, uid ?? ''] as const
    group[3].push(hook === undefined ? [...known] : [...known, hook])
    groups.set(key, group)
  }
  const chunk: Chunk = {apiVersion: API_VERSION, kind: 'Inventory', index, chunks, groups: [...groups.values()]}
  const ended = entries.flatMap((entry) =>
    entry.ended === undefined ? [] : [[refKey(entry.ref), entry.ended] as const],
  )
  if (ended.length > 0) chunk.ended = Object.fromEntries(ended)
  return gzipSync(JSON.stringify(chunk))
}

function unpackChunk(bytes: Uint8Array): Chunk {
  let value: unknown
  try {
    value = JSON.parse(gunzipSync(bytes, {maxOutputLength: maxUnpackedChunkBytes}).toString('utf8'))
  } catch (cause) {
    throw new InventoryError('MALFORMED', "a chunk of the inventory is not gzip'd JSON", {}, {cause})
  }
  const parsed = chunkSchema.safeParse(value)
  if (!parsed.success) {
    throw new InventoryError('MALFORMED', `a chunk of the inventory is malformed: ${z.prettifyError(parsed.error)}`)
  }
  if (parsed.data.apiVersion !== API_VERSION) {
    throw new InventoryError(
      'UNSUPPORTED_VERSION',
      `the inventory was written as ${parsed.data.apiVersion}; this agent reads ${API_VERSION}: run the agent that wrote it, or a newer one`,
    )
  }
  return parsed.data
}

// Of two sets of chunks mixed by a stop halfway, each index of the larger set is either there or still in the smaller one's chunk (index modulo its size).
function requireAllChunks(read: Chunk[], newest: number): void {
  for (let index = 0; index < newest; index++) {
    if (read.some((chunk) => index % chunk.chunks === chunk.index)) continue
    throw new InventoryError('MISSING_CHUNK', `chunk ${index} of the inventory's ${newest} is missing`, {
      index,
      chunks: newest,
    })
  }
}

function entriesOf(chunk: Chunk): InventoryEntry[] {
  return chunk.groups.flatMap(([version, kind, namespace, objects]) =>
    objects.map(([name, applied, fields, uid, hook]) => {
      const ref = {group: groupOf(version), kind, namespace, name}
      const ended = chunk.ended?.[refKey(ref)]
      return {
        ref,
        version,
        applied,
        fields,
        ...(uid === '' ? {} : {uid}),
        ...(ended === undefined ? {} : {ended}),
        ...(hook === undefined ? {} : {hook: recordOf(hook)}),
      }
    }),
  )
}

function recordOf({formerUid, reason, ...record}: z.infer<typeof hookSchema>): HookRecord {
  return {...record, ...(reason === undefined ? {} : {reason}), ...(formerUid === undefined ? {} : {formerUid})}
}
