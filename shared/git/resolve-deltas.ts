import {promisify} from 'node:util'
import {inflate} from 'node:zlib'
import {applyDelta, readDeltaSizes} from './apply-delta.ts'
import type {IndexedObject} from './pack-index.ts'
import {idOf, MAX_BASE_BYTES, MAX_CHAIN} from './packed-object.ts'
import {type DeltaEntry, damaged, type ScannedEntry, type ScannedPack} from './scan-pack.ts'
import type {UnpackBudget} from './unpack-budget.ts'

/** An object that others are deltas of, and how far those were followed. */
interface Base {
  type: string
  content: Uint8Array
  children: DeltaEntry[]
  depth: number
}

/** All contents on the way from a whole object to the delta that is applied now. */
const MAX_HELD_BYTES = 96 * 1024 * 1024
const inflateAsync = promisify(inflate)

/**
 * Finds the ids of a pack's deltas: from each whole object to what is a delta of it, and on, so that each is applied once. What is larger than
 * `MAX_BASE_BYTES`, or needs such a one, is left out. Throws `SourceError` REPOSITORY_TOO_LARGE and REPOSITORY_DAMAGED.
 */
export async function resolveDeltas(
  pack: Buffer,
  {whole, deltas}: ScannedPack,
  budget: UnpackBudget,
): Promise<{resolved: IndexedObject[]; leftOut: number}> {
  const children = groupByBase(deltas)
  const resolved: IndexedObject[] = []
  let isLeftOut = false
  const applyAll = async (root: Base): Promise<void> => {
    const path = [root]
    let held = root.content.length
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const delta = top.children.pop()
      if (delta === undefined || top.children.length === 0) {
        path.pop()
        held -= top.content.length
      }
      if (delta === undefined) continue
      await budget.pause()
      const {offset, crc} = delta
      const bytes = delta.size > MAX_BASE_BYTES ? 'too-large' : await inflateEntry(pack, delta)
      const size = bytes === 'too-large' ? Number.POSITIVE_INFINITY : sizeOf(bytes)
      if (bytes === 'too-large' || size > MAX_BASE_BYTES || held + size > MAX_HELD_BYTES || top.depth >= MAX_CHAIN) {
        isLeftOut = true
        continue
      }
      budget.spend(size)
      const content = await applyOrTell(top.content, bytes)
      const oid = idOf({type: top.type, content})
      resolved.push({oid, offset, crc})
      const next = {type: top.type, content, children: children(oid, offset), depth: top.depth + 1}
      if (next.children.length === 0) continue
      path.push(next)
      held += size
    }
  }
  for (const entry of whole) {
    const all = children(entry.oid, entry.offset)
    if (all.length === 0) continue
    if (entry.size > MAX_BASE_BYTES) isLeftOut = true
    else await applyAll({type: entry.type, content: await inflateEntry(pack, entry), children: all, depth: 0})
  }
  const leftOut = deltas.length - resolved.length
  if (leftOut > 0 && !isLeftOut) throw damaged('it has a delta of an object that is not in it')
  return {resolved, leftOut}
}

function sizeOf(delta: Uint8Array): number {
  try {
    return readDeltaSizes(delta).result
  } catch {
    throw damaged('a delta in it does not say its sizes')
  }
}

async function applyOrTell(base: Uint8Array, delta: Uint8Array): Promise<Uint8Array> {
  try {
    return await applyDelta(base, delta)
  } catch {
    throw damaged('a delta in it does not fit what it is a delta of')
  }
}

/** Gives what is a delta of an object, each once: a delta names it by its place or by its id. */
function groupByBase(deltas: readonly DeltaEntry[]): (oid: string, offset: number) => DeltaEntry[] {
  const groups = new Map<string | number, DeltaEntry[]>()
  for (const delta of deltas) {
    const {base, offset} = delta
    const key = 'oid' in base ? base.oid : offset - base.distance
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [delta])
    else group.push(delta)
  }
  const take = (key: string | number): DeltaEntry[] => {
    const group = groups.get(key) ?? []
    groups.delete(key)
    return group
  }
  return (oid, offset) => [...take(oid), ...take(offset)]
}

async function inflateEntry(pack: Buffer, {offset, length, end, size}: ScannedEntry): Promise<Uint8Array> {
  // The size is known to be true: it was inflated before.
  return inflateAsync(pack.subarray(offset + length, end), {maxOutputLength: Math.max(size, 1)})
}
