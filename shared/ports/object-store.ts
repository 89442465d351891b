/** What was read: the exact bytes, and an opaque tag that changes with every write of the key. */
export interface StoredObject {
  bytes: Uint8Array
  etag: string
}

/**
 * Objects by key with conditional writes: what S3 gives. All writes are atomic: a reader sees the old bytes or the new ones.
 * Methods reject with `ObjectStoreError` (`UNAVAILABLE` can be retried, `ACCESS_DENIED` and `TOO_LARGE` cannot).
 */
export interface ObjectStore {
  /** Reads a key. `'not-modified'` only where `ifNoneMatch` is given and still the current tag. */
  get(key: string, options?: GetOptions): Promise<StoredObject | 'absent' | 'not-modified'>
  /** Creates the key; an existing one is left as it is. Of any number of concurrent callers exactly one gets `'created'`. */
  create(key: string, bytes: Uint8Array): Promise<'created' | 'exists'>
  /** Replaces the key only while `etag` is its current tag (`undefined`: only while it is absent). */
  swap(key: string, bytes: Uint8Array, etag: string | undefined): Promise<{etag: string} | 'conflict'>
  /** Writes the key whatever is there. */
  put(key: string, bytes: Uint8Array): Promise<void>
  /** Keys below a prefix in ascending byte order, at most `limit` (default and most 1,000), after `after` (exclusive). */
  list(prefix: string, options?: {after?: string; limit?: number}): Promise<string[]>
}

export interface GetOptions {
  ifNoneMatch?: string
  /** Reads no more than this: a larger object rejects with `TOO_LARGE` before it is in memory. */
  maxBytes?: number
  signal?: AbortSignal
}
