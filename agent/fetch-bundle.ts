import type {TrustRoot} from '#shared/attest/trust-root.ts'
import {verifyAttestation} from '#shared/attest/verify-attestation.ts'
import {checkAddress} from '#shared/bundle/unpack-bundle.ts'
import type {PresentApp} from '#shared/model/desired-state.ts'
import {keys} from '#shared/model/keys.ts'
import {limits} from '#shared/model/limits.ts'
import type {ObjectStore} from '#shared/ports/object-store.ts'
import {ObjectStoreError} from '#shared/ports/object-store-error.ts'

/**
 * Fetches an app's attestation and bundle and believes neither before they are verified: signature, app, cluster and digest of the
 * attestation; size and digest of the bundle's bytes. Resolves with these bytes, of which nothing was decompressed yet. Throws `VerificationError` or `BundleError`
 * where they are not what was signed, and `ObjectStoreError` UNAVAILABLE where they cannot be had now.
 */
export async function fetchBundle(
  app: Pick<PresentApp, 'name' | 'bundle'>,
  {store, trustRoot, cluster}: {store: Pick<ObjectStore, 'get'>; trustRoot: TrustRoot; cluster: string},
): Promise<Uint8Array> {
  const {bundle} = app
  const [attestation, packed] = await Promise.all([
    read(store, keys.attestation(bundle.digest), limits.maxAttestationBytes),
    read(store, keys.bundle(bundle.digest), limits.maxBundleBytes),
  ])
  verifyAttestation(attestation, {trustRoot, app: app.name, cluster, bundle})
  checkAddress(packed, bundle)
  return packed
}

async function read(store: Pick<ObjectStore, 'get'>, key: string, maxBytes: number): Promise<Uint8Array> {
  const found = await store.get(key, {maxBytes})
  if (found === 'absent' || found === 'not-modified') {
    throw new ObjectStoreError('UNAVAILABLE', `${key} is not in the object store`, {key})
  }
  return found.bytes
}
