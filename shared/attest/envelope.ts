import * as z from 'zod'
import {canonicalJson} from '../bundle/canonical-json.ts'
import {limits} from '../model/limits.ts'
import type {Signer} from '../ports/signer.ts'
import type {PayloadType} from './payload-types.ts'
import {VerificationError} from './verification-error.ts'

// zod's own check decodes the whole, which takes longer than verifying its signature.
const base64Schema = z
  .string()
  .regex(/^[A-Za-z0-9+/]*={0,2}$/, 'must be base64')
  .refine((text) => text.length % 4 === 0, 'must be base64 with padding')

/** A DSSE v1 envelope; `payload` and `sig` are base64 (with padding), `sig` of an ASN.1 DER ECDSA signature. */
const envelopeSchema = z.object({
  payloadType: z.string().max(256),
  payload: base64Schema,
  signatures: z
    .array(z.object({keyid: z.string().max(256).default(''), sig: base64Schema.max(4096)}))
    .min(1)
    .max(32),
})
export type Envelope = z.infer<typeof envelopeSchema>

/**
 * Reads an envelope. A document that carries an inclusion proof in place of signatures (a batch signed at its Merkle root) is
 * told apart, and refused until a verifier for it exists. Throws `VerificationError`: TOO_LARGE, MALFORMED, UNSUPPORTED_PROOF.
 */
export function parseEnvelope(bytes: Uint8Array): Envelope {
  if (bytes.byteLength > limits.maxEnvelopeBytes) {
    throw new VerificationError(
      'TOO_LARGE',
      `the envelope has ${bytes.byteLength} bytes; at most ${limits.maxEnvelopeBytes} are read`,
    )
  }
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch (cause) {
    throw new VerificationError('MALFORMED', 'the envelope is not JSON', {}, {cause})
  }
  if (typeof value === 'object' && value !== null && 'inclusionProof' in value) {
    throw new VerificationError(
      'UNSUPPORTED_PROOF',
      'the document carries an inclusion proof, which this version cannot check; upgrade it',
    )
  }
  const envelope = envelopeSchema.safeParse(value)
  if (!envelope.success) {
    const issue = envelope.error.issues[0]
    throw new VerificationError(
      'MALFORMED',
      `not a DSSE envelope: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim(),
    )
  }
  return envelope.data
}

/** The bytes that are signed. DSSE v1, PAE: lengths are in bytes, in decimal. */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const head = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.byteLength} `
  return Buffer.concat([Buffer.from(head), payload])
}

/** Signs a payload and returns the envelope's bytes (canonical JSON). */
export async function signEnvelope(signer: Signer, payloadType: PayloadType, payload: Uint8Array): Promise<Uint8Array> {
  const [keyid, sig] = await Promise.all([signer.keyId(), signer.sign(preAuthEncoding(payloadType, payload))])
  const envelope: Envelope = {
    payloadType,
    payload: Buffer.from(payload).toString('base64'),
    signatures: [{keyid, sig: Buffer.from(sig).toString('base64')}],
  }
  return Buffer.from(canonicalJson(envelope))
}
