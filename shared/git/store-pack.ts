import {type FileHandle, mkdir, open, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {encodePackIndex, type IndexedObject} from './pack-index.ts'
import {createPackCache, idOf, MAX_BASE_BYTES, type Pack, readAt} from './packed-object.ts'
import {type PendingDelta, scanPack} from './scan-pack.ts'

/**
 * Puts a pack that was fetched into a repository, with its index: what `git index-pack` does, in bounded memory. An object that is a delta and larger than
 * `MAX_BASE_BYTES`, or a delta of such a one, is left out of the index. Resolves with how many were. Throws as `scanPack` does.
 */
export async function storePack(gitdir: string, bytes: Buffer): Promise<{leftOut: number}> {
  const {whole, deltas, checksum} = await scanPack(bytes)
  const folder = join(gitdir, 'objects', 'pack')
  const name = `pack-${checksum.toString('hex')}`
  await mkdir(folder, {recursive: true})
  await writeFile(join(folder, `${name}.pack`), bytes)
  const handle = await open(join(folder, `${name}.pack`), 'r')
  try {
    const resolved = await resolveDeltas(handle, {name, size: bytes.length}, whole, deltas)
    await writeFile(join(folder, `${name}.idx`), encodePackIndex([...whole, ...resolved], checksum))
    return {leftOut: deltas.length - resolved.length}
  } finally {
    await handle.close()
  }
}

/** A delta of an object by its id can be read once that object's place is known, which may be a delta as well: as many rounds as that takes. */
async function resolveDeltas(
  handle: FileHandle,
  {name, size}: {name: string; size: number},
  whole: readonly IndexedObject[],
  deltas: readonly PendingDelta[],
): Promise<IndexedObject[]> {
  const places = new Map(whole.map(({oid, offset}) => [oid, offset]))
  const pack: Pack = {handle, size, name, cache: createPackCache(), index: {find: (oid) => places.get(oid)}}
  const resolved: IndexedObject[] = []
  let pending = [...deltas]
  for (let known = -1; known < resolved.length && pending.length > 0; ) {
    known = resolved.length
    const waiting: PendingDelta[] = []
    for (const delta of pending) {
      const object = await readAt(pack, delta.offset, MAX_BASE_BYTES)
      if (object === 'base-absent') waiting.push(delta)
      if (object === 'base-absent' || !('content' in object)) continue
      const oid = idOf(object)
      places.set(oid, delta.offset)
      resolved.push({...delta, oid})
    }
    pending = waiting
  }
  if (pending.length > 0) throw new Error(`pack ${name} has a delta of an object that is not in it`)
  return resolved
}
