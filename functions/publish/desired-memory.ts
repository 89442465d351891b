import type {TrustRoot} from '#shared/attest/trust-root.ts'
import {type BoundedMap, createBoundedMap} from '#shared/memory/bounded-map.ts'
import type {DesiredState} from '#shared/model/desired-state.ts'

/** A desired state that was verified, or signed and stored, by this process. */
export interface RememberedState {
  etag: string
  desired: DesiredState
  /** What it was verified with: another trust root has to verify it again. */
  trustRoot: TrustRoot
  /** Of its envelope. */
  bytes: number
}

/**
 * What each cluster is told to run, as long as the store still has it by the same tag: so that it is neither fetched nor verified
 * nor parsed again for each publication. Lost with the process, harmlessly.
 */
export type DesiredMemory = Pick<BoundedMap<string, RememberedState>, 'get' | 'set'>

/** In memory a state takes several times the bytes of its envelope. */
const MAX_BYTES = 48 * 1024 * 1024

export function createDesiredMemory(): DesiredMemory {
  return createBoundedMap(MAX_BYTES, ({bytes}) => bytes)
}
