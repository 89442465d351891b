import {createStatement} from '#shared/attest/create-statement.ts'
import {signEnvelope} from '#shared/attest/envelope.ts'
import {PAYLOAD_TYPES} from '#shared/attest/payload-types.ts'
import type {TrustRoot} from '#shared/attest/trust-root.ts'
import {VerificationError} from '#shared/attest/verification-error.ts'
import {verifyAttestation} from '#shared/attest/verify-attestation.ts'
import type {BundleHeader} from '#shared/bundle/bundle-header.ts'
import {canonicalJson} from '#shared/bundle/canonical-json.ts'
import type {PresentApp} from '#shared/model/desired-state.ts'
import {keys} from '#shared/model/keys.ts'
import {limits} from '#shared/model/limits.ts'
import type {StoredObject} from '#shared/ports/object-store.ts'
import type {PublishPorts} from './ports.ts'
import {PublishError} from './publish-error.ts'

const MAX_TRIES = 3

/**
 * Sees to it that a good attestation of an app's bundle is stored: an in-toto statement in a signed envelope. One that is there
 * and verifies is kept; one that does not is replaced by compare-and-swap. Safe to repeat and to run at once with others.
 */
export async function attestBundle(
  ports: Pick<PublishPorts, 'store' | 'signer' | 'trustRoot'>,
  {app, cluster, header}: {app: PresentApp; cluster: string; header: BundleHeader},
): Promise<void> {
  const {store, signer} = ports
  const payload = Buffer.from(canonicalJson(createStatement({app, cluster, header})))
  const bytes = await signEnvelope(signer, PAYLOAD_TYPES.statement, payload)
  const key = keys.attestation(app.bundle.digest)
  // Most bundles are new, so the way without a read comes first.
  if ((await store.create(key, bytes)) === 'created') return
  const trustRoot = await ports.trustRoot()
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const stored = await store.get(key, {maxBytes: limits.maxEnvelopeBytes})
    if (typeof stored === 'object' && isGood(stored, trustRoot, app, cluster)) return
    const etag = typeof stored === 'object' ? stored.etag : undefined
    if ((await store.swap(key, bytes, etag)) !== 'conflict') return
  }
  throw new PublishError('CONTENTION', `others keep writing the attestation of bundle ${app.bundle.digest}`)
}

function isGood(stored: StoredObject, trustRoot: TrustRoot, app: PresentApp, cluster: string): boolean {
  try {
    verifyAttestation(stored.bytes, {trustRoot, app: app.name, cluster, bundle: app.bundle})
    return true
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error
    return false
  }
}
