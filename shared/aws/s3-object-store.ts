import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import type {GetOptions, ObjectStore, StoredObject} from '../ports/object-store.ts'
import {ObjectStoreError} from '../ports/object-store-error.ts'
import {readBody} from './read-body.ts'
import {isDenied, readServiceFailure, type ServiceFailure} from './service-failure.ts'

const MAX_TRIES = 3

/** Stores objects in an S3 bucket, with S3's own conditional writes. Every call has a timeout and is retried a few times by the SDK. */
export function createS3ObjectStore({client, bucket}: {client: S3Client; bucket: string}): ObjectStore {
  const get = async (key: string, options: GetOptions = {}): Promise<StoredObject | 'absent' | 'not-modified'> => {
    // The SDK retries until the headers are there; a connection lost in the middle of the body is ours to retry.
    for (let tries = 1; ; tries++) {
      try {
        return await getOnce(client, bucket, key, options)
      } catch (error) {
        if (error instanceof ObjectStoreError) throw error
        const failure = readServiceFailure(error)
        if (failure.status === 304) return 'not-modified'
        if (failure.name === 'NoSuchKey' || failure.name === 'NotFound') return 'absent'
        const canRetry = failure.status === undefined && !options.signal?.aborted && tries < MAX_TRIES
        if (!canRetry) throw storeError('read', key, error)
      }
    }
  }

  const putIf = async (
    key: string,
    bytes: Uint8Array,
    condition: {IfNoneMatch?: string; IfMatch?: string},
  ): Promise<{etag: string} | {refused: ServiceFailure}> => {
    for (let tries = 1; ; tries++) {
      try {
        const {ETag} = await client.send(new PutObjectCommand({Bucket: bucket, Key: key, Body: bytes, ...condition}))
        return {etag: ETag ?? ''}
      } catch (error) {
        const failure = readServiceFailure(error)
        if (failure.status === 412) return {refused: failure}
        if (condition.IfMatch !== undefined && failure.name === 'NoSuchKey') return {refused: failure}
        // S3 answers 409 while another conditional write of the key is under way; what came of it is known only by asking again.
        const underWay = failure.status === 409 && failure.name === 'ConditionalRequestConflict'
        if (!underWay || tries >= MAX_TRIES) throw storeError('write', key, error)
      }
    }
  }

  return {
    get,
    create: async (key, bytes) => {
      const result = await putIf(key, bytes, {IfNoneMatch: '*'})
      return 'etag' in result ? 'created' : 'exists'
    },
    swap: async (key, bytes, etag) => {
      const result = await putIf(key, bytes, etag === undefined ? {IfNoneMatch: '*'} : {IfMatch: etag})
      if ('etag' in result) return result
      if (result.refused.attempts < 2) return 'conflict'
      // The first attempt may have been stored and only its answer lost: then the retry conflicts with ourselves.
      const present = await get(key, {maxBytes: bytes.byteLength}).catch((error: unknown) => {
        if (error instanceof ObjectStoreError && error.code === 'TOO_LARGE') return 'absent' as const
        throw error
      })
      const isOurs = typeof present === 'object' && Buffer.compare(present.bytes, bytes) === 0
      return isOurs ? {etag: present.etag} : 'conflict'
    },
    put: async (key, bytes) => {
      const result = await putIf(key, bytes, {})
      if (!('etag' in result)) throw storeError('write', key, undefined)
    },
    list: async (prefix, options = {}) => {
      try {
        return await listKeys(client, bucket, prefix, options)
      } catch (error) {
        throw storeError('list', prefix, error)
      }
    },
  }
}

async function getOnce(
  client: S3Client,
  bucket: string,
  key: string,
  {ifNoneMatch, maxBytes, signal}: GetOptions,
): Promise<StoredObject> {
  const input = {Bucket: bucket, Key: key, ...(ifNoneMatch !== undefined && {IfNoneMatch: ifNoneMatch})}
  const output: GetObjectCommandOutput = await client.send(
    new GetObjectCommand(input),
    signal === undefined ? {} : {abortSignal: signal},
  )
  const bytes = await readBody(output.Body, output.ContentLength, maxBytes)
  if (bytes === 'too-large') {
    throw new ObjectStoreError('TOO_LARGE', `object ${key} is larger than ${maxBytes} bytes`, {key, maxBytes})
  }
  return {bytes, etag: output.ETag ?? ''}
}

async function listKeys(
  client: S3Client,
  bucket: string,
  prefix: string,
  {after, limit = 1_000}: {after?: string; limit?: number},
): Promise<string[]> {
  const found: string[] = []
  const most = Math.min(limit, 1_000)
  let startAfter = after
  // A page may hold fewer than asked for and still not be the last.
  for (let page = 0; page < 1_000 && found.length < most; page++) {
    const output = await client.send(
      new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: prefix,
        MaxKeys: most - found.length,
        ...(startAfter !== undefined && {StartAfter: startAfter}),
      }),
    )
    const keys = (output.Contents ?? []).flatMap(({Key}) => (Key === undefined ? [] : [Key]))
    found.push(...keys)
    startAfter = keys.at(-1) ?? startAfter
    if (output.IsTruncated !== true || keys.length === 0) break
  }
  return found
}

function storeError(verb: 'read' | 'write' | 'list', key: string, error: unknown): ObjectStoreError {
  const failure = readServiceFailure(error)
  const details = {key, status: failure.status, service: failure.name}
  if (isDenied(failure)) {
    return new ObjectStoreError(
      'ACCESS_DENIED',
      `the object store denies the ${verb} of ${key}; check the policy of these credentials`,
      details,
      {cause: error},
    )
  }
  if (failure.name === 'EntityTooLarge' || failure.status === 413) {
    return new ObjectStoreError('TOO_LARGE', `the object store takes no object as large as ${key}`, details, {
      cause: error,
    })
  }
  return new ObjectStoreError('UNAVAILABLE', `the object store did not answer the ${verb} of ${key}`, details, {
    cause: error,
  })
}
