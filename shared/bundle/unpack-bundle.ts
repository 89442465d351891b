import {gunzipSync} from 'node:zlib'
import type {BundleAddress} from '../model/desired-state.ts'
import {digestOf} from '../model/digest.ts'
import {describeError} from '../model/drawbridge-error.ts'
import {limits} from '../model/limits.ts'
import {isJsonObject, type Manifest} from '../model/manifest.ts'
import {refKey, refOf} from '../model/object-ref.ts'
import {BundleError} from './bundle-error.ts'
import {type BundleHeader, bundleHeaderSchema} from './bundle-header.ts'
import {parseExactJson} from './exact-json.ts'

/** An opened bundle. */
export interface OpenBundle {
  header: BundleHeader
  manifests: Manifest[]
  /** Digest of its lines without the header: equal where two bundles hold the same objects in the same order. */
  content: string
}

/**
 * Opens a bundle. Size and digest are checked on the bytes as they came, before anything is decompressed or parsed; then under
 * limits. Throws `BundleError`: SIZE_MISMATCH, DIGEST_MISMATCH, TOO_LARGE, MALFORMED, DUPLICATE_OBJECT.
 */
export function unpackBundle(bytes: Uint8Array, expected: BundleAddress): OpenBundle {
  if (bytes.byteLength !== expected.size) {
    throw new BundleError('SIZE_MISMATCH', `the bundle has ${bytes.byteLength} bytes; ${expected.size} are signed for`)
  }
  const digest = digestOf(bytes)
  if (digest !== expected.digest) {
    throw new BundleError('DIGEST_MISMATCH', `the bundle's digest is ${digest}; ${expected.digest} is signed for`)
  }
  return parseBundle(bytes, expected.objects)
}

/** Opens a bundle whose bytes the caller already knows to be the right ones. Throws as `unpackBundle` does. */
export function parseBundle(bytes: Uint8Array, objects?: number): OpenBundle {
  const text = decompress(bytes)
  const lines = text.split('\n')
  if (lines.pop() !== '') throw malformed('its last line is cut')
  const header = bundleHeaderSchema.safeParse(parseLine(lines[0], 1))
  if (!header.success) throw malformed(`its header is not valid: ${header.error.issues[0]?.message ?? 'unknown'}`)
  if (header.data.objects !== lines.length - 1 || (objects !== undefined && objects !== lines.length - 1)) {
    throw malformed(`it holds ${lines.length - 1} objects and promises ${objects ?? header.data.objects}`)
  }
  const seen = new Set<string>()
  const manifests = lines.slice(1).map((line, index) => {
    const manifest = parseManifest(line, index + 2)
    const key = refKey(refOf(manifest))
    if (seen.has(key)) throw new BundleError('DUPLICATE_OBJECT', `the bundle holds ${key} twice`, {object: key})
    seen.add(key)
    return manifest
  })
  const content = digestOf(Buffer.from(text.slice((lines[0] ?? '').length + 1)))
  return {header: header.data, manifests, content}
}

function decompress(bytes: Uint8Array): string {
  try {
    return gunzipSync(bytes, {maxOutputLength: limits.maxUnpackedBundleBytes}).toString('utf8')
  } catch (cause) {
    if (cause instanceof RangeError)
      throw new BundleError(
        'TOO_LARGE',
        `the bundle unpacks to more than ${limits.maxUnpackedBundleBytes} bytes`,
        {},
        {cause},
      )
    throw malformed(`it is not gzip (${describeError(cause)})`)
  }
}

function parseManifest(line: string, lineNumber: number): Manifest {
  const value = parseLine(line, lineNumber)
  if (
    !isJsonObject(value) ||
    typeof value.apiVersion !== 'string' ||
    typeof value.kind !== 'string' ||
    !isJsonObject(value.metadata)
  ) {
    throw malformed(`line ${lineNumber} is not a Kubernetes object`)
  }
  const {name, namespace} = value.metadata
  if (typeof name !== 'string' || name === '' || (namespace !== undefined && typeof namespace !== 'string')) {
    throw malformed(`line ${lineNumber} has no usable name or namespace`)
  }
  // A slash would make two objects look like one, or a part of a path of what is a name.
  const versionParts = value.apiVersion.split('/')
  if (versionParts.length > 2 || ![value.kind, name, namespace ?? '', ...versionParts].every(isPathPart)) {
    throw malformed(`line ${lineNumber} has a name, namespace, kind or apiVersion that no object can have`)
  }
  return value as Manifest
}

function isPathPart(part: string): boolean {
  return !/[/\s%]/.test(part) && part !== '.' && part !== '..'
}

function parseLine(line: string | undefined, lineNumber: number): unknown {
  try {
    return parseExactJson(line ?? '')
  } catch {
    throw malformed(`line ${lineNumber} is not JSON`)
  }
}

function malformed(why: string): BundleError {
  return new BundleError('MALFORMED', `the bundle cannot be read: ${why}`)
}
