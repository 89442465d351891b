import {createGunzip, gunzipSync} from 'node:zlib'
import type {BundleAddress} from '../model/desired-state.ts'
import {digestOf} from '../model/digest.ts'
import {describeError} from '../model/drawbridge-error.ts'
import {limits} from '../model/limits.ts'
import type {Manifest} from '../model/manifest.ts'
import {BundleError} from './bundle-error.ts'
import {type BundleFacts, createBundleParser, malformed, unpacksTooLarge} from './bundle-parser.ts'

/** An opened bundle. */
export interface OpenBundle extends BundleFacts {
  manifests: Manifest[]
}

/**
 * Opens a bundle. Size and digest are checked on the bytes as they came, before anything is decompressed or parsed; then under
 * limits. Throws `BundleError`: SIZE_MISMATCH, DIGEST_MISMATCH, TOO_LARGE, MALFORMED, DUPLICATE_OBJECT.
 */
export function unpackBundle(bytes: Uint8Array, expected: BundleAddress): OpenBundle {
  checkAddress(bytes, expected)
  return parseBundle(bytes, expected.objects)
}

/** Checks that bytes are those of an address. Throws `BundleError` SIZE_MISMATCH or DIGEST_MISMATCH. */
export function checkAddress(bytes: Uint8Array, expected: BundleAddress): void {
  if (bytes.byteLength !== expected.size) {
    throw new BundleError('SIZE_MISMATCH', `the bundle has ${bytes.byteLength} bytes; ${expected.size} are signed for`)
  }
  const digest = digestOf(bytes)
  if (digest !== expected.digest) {
    throw new BundleError('DIGEST_MISMATCH', `the bundle's digest is ${digest}; ${expected.digest} is signed for`)
  }
}

/** Opens a bundle whose bytes the caller already knows to be the right ones. Throws as `unpackBundle` does. */
export function parseBundle(bytes: Uint8Array, objects?: number): OpenBundle {
  const manifests: Manifest[] = []
  const parser = createBundleParser((manifest) => void manifests.push(manifest), objects)
  parser.push(decompress(bytes))
  return {...parser.end(), manifests}
}

/**
 * The same without ever holding more than one object: `onManifest` gets each in turn. Rejects as `unpackBundle` throws, perhaps after some
 * objects were given; what `onManifest` throws ends it.
 */
export async function readBundle(
  bytes: Uint8Array,
  onManifest: (manifest: Manifest) => void,
  objects?: number,
): Promise<BundleFacts> {
  const parser = createBundleParser(onManifest, objects)
  const gunzip = createGunzip({chunkSize: 64 * 1024})
  gunzip.end(bytes)
  let own: unknown
  try {
    for await (const chunk of gunzip) {
      try {
        parser.push(chunk)
      } catch (error) {
        own = error
        throw error
      }
    }
  } catch (cause) {
    throw cause === own ? cause : malformed(`it is not gzip (${describeError(cause)})`)
  }
  return parser.end()
}

/** How many bytes a bundle says that it unpacks to. What it holds is bounded while it is read. */
export function unpackedSize(bytes: Uint8Array): number {
  // RFC 1952, 2.3.1: ISIZE.
  return bytes.length < 4 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - 4, true)
}

function decompress(bytes: Uint8Array): Uint8Array {
  try {
    return gunzipSync(bytes, {maxOutputLength: limits.maxUnpackedBundleBytes})
  } catch (cause) {
    throw cause instanceof RangeError ? unpacksTooLarge(cause) : malformed(`it is not gzip (${describeError(cause)})`)
  }
}
