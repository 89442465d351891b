import type {TrustRoot} from '#shared/attest/trust-root.ts'
import {VerificationError} from '#shared/attest/verification-error.ts'
import {verifyDesiredState} from '#shared/attest/verify-desired-state.ts'
import type {DesiredState} from '#shared/model/desired-state.ts'
import type {Clock} from '#shared/ports/clock.ts'
import type {AcceptedRecord} from './accepted-state.ts'

export type Acceptance =
  | {outcome: 'accepted'; desired: DesiredState; record: AcceptedRecord}
  /** What was accepted before, once more. */
  | {outcome: 'unchanged'; desired: DesiredState}
  | {outcome: 'refused'; error: VerificationError}

export interface AcceptOptions {
  trustRoot: TrustRoot
  cluster: string
  accepted: AcceptedRecord | undefined
  clock: Clock
}

/** Verifies an envelope against the trust root and what was accepted before. Says what to do; writes nothing. */
export function acceptDesired(envelope: Uint8Array, {trustRoot, cluster, accepted, clock}: AcceptOptions): Acceptance {
  try {
    const {desired, payload} = verifyDesiredState(envelope, {
      trustRoot,
      cluster,
      clock,
      ...(accepted === undefined ? {} : {accepted: {version: accepted.version, payload: accepted.payload}}),
    })
    if (accepted?.version === desired.version) return {outcome: 'unchanged', desired}
    const acceptedAt = clock.now().toISOString()
    return {outcome: 'accepted', desired, record: {version: desired.version, payload, acceptedAt, envelope}}
  } catch (error) {
    if (error instanceof VerificationError) return {outcome: 'refused', error}
    throw error
  }
}

/**
 * Reads again what the cluster remembers as accepted. The signature is checked once more; its expiry only as of when it was
 * accepted, since what has expired is kept as it is, not given up. Undefined where the memory holds no envelope.
 */
export function recallAccepted(
  record: AcceptedRecord,
  {trustRoot, cluster}: Pick<AcceptOptions, 'trustRoot' | 'cluster'>,
): DesiredState | undefined {
  if (record.envelope === undefined) return undefined
  const acceptedAt = new Date(record.acceptedAt)
  const {desired} = verifyDesiredState(record.envelope, {
    trustRoot,
    cluster,
    clock: {now: () => acceptedAt},
    accepted: {version: record.version, payload: record.payload},
  })
  return desired
}
