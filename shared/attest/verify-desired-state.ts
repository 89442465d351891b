import * as z from 'zod'
import {
  type DesiredApp,
  type DesiredState,
  desiredAppSchema,
  desiredStateSchema,
  type UnreadApp,
} from '../model/desired-state.ts'
import {type Digest, digestOf} from '../model/digest.ts'
import {appNameSchema} from '../model/names.ts'
import {describeProblem, tolerantList} from '../model/tolerant-list.ts'
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

/**
 * Reads the payload of a desired state; says nothing about its signature. Apps that this version cannot read are in `unread`, by name. Throws
 * `VerificationError` MALFORMED.
 */
export function parseDesiredState(payload: Uint8Array): DesiredState {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(payload).toString('utf8'))
  } catch (cause) {
    throw new VerificationError('MALFORMED', 'the desired state is not JSON', {}, {cause})
  }
  const parsed = looseSchema.safeParse(value)
  if (!parsed.success) {
    throw new VerificationError('MALFORMED', `the desired state is not valid: ${describeProblem(parsed.error)}`)
  }
  const {apps: entries, ...state} = parsed.data
  const unread = entries.flatMap((entry) => ('problem' in entry ? [entry] : []))
  const apps = entries.flatMap((entry) => ('problem' in entry ? [] : [entry]))
  return {...state, apps, ...(unread.length === 0 ? {} : {unread})}
}

const namedSchema = z.object({name: appNameSchema})
const entrySchema: z.ZodType<DesiredApp | UnreadApp> = desiredAppSchema
const looseSchema = desiredStateSchema.extend({
  apps: tolerantList(entrySchema, (entry, problem): UnreadApp | undefined => {
    const named = namedSchema.safeParse(entry)
    return named.success ? {name: named.data.name, problem} : undefined
  }),
})
