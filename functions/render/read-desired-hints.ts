import {mapBounded} from '#shared/async/map-bounded.ts'
import {parseEnvelope} from '#shared/attest/envelope.ts'
import {VerificationError} from '#shared/attest/verification-error.ts'
import {parseDesiredState} from '#shared/attest/verify-desired-state.ts'
import type {BoundedMap} from '#shared/memory/bounded-map.ts'
import type {DesiredApp, DesiredState} from '#shared/model/desired-state.ts'
import {keys, prefixes} from '#shared/model/keys.ts'
import {limits} from '#shared/model/limits.ts'
import type {ObjectStore} from '#shared/ports/object-store.ts'
import {declarationKey} from './declaration-key.ts'

const concurrentReads = 16
const keysPerPage = 1000
const maxPages = 100

/** What a cluster is told to run, as far as it is not verified, with its apps by name. */
export interface DesiredHint {
  state: DesiredState
  etag: string
  apps: ReadonlyMap<string, DesiredApp>
  /** The apps of each declaration, by `declarationKey`. */
  declared: ReadonlyMap<string, readonly DesiredApp[]>
}

/** What was read of each cluster's desired state, by its tag in the store; `hint` is undefined for one that can't be read. */
export type HintMemory = Pick<
  BoundedMap<string, {etag: string; hint: DesiredHint | undefined; bytes: number}>,
  'get' | 'set'
>

/** The names of all clusters that have a desired state. */
export async function listClusters(store: ObjectStore): Promise<string[]> {
  const names: string[] = []
  let after: string | undefined
  for (let page = 0; page < maxPages; page++) {
    const options = {limit: keysPerPage, ...(after === undefined ? {} : {after})}
    const found = await store.list(prefixes.clusters, options)
    for (const key of found) {
      const name = key.slice(prefixes.clusters.length).replace(/\/desired$/, '')
      if (key === keys.desired(name)) names.push(name)
    }
    after = found.at(-1)
    if (found.length < keysPerPage) return names
  }
  throw new RangeError(`more than ${keysPerPage * maxPages} objects below ${prefixes.clusters}`)
}

/**
 * Reads what clusters are told to run, without checking a signature: good for finding out what changed and for nothing else,
 * which is publish's to check. What is in the store as it was the last time is not fetched again. A cluster without a desired
 * state, or with one that can't be read, is left out.
 */
export async function readDesiredHints(
  store: ObjectStore,
  clusters: readonly string[],
  memory: HintMemory,
): Promise<Map<string, DesiredHint>> {
  const hints = new Map<string, DesiredHint>()
  const read = await mapBounded(clusters, concurrentReads, (cluster) => readHint(store, cluster, memory))
  read.forEach((hint, index) => {
    const cluster = clusters[index]
    if (cluster !== undefined && hint?.state.cluster === cluster) hints.set(cluster, hint)
  })
  return hints
}

async function readHint(store: ObjectStore, cluster: string, memory: HintMemory): Promise<DesiredHint | undefined> {
  const known = memory.get(cluster)
  const stored = await store.get(keys.desired(cluster), {
    maxBytes: limits.maxEnvelopeBytes,
    ...(known === undefined ? {} : {ifNoneMatch: known.etag}),
  })
  if (stored === 'absent') return undefined
  if (stored === 'not-modified') return known?.hint
  const state = parseHint(stored.bytes)
  const hint = state && toHint(state, stored.etag)
  memory.set(cluster, {etag: stored.etag, hint, bytes: stored.bytes.byteLength})
  return hint
}

function toHint(state: DesiredState, etag: string): DesiredHint {
  const keys = new Map<string, string>()
  const keyOf = ({declaredIn}: DesiredApp): string => {
    const spelled = `${declaredIn.repository} ${declaredIn.ref}`
    const key = keys.get(spelled) ?? declarationKey(declaredIn)
    keys.set(spelled, key)
    return key
  }
  return {
    state,
    etag,
    apps: new Map(state.apps.map((app) => [app.name, app])),
    declared: Map.groupBy(state.apps, keyOf),
  }
}

function parseHint(bytes: Uint8Array): DesiredState | undefined {
  try {
    return parseDesiredState(Buffer.from(parseEnvelope(bytes).payload, 'base64'))
  } catch (error) {
    if (error instanceof VerificationError) return undefined
    throw error
  }
}
