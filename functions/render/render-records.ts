import {gunzipSync, gzipSync} from 'node:zlib'
import * as z from 'zod'
import {canonicalJson} from '#shared/bundle/canonical-json.ts'
import {createBoundedMap} from '#shared/memory/bounded-map.ts'
import {API_VERSION} from '#shared/model/api-version.ts'
import type {App, Cluster} from '#shared/model/app.ts'
import {type Digest, digestOf, digestSchema} from '#shared/model/digest.ts'
import {keys} from '#shared/model/keys.ts'
import {limits} from '#shared/model/limits.ts'
import {findingSchema} from '#shared/model/outcome.ts'
import type {RepositoryPolicy} from '#shared/model/tracked-repository.ts'
import type {ObjectStore} from '#shared/ports/object-store.ts'
import {ObjectStoreError} from '#shared/ports/object-store-error.ts'
import {INPUTS_VERSION, PROGRAMS_DIGEST, RENDERER_VERSIONS} from './box/renderer-versions.ts'

/** What a render asked of its files, and the digest of its inputs that came of the answers. `of`: all else that it depended on. */
const recordSchema = z.object({
  of: digestSchema,
  inputs: digestSchema,
  reads: z.record(z.string(), z.string()),
  /** What the render warned of: it holds as long as the inputs are the same. */
  warnings: z.array(findingSchema.omit({app: true, cluster: true})),
})
type StoredRecord = z.infer<typeof recordSchema>
export type RenderRecord = Omit<StoredRecord, 'of'>

const fileSchema = z.object({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('RenderRecords'),
  /** By cluster and app, with a space between. */
  records: z.record(z.string(), recordSchema),
})

/**
 * What earlier renders of one declaration read, so that a render that would read the same need not be made to know its inputs. Only a
 * memory: without it everything is rendered, to the same bytes.
 */
export interface RenderRecords {
  find(app: App, cluster: Cluster): RenderRecord | undefined
  keep(app: App, cluster: Cluster, record: RenderRecord): void
  /** Stores what was kept since, of what is declared now. Of two writers at once one's news are lost, harmlessly. Never rejects. */
  save(declared: {apps: readonly App[]; clusters: readonly Cluster[]}): Promise<void>
}

/** The records of declarations that were opened, so that they are read again only where they changed. */
export interface RecordsCache {
  /** Opens those of a declaration; what cannot be read is as none. Rejects with `ObjectStoreError` UNAVAILABLE. */
  open(
    store: ObjectStore,
    declaration: {repository: string; ref: string},
    policy: RepositoryPolicy | undefined,
  ): Promise<RenderRecords>
}

const maxCachedRecords = 20_000

/** Creates a cache that holds the records of some declarations, large ones counting more. */
export function createRecordsCache(): RecordsCache {
  const known = createBoundedMap<string, StoredRecords>(maxCachedRecords, ({records}) => 1 + records.size)
  return {
    async open(store, declaration, policy) {
      const key = keys.renderRecords(declaration)
      const stored = await readRecords(store, key, known.get(key))
      known.set(key, stored)
      return toRecords(store, key, stored, describePolicy(policy))
    },
  }
}

/** What is stored at a key, as far as it is known here. */
interface StoredRecords {
  records: Map<string, StoredRecord>
  etag: string | undefined
}

function toRecords(store: ObjectStore, key: string, stored: StoredRecords, policy: readonly string[]): RenderRecords {
  const {records} = stored
  let isChanged = false
  return {
    find(app, cluster) {
      const record = records.get(nameOf(cluster, app))
      return record?.of === conditionsOf(app, cluster, policy) ? record : undefined
    },
    keep(app, cluster, {inputs, reads, warnings}) {
      isChanged = true
      records.set(nameOf(cluster, app), {of: conditionsOf(app, cluster, policy), inputs, reads, warnings})
    },
    async save({apps, clusters}) {
      if (!isChanged) return
      isChanged = false
      const declared = new Set(clusters.flatMap((cluster) => apps.map((app) => nameOf(cluster, app))))
      for (const name of records.keys()) if (!declared.has(name)) records.delete(name)
      const file = {apiVersion: API_VERSION, kind: 'RenderRecords', records: Object.fromEntries(records)}
      try {
        const bytes = gzipSync(JSON.stringify(file), {level: 1})
        const swapped = await store.swap(key, bytes, stored.etag)
        if (swapped !== 'conflict') stored.etag = swapped.etag
      } catch (error) {
        // The next render does more, and gives the same. (RangeError: larger than any text may be.)
        if (!(error instanceof ObjectStoreError || error instanceof RangeError)) throw error
      }
    },
  }
}

function nameOf(cluster: Cluster, app: App): string {
  return `${cluster.metadata.name} ${app.metadata.name}`
}

async function readRecords(store: ObjectStore, key: string, known: StoredRecords | undefined): Promise<StoredRecords> {
  const none = (etag?: string): StoredRecords => ({records: new Map(), etag})
  try {
    const unlessSame = known?.etag === undefined ? {} : {ifNoneMatch: known.etag}
    const stored = await store.get(key, {maxBytes: limits.maxRenderRecordsBytes, ...unlessSame})
    if (stored === 'not-modified') return known ?? none()
    if (stored === 'absent') return none()
    try {
      const text = gunzipSync(stored.bytes, {maxOutputLength: limits.maxUnpackedRenderRecordsBytes}).toString('utf8')
      const file = fileSchema.safeParse(JSON.parse(text))
      return file.success ? {records: new Map(Object.entries(file.data.records)), etag: stored.etag} : none(stored.etag)
    } catch (error) {
      // Cut, too large, or of another version: it is written anew.
      if (error instanceof Error) return none(stored.etag)
      throw error
    }
  } catch (error) {
    if (error instanceof ObjectStoreError && error.code !== 'UNAVAILABLE') return none()
    throw error
  }
}

const digests = new WeakMap<App | Cluster, Digest>()

/** What of a policy is about objects: once it changes they are looked at again, though they render to the same. */
function describePolicy({namespaces, clusterKinds}: RepositoryPolicy = {}): string[] {
  if (namespaces === undefined && clusterKinds === undefined) return []
  return [canonicalJson([namespaces ?? null, clusterKinds ?? null])]
}

const renderers = [String(INPUTS_VERSION), PROGRAMS_DIGEST, canonicalJson(RENDERER_VERSIONS)]

/** All that a render depends on but the files. */
function conditionsOf(app: App, cluster: Cluster, policy: readonly string[]): Digest {
  return digestOf([...renderers, digestPart(app), digestPart(cluster), ...policy].join('\n'))
}

/** A parsed declaration is kept while its file is the same, so each part of it is written out once. */
function digestPart(part: App | Cluster): Digest {
  const found = digests.get(part) ?? digestOf(canonicalJson(part))
  digests.set(part, found)
  return found
}
