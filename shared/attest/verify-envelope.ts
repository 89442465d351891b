import {verify} from 'node:crypto'
import {type Envelope, preAuthEncoding} from './envelope.ts'
import type {PayloadType} from './payload-types.ts'
import type {TrustRole, TrustRoot} from './trust-root.ts'
import {VerificationError} from './verification-error.ts'

/**
 * Checks an envelope for a role and returns the payload's bytes, not parsed. Distinct keys of the role count towards its
 * threshold; key ids are hints, so every key of the role is tried where an id is unknown (DSSE v1, protocol section).
 * Throws `VerificationError`: SIGNATURE_INVALID (no good signature), THRESHOLD_NOT_MET (some, too few), WRONG_PAYLOAD_TYPE.
 */
export function verifyEnvelope(
  envelope: Envelope,
  trustRoot: TrustRoot,
  role: TrustRole,
  payloadType: PayloadType,
): Uint8Array {
  const payload = Buffer.from(envelope.payload, 'base64')
  const message = preAuthEncoding(envelope.payloadType, payload)
  const {keyids, threshold} = trustRoot.roles[role]
  const good = new Set<string>()
  for (const {keyid, sig} of envelope.signatures) {
    const candidates = keyids.some((id) => id === keyid) ? keyids.filter((id) => id === keyid) : keyids
    const signature = Buffer.from(sig, 'base64')
    const by = candidates.find((id) => {
      const key = trustRoot.keys[id]
      return key !== undefined && isSignedBy(message, key.public, signature)
    })
    if (by !== undefined) good.add(by)
  }
  if (good.size === 0)
    throw new VerificationError('SIGNATURE_INVALID', `no signature by a key that the trust root names for role ${role}`)
  if (good.size < threshold) {
    throw new VerificationError(
      'THRESHOLD_NOT_MET',
      `${good.size} of ${threshold} signatures that role ${role} asks for`,
    )
  }
  if (envelope.payloadType !== payloadType) {
    throw new VerificationError(
      'WRONG_PAYLOAD_TYPE',
      `the payload type is ${envelope.payloadType}; expected ${payloadType}`,
    )
  }
  return payload
}

function isSignedBy(message: Uint8Array, publicKeyPem: string, signature: Uint8Array): boolean {
  try {
    return verify('sha256', message, {key: publicKeyPem, dsaEncoding: 'der'}, signature)
  } catch {
    // OpenSSL throws on some malformed signatures; to us all of them are just not by this key.
    return false
  }
}
