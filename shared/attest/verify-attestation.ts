import type {BundleAddress} from '../model/desired-state.ts'
import {digestHex} from '../model/digest.ts'
import {parseEnvelope} from './envelope.ts'
import {PAYLOAD_TYPES} from './payload-types.ts'
import {type Statement, statementSchema} from './statement.ts'
import type {TrustRoot} from './trust-root.ts'
import {VerificationError} from './verification-error.ts'
import {verifyEnvelope} from './verify-envelope.ts'

export interface VerifyAttestationOptions {
  trustRoot: TrustRoot
  app: string
  cluster: string
  bundle: BundleAddress
}

/** Believes that a bundle is what it is said to be, or throws `VerificationError` (WRONG_BUNDLE, WRONG_APP, WRONG_CLUSTER and those of the envelope). */
export function verifyAttestation(
  bytes: Uint8Array,
  {trustRoot, app, cluster, bundle}: VerifyAttestationOptions,
): Statement {
  const statement = verifyStatement(bytes, trustRoot)
  const attested = statement.subject[0].digest.sha256
  if (attested !== digestHex(bundle.digest)) {
    throw new VerificationError(
      'WRONG_BUNDLE',
      `the attestation is of bundle sha256:${attested}; expected ${bundle.digest}`,
    )
  }
  if (statement.predicate.app !== app) {
    throw new VerificationError('WRONG_APP', `the attestation is of app ${statement.predicate.app}; expected ${app}`)
  }
  if (statement.predicate.cluster !== cluster) {
    throw new VerificationError(
      'WRONG_CLUSTER',
      `the attestation is for cluster ${statement.predicate.cluster}; this is ${cluster}`,
    )
  }
  return statement
}

/** Checks an attestation's signature and shape, whatever it is about. Throws `VerificationError`. */
export function verifyStatement(bytes: Uint8Array, trustRoot: TrustRoot): Statement {
  const payload = verifyEnvelope(parseEnvelope(bytes), trustRoot, 'attestation', PAYLOAD_TYPES.statement)
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(payload).toString('utf8'))
  } catch (cause) {
    throw new VerificationError('MALFORMED', 'the statement is not JSON', {}, {cause})
  }
  const parsed = statementSchema.safeParse(value)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new VerificationError(
      'MALFORMED',
      `the statement is not valid: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`,
    )
  }
  return parsed.data
}
