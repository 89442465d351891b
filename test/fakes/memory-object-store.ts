import {digestOf} from '#shared/model/digest.ts'
import type {ObjectStore, StoredObject} from '#shared/ports/object-store.ts'
import {ObjectStoreError} from '#shared/ports/object-store-error.ts'

export interface MemoryObjectStore extends ObjectStore {
  /** Everything stored, by key. */
  readonly objects: ReadonlyMap<string, StoredObject>
}

/** An object store in memory that keeps the port's promises (the contract tests hold it to them). */
export function createMemoryObjectStore(): MemoryObjectStore {
  const objects = new Map<string, StoredObject>()
  const write = (key: string, bytes: Uint8Array): {etag: string} => {
    const etag = `"${digestOf(bytes)}"`
    objects.set(key, {bytes: Uint8Array.from(bytes), etag})
    return {etag}
  }
  return {
    objects,
    get: async (key, {ifNoneMatch, maxBytes, signal} = {}) => {
      if (signal?.aborted) throw new ObjectStoreError('UNAVAILABLE', `the read of ${key} was given up`)
      const stored = objects.get(key)
      if (stored === undefined) return 'absent'
      if (ifNoneMatch === stored.etag) return 'not-modified'
      if (maxBytes !== undefined && stored.bytes.byteLength > maxBytes) {
        throw new ObjectStoreError('TOO_LARGE', `object ${key} is larger than ${maxBytes} bytes`)
      }
      return {bytes: Uint8Array.from(stored.bytes), etag: stored.etag}
    },
    create: async (key, bytes) => {
      if (objects.has(key)) return 'exists'
      write(key, bytes)
      return 'created'
    },
    swap: async (key, bytes, etag) => (objects.get(key)?.etag === etag ? write(key, bytes) : 'conflict'),
    put: async (key, bytes) => {
      write(key, bytes)
    },
    list: async (prefix, {after = '', limit = 1_000} = {}) =>
      [...objects.keys()]
        .filter((key) => key.startsWith(prefix) && compareBytes(key, after) > 0)
        .sort(compareBytes)
        .slice(0, Math.min(limit, 1_000)),
  }
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
