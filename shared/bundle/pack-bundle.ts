import {gzipSync} from 'fflate'
import {API_VERSION} from '../model/api-version.ts'
import type {BundleAddress} from '../model/desired-state.ts'
import {digestOf} from '../model/digest.ts'
import {limits} from '../model/limits.ts'
import type {Manifest} from '../model/manifest.ts'
import {formatRef, refKey, refOf} from '../model/object-ref.ts'
import {BundleError} from './bundle-error.ts'
import type {BundleHeader} from './bundle-header.ts'
import {canonicalJson} from './canonical-json.ts'

/**
 * Packs manifests into a bundle: gzip of one canonical JSON value a line, the header first, then the objects sorted by `refKey`.
 * The same arguments give the same bytes on every machine, which is why the compressor is plain JavaScript: zlib's output differs
 * between processor architectures. Throws `BundleError`: DUPLICATE_OBJECT, TOO_LARGE, MALFORMED.
 */
export function packBundle(
  header: Omit<BundleHeader, 'apiVersion' | 'kind' | 'objects'>,
  manifests: readonly Manifest[],
): {bytes: Uint8Array; address: BundleAddress} {
  if (manifests.length > limits.maxObjectsPerBundle) {
    throw new BundleError(
      'TOO_LARGE',
      `app ${header.app} has ${manifests.length} objects; at most ${limits.maxObjectsPerBundle} fit a bundle`,
    )
  }
  const keyed = manifests.map((manifest) => ({key: refKey(refOf(manifest)), manifest}))
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  keyed.forEach(({key, manifest}, index) => {
    if (index > 0 && keyed[index - 1]?.key === key) {
      throw new BundleError('DUPLICATE_OBJECT', `app ${header.app} declares ${formatRef(refOf(manifest))} twice`, {
        object: key,
      })
    }
  })
  const first: BundleHeader = {apiVersion: API_VERSION, kind: 'Bundle', ...header, objects: manifests.length}
  const lines = [canonicalJson(first), ...keyed.map(({manifest}) => canonicalJson(manifest))]
  const unpacked = Buffer.from(`${lines.join('\n')}\n`)
  if (unpacked.byteLength > limits.maxUnpackedBundleBytes) {
    throw new BundleError(
      'TOO_LARGE',
      `the objects of app ${header.app} have ${unpacked.byteLength} bytes; at most ${limits.maxUnpackedBundleBytes} fit a bundle: split the app`,
    )
  }
  const bytes = gzipSync(unpacked, {level: 6, mtime: 0})
  if (bytes.byteLength > limits.maxBundleBytes) {
    throw new BundleError(
      'TOO_LARGE',
      `the bundle of app ${header.app} has ${bytes.byteLength} bytes; at most ${limits.maxBundleBytes} are allowed: split the app`,
    )
  }
  return {bytes, address: {digest: digestOf(bytes), size: bytes.byteLength, objects: manifests.length}}
}
