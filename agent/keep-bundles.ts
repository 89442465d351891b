import {createHash, randomUUID} from 'node:crypto'
import {mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {describeError} from '#shared/model/drawbridge-error.ts'
import {prefixes} from '#shared/model/keys.ts'
import type {GetOptions, ObjectStore, StoredObject} from '#shared/ports/object-store.ts'
import {ObjectStoreError} from '#shared/ports/object-store-error.ts'

export interface KeepBundlesOptions {
  /** Made where it is not there. */
  folder: string
  /** What was used least lately is deleted above this. @default 128 MiB */
  maxBytes?: number
  /** What would have more bytes than this wait to be written is not kept; one copy may be larger. @default 16 MiB */
  maxWaitingBytes?: number
  log: (message: string) => void
}

const DEFAULT_MAX_BYTES = 128 * 1024 * 1024
/** What may wait in memory for a slow disk. */
const DEFAULT_MAX_WAITING_BYTES = 16 * 1024 * 1024

/**
 * A store that keeps a copy of each bundle and attestation it read, and falls back on the copy while the store itself cannot be
 * reached: so drift is healed even after a restart without it. Whoever reads verifies, wherever the bytes come from. A folder that
 * cannot be written costs the copies, nothing else.
 */
export function keepBundles(
  store: ObjectStore,
  {folder, maxBytes = DEFAULT_MAX_BYTES, maxWaitingBytes = DEFAULT_MAX_WAITING_BYTES, log}: KeepBundlesOptions,
): ObjectStore {
  let told = ''
  const tell = (words: string): void => {
    if (words !== told) log(words)
    told = words
  }
  const fileOf = (key: string): string => join(folder, createHash('sha256').update(key).digest('hex'))
  let keptBytes: number | undefined
  /** One copy after the other, behind the reader's back. */
  let keeping = Promise.resolve()
  let waitingBytes = 0
  let toldSlow = false

  function keepSoon(key: string, bytes: Uint8Array): void {
    if (waitingBytes === 0) toldSlow = false
    else if (waitingBytes + bytes.length > maxWaitingBytes) {
      if (!toldSlow)
        log('some bundles are not kept for a time without the object store: they come faster than they are written')
      toldSlow = true
      return
    }
    waitingBytes += bytes.length
    keeping = keeping
      .then(() => keep(key, bytes))
      .finally(() => {
        waitingBytes -= bytes.length
      })
  }

  async function keep(key: string, bytes: Uint8Array): Promise<void> {
    const file = fileOf(key)
    const unfinished = `${file}-${randomUUID()}`
    try {
      await mkdir(folder, {recursive: true, mode: 0o700})
      await writeFile(unfinished, bytes, {mode: 0o600})
      await rename(unfinished, file)
      keptBytes = keptBytes === undefined ? maxBytes + 1 : keptBytes + bytes.length
      if (keptBytes > maxBytes) keptBytes = await shrinkFolder(folder, maxBytes)
      told = ''
    } catch (error) {
      await rm(unfinished, {force: true}).catch(() => undefined)
      tell(`bundles are not kept for a time without the object store: ${describeError(error)}`)
    }
  }

  async function recall(key: string, {maxBytes: most}: GetOptions): Promise<StoredObject | undefined> {
    const file = fileOf(key)
    try {
      if (most !== undefined && (await stat(file)).size > most) return undefined
      const bytes = await readFile(file)
      const now = new Date()
      await utimes(file, now, now).catch(() => undefined)
      return {bytes, etag: ''}
    } catch {
      return undefined
    }
  }

  return {
    ...store,
    async get(key, options = {}) {
      // What can change is never answered from memory: a desired state least of all.
      if (!key.startsWith(prefixes.bundles) && !key.startsWith(prefixes.attestations)) return store.get(key, options)
      try {
        const found = await store.get(key, options)
        if (typeof found === 'object') keepSoon(key, found.bytes)
        return found
      } catch (error) {
        if (!(error instanceof ObjectStoreError) || error.code === 'TOO_LARGE') throw error
        const kept = await recall(key, options)
        if (kept === undefined) throw error
        return kept
      }
    },
  }
}

/** Deletes what was used least lately until the rest is small enough, and returns how much that is; what a stop left unfinished goes the same way. */
async function shrinkFolder(folder: string, maxBytes: number): Promise<number> {
  const files: {file: string; size: number; usedAt: number}[] = []
  for (const name of await readdir(folder)) {
    const file = join(folder, name)
    const found = await stat(file).catch(() => undefined)
    if (found !== undefined) files.push({file, size: found.size, usedAt: found.mtimeMs})
  }
  let kept = 0
  for (const {file, size} of files.sort((a, b) => b.usedAt - a.usedAt)) {
    if (kept + size > maxBytes) await rm(file, {force: true})
    else kept += size
  }
  return kept
}
