import {type DesiredState, desiredStateSchema} from '../model/desired-state.ts'
import {type Digest, digestOf} from '../model/digest.ts'
import type {Clock} from '../ports/clock.ts'
import {parseEnvelope} from './envelope.ts'
import {PAYLOAD_TYPES} from './payload-types.ts'
import type {TrustRoot} from './trust-root.ts'
import {VerificationError} from './verification-error.ts'
import {verifyEnvelope} from './verify-envelope.ts'

/** The desired state that was accepted last: the floor under what can be accepted next. */
export interface AcceptedState {
  version: number
  /** Digest of the accepted payload. */
  payload: Digest
}

export interface VerifyDesiredStateOptions {
  trustRoot: TrustRoot
  cluster: string
  accepted?: AcceptedState
  clock: Clock
}

/**
 * Believes a desired state or throws, checking in this order: signature and threshold, payload type, cluster, version not below
 * the accepted one (ROLLBACK; the same version with other content is EQUIVOCATION), expiry. Nothing of the payload is parsed
 * before its signature holds. Throws `VerificationError`.
 */
export function verifyDesiredState(
  bytes: Uint8Array,
  options: VerifyDesiredStateOptions,
): {desired: DesiredState; payload: Digest} {
  const {trustRoot, cluster, accepted, clock} = options
  const payloadBytes = verifyEnvelope(parseEnvelope(bytes), trustRoot, 'desired', PAYLOAD_TYPES.desiredState)
  const desired = parseDesiredState(payloadBytes)
  if (desired.cluster !== cluster) {
    throw new VerificationError(
      'WRONG_CLUSTER',
      `the desired state is for cluster ${desired.cluster}; this is ${cluster}`,
    )
  }
  const payload = digestOf(payloadBytes)
  if (accepted !== undefined && desired.version < accepted.version) {
    throw new VerificationError(
      'ROLLBACK',
      `the desired state has version ${desired.version}; version ${accepted.version} was accepted before`,
    )
  }
  if (accepted !== undefined && desired.version === accepted.version && payload !== accepted.payload) {
    throw new VerificationError('EQUIVOCATION', `two different desired states claim version ${desired.version}`)
  }
  if (Date.parse(desired.expiresAt) <= clock.now().getTime()) {
    throw new VerificationError('EXPIRED', `the desired state expired at ${desired.expiresAt}`, {
      version: desired.version,
    })
  }
  return {desired, payload}
}

/** Reads the payload of a desired state; says nothing about its signature. Throws `VerificationError` MALFORMED. */
export function parseDesiredState(payload: Uint8Array): DesiredState {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(payload).toString('utf8'))
  } catch (cause) {
    throw new VerificationError('MALFORMED', 'the desired state is not JSON', {}, {cause})
  }
  const parsed = desiredStateSchema.safeParse(value)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new VerificationError(
      'MALFORMED',
      `the desired state is not valid: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`,
    )
  }
  return parsed.data
}
