import {verifyDesiredState} from '#shared/attest/verify-desired-state.ts'
import type {DesiredState} from '#shared/model/desired-state.ts'
import {keys} from '#shared/model/keys.ts'
import {limits} from '#shared/model/limits.ts'
import type {Clock} from '#shared/ports/clock.ts'
import type {PublishPorts} from './ports.ts'

/** What a cluster is told to run now; `etag` and `desired` are absent before the first publication. */
export interface PresentDesiredState {
  desired?: DesiredState
  etag?: string
}

// An expired desired state is built upon all the same: publishing is what renews it.
const beforeAnyExpiry: Clock = {now: () => new Date(0)}

/**
 * Reads a cluster's desired state and believes it only by its signature: publishing over a forged one would sign the forgery.
 * Rejects with `VerificationError` where it does not verify, and with `ObjectStoreError`.
 */
export async function readDesiredState(
  {store, trustRoot}: Pick<PublishPorts, 'store' | 'trustRoot'>,
  cluster: string,
): Promise<PresentDesiredState> {
  const [stored, root] = await Promise.all([
    store.get(keys.desired(cluster), {maxBytes: limits.maxEnvelopeBytes}),
    trustRoot(),
  ])
  if (typeof stored === 'string') return {}
  const {desired} = verifyDesiredState(stored.bytes, {trustRoot: root, cluster, clock: beforeAnyExpiry})
  return {desired, etag: stored.etag}
}
