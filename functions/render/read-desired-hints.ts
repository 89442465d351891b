import {mapBounded} from '#shared/async/map-bounded.ts'
import {parseEnvelope} from '#shared/attest/envelope.ts'
import {VerificationError} from '#shared/attest/verification-error.ts'
import {parseDesiredState} from '#shared/attest/verify-desired-state.ts'
import type {DesiredState} from '#shared/model/desired-state.ts'
import {keys, prefixes} from '#shared/model/keys.ts'
import {limits} from '#shared/model/limits.ts'
import type {ObjectStore} from '#shared/ports/object-store.ts'

const concurrentReads = 16
const keysPerPage = 1000
const maxPages = 100

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
 * which is publish's to check. A cluster without one, or with one that can't be read, is left out.
 */
export async function readDesiredHints(
  store: ObjectStore,
  clusters: readonly string[],
): Promise<Map<string, DesiredState>> {
  const states = await mapBounded(clusters, concurrentReads, async (cluster) => {
    const stored = await store.get(keys.desired(cluster), {maxBytes: limits.maxEnvelopeBytes})
    return stored === 'absent' || stored === 'not-modified' ? undefined : parseHint(stored.bytes)
  })
  const hints = new Map<string, DesiredState>()
  states.forEach((state, index) => {
    const cluster = clusters[index]
    if (cluster !== undefined && state?.cluster === cluster) hints.set(cluster, state)
  })
  return hints
}

function parseHint(bytes: Uint8Array): DesiredState | undefined {
  try {
    return parseDesiredState(Buffer.from(parseEnvelope(bytes).payload, 'base64'))
  } catch (error) {
    if (error instanceof VerificationError) return undefined
    throw error
  }
}
