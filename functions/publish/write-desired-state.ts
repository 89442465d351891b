import {signEnvelope} from '#shared/attest/envelope.ts'
import {PAYLOAD_TYPES} from '#shared/attest/payload-types.ts'
import {API_VERSION} from '#shared/model/api-version.ts'
import type {DesiredApp, DesiredState} from '#shared/model/desired-state.ts'
import {keys} from '#shared/model/keys.ts'
import {limits} from '#shared/model/limits.ts'
import {passStage, type Trace} from '#shared/model/trace.ts'
import {encodeDesiredState} from './encode-desired-state.ts'
import {DEFAULT_DESIRED_TTL_SECONDS, type PublishConfig, type PublishMeans} from './ports.ts'
import {isRolledBack, type PresentDesiredState} from './read-desired-state.ts'

export interface NextDesiredState {
  cluster: string
  apps: DesiredApp[]
  trace: Trace
}

/** A desired state that is signed and not stored yet; `bytes` is its envelope. */
export interface SignedDesiredState {
  desired: DesiredState
  bytes: Uint8Array
}

/** Signs the next version of a cluster's desired state. `'too-large'`: agents would not read it. Rejects with what the signer throws. */
export async function signDesiredState(
  {signer, clock}: Pick<PublishMeans, 'signer' | 'clock'>,
  {desiredTtlSeconds = DEFAULT_DESIRED_TTL_SECONDS}: PublishConfig,
  present: PresentDesiredState,
  {cluster, apps, trace}: NextDesiredState,
): Promise<SignedDesiredState | 'too-large'> {
  const now = clock.now()
  const desired: DesiredState = {
    apiVersion: API_VERSION,
    kind: 'DesiredState',
    cluster,
    version: present.lastVersion + 1,
    issuedAt: now.toISOString(),
    expiresAt: new Date(now.getTime() + desiredTtlSeconds * 1_000).toISOString(),
    apps,
    trace: passStage(trace, 'signed', now),
  }
  const bytes = await signEnvelope(signer, PAYLOAD_TYPES.desiredState, encodeDesiredState(desired))
  return bytes.byteLength > limits.maxEnvelopeBytes ? 'too-large' : {desired, bytes}
}

/** Stores a signed desired state in place of the one that was read. `'conflict'`: somebody else did first. Rejects with `ObjectStoreError`. */
export async function swapDesiredState(
  {store, signer, memory, ...ports}: Pick<PublishMeans, 'store' | 'signer' | 'trustRoot' | 'memory'>,
  present: PresentDesiredState,
  {desired, bytes}: SignedDesiredState,
): Promise<DesiredState | 'conflict'> {
  const {cluster} = desired
  const swapped = await store.swap(keys.desired(cluster), bytes, present.etag)
  if (swapped === 'conflict') return 'conflict'
  const [trustRoot, keyId] = await Promise.all([ports.trustRoot(), signer.keyId()])
  const {keyids, threshold} = trustRoot.roles.desired
  // What the trust root would not believe must not be built upon unseen either.
  if (threshold === 1 && keyids.some((id) => id === keyId)) {
    memory.set(cluster, {etag: swapped.etag, desired, trustRoot, bytes: bytes.byteLength})
  }
  return desired
}

/** Tells whether a desired state must be signed anew although nothing changed: less than half of its life is left, or its cluster has accepted a later version. */
export function isDueForRefresh(present: PresentDesiredState, now: Date): boolean {
  if (present.desired === undefined) return false
  const {issuedAt, expiresAt} = present.desired
  const end = Date.parse(expiresAt)
  return isRolledBack(present) || end - now.getTime() < (end - Date.parse(issuedAt)) / 2
}
