import * as z from 'zod'
import type {TrustRoot} from '#shared/attest/trust-root.ts'
import {VerificationError} from '#shared/attest/verification-error.ts'
import {verifyDesiredState} from '#shared/attest/verify-desired-state.ts'
import type {DesiredState} from '#shared/model/desired-state.ts'
import {keys} from '#shared/model/keys.ts'
import {limits} from '#shared/model/limits.ts'
import type {Clock} from '#shared/ports/clock.ts'
import type {ObjectStore} from '#shared/ports/object-store.ts'
import {ObjectStoreError} from '#shared/ports/object-store-error.ts'
import type {DesiredMemory, RememberedState} from './desired-memory.ts'
import type {PublishMeans} from './ports.ts'

/** What a cluster is told to run now; `etag` and `desired` are absent before the first publication. */
export interface PresentDesiredState {
  desired?: DesiredState
  etag?: string
  /** The highest version that was ever seen of it: the next one must be above, or the cluster takes it for a rollback. */
  lastVersion: number
}

// An expired desired state is built upon all the same: publishing is what renews it.
const beforeAnyExpiry: Clock = {now: () => new Date(0)}

/** No cluster gets here by itself; one that claims so must not take the room for the next versions. */
const MAX_BELIEVED_VERSION = 2 ** 52

const reportedVersionSchema = z.object({desired: z.object({version: z.int().nonnegative().max(MAX_BELIEVED_VERSION)})})

/**
 * Reads a cluster's desired state and believes it only by its signature: publishing over a forged one would sign the forgery.
 * The cluster's own report tells the version that it accepted, so that a store that lost writes or was rolled back does not lock
 * the cluster out. Rejects with `VerificationError` where the state does not verify, and with `ObjectStoreError`.
 */
export async function readDesiredState(
  {store, trustRoot, memory}: Pick<PublishMeans, 'store' | 'trustRoot' | 'memory'>,
  cluster: string,
): Promise<PresentDesiredState> {
  const root = await trustRoot()
  const [verified, accepted] = await Promise.all([
    readVerified(store, root, memory, cluster),
    readAcceptedVersion(store, cluster),
  ])
  if (verified === undefined) return {lastVersion: accepted}
  const {desired, etag} = verified
  return {desired, etag, lastVersion: Math.max(desired.version, accepted)}
}

async function readVerified(
  store: ObjectStore,
  trustRoot: TrustRoot,
  memory: DesiredMemory,
  cluster: string,
): Promise<RememberedState | undefined> {
  const found = memory.get(cluster)
  const known = found?.trustRoot === trustRoot ? found : undefined
  const stored = await store.get(keys.desired(cluster), {
    maxBytes: limits.maxEnvelopeBytes,
    ...(known !== undefined && {ifNoneMatch: known.etag}),
  })
  if (stored === 'absent') return undefined
  if (stored === 'not-modified') return known
  const {desired} = verifyDesiredState(stored.bytes, {trustRoot, cluster, clock: beforeAnyExpiry})
  const [unread] = desired.unread ?? []
  // Built upon, it would be lost.
  if (unread !== undefined) {
    throw new VerificationError('MALFORMED', `app ${unread.name} was published by a newer version: ${unread.problem}`)
  }
  const state = {etag: stored.etag, desired, trustRoot, bytes: stored.bytes.byteLength}
  memory.set(cluster, state)
  return state
}

/** Tells whether the store holds an older state than the cluster has accepted. */
export function isRolledBack({desired, lastVersion}: PresentDesiredState): boolean {
  return desired !== undefined && desired.version < lastVersion
}

// A cluster can only raise its own version, which harms nobody; so a report needs no more trust than its key gives.
async function readAcceptedVersion(store: ObjectStore, cluster: string): Promise<number> {
  try {
    const stored = await store.get(keys.report(cluster), {maxBytes: limits.maxReportBytes})
    if (typeof stored === 'string') return 0
    return (
      reportedVersionSchema.safeParse(JSON.parse(Buffer.from(stored.bytes).toString('utf8'))).data?.desired.version ?? 0
    )
  } catch (error) {
    if (error instanceof SyntaxError) return 0
    if (error instanceof ObjectStoreError && error.code !== 'UNAVAILABLE') return 0
    throw error
  }
}
