import {createStatement} from '#shared/attest/create-statement.ts'
import {signEnvelope} from '#shared/attest/envelope.ts'
import {PAYLOAD_TYPES} from '#shared/attest/payload-types.ts'
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

/** What is stored about a bundle already: a good attestation needs no second signature, a bad one is to be replaced. */
export type PresentAttestation = 'absent' | 'good' | {bad: string}

const MAX_TRIES = 3

/** Looks for the attestation of an app's bundle. Rejects with `ObjectStoreError`. */
export async function findAttestation(
  {store, trustRoot}: PublishPorts,
  app: PresentApp,
  cluster: string,
): Promise<PresentAttestation> {
  const stored = await store.get(keys.attestation(app.bundle.digest), {maxBytes: limits.maxEnvelopeBytes})
  if (typeof stored === 'string') return 'absent'
  return judge(stored, await trustRoot(), app, cluster)
}

/**
 * Sees to it that a good attestation of an app's bundle is stored: one in-toto statement, signed once. What is there and does
 * not verify is replaced by compare-and-swap. Safe to repeat and to run at once with others.
 */
export async function attestBundle(
  ports: PublishPorts,
  {
    app,
    cluster,
    header,
    present,
  }: {app: PresentApp; cluster: string; header: BundleHeader; present: PresentAttestation},
): Promise<void> {
  if (present === 'good') return
  const {store, signer, trustRoot} = ports
  const payload = Buffer.from(canonicalJson(createStatement({app, cluster, header})))
  const bytes = await signEnvelope(signer, PAYLOAD_TYPES.statement, payload)
  const key = keys.attestation(app.bundle.digest)
  if (present === 'absent' && (await store.create(key, bytes)) === 'created') return
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const stored = await store.get(key, {maxBytes: limits.maxEnvelopeBytes})
    const verdict = typeof stored === 'string' ? 'absent' : judge(stored, await trustRoot(), app, cluster)
    if (verdict === 'good') return
    const etag = typeof stored === 'string' ? undefined : stored.etag
    if ((await store.swap(key, bytes, etag)) !== 'conflict') return
  }
  throw new PublishError('CONTENTION', `others keep writing the attestation of bundle ${app.bundle.digest}`)
}

function judge(
  stored: StoredObject,
  trustRoot: Awaited<ReturnType<PublishPorts['trustRoot']>>,
  app: PresentApp,
  cluster: string,
): PresentAttestation {
  try {
    verifyAttestation(stored.bytes, {trustRoot, app: app.name, cluster, bundle: app.bundle})
    return 'good'
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error
    return {bad: error.message}
  }
}
