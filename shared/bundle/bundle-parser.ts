import {createHash} from 'node:crypto'
import type {Digest} from '../model/digest.ts'
import {limits} from '../model/limits.ts'
import {isJsonObject, type Manifest} from '../model/manifest.ts'
import {refKey, refOf} from '../model/object-ref.ts'
import {BundleError} from './bundle-error.ts'
import {type BundleHeader, bundleHeaderSchema} from './bundle-header.ts'
import {parseExactJson} from './exact-json.ts'

/** What is known of a bundle besides its objects. */
export interface BundleFacts {
  header: BundleHeader
  /** Digest of its lines without the header: equal where two bundles hold the same objects in the same order. */
  content: Digest
}

/** Reads a bundle's unpacked bytes in the pieces in which they come; holds one line of it at a time. Throws `BundleError`. */
export interface BundleParser {
  push(bytes: Uint8Array): void
  end(): BundleFacts
}

const NEWLINE = 0x0a

/** `onManifest` gets each object in turn. `objects` is how many are promised, besides what the header says. */
export function createBundleParser(onManifest: (manifest: Manifest) => void, objects?: number): BundleParser {
  const content = createHash('sha256')
  const seen = new Set<string>()
  let header: BundleHeader | undefined
  let parts: Uint8Array[] = []
  let lineBytes = 0
  let lineNumber = 0
  let unpackedBytes = 0

  function takeLine(): void {
    lineNumber++
    const line = Buffer.concat(parts)
    parts = []
    lineBytes = 0
    if (header === undefined) {
      const parsed = bundleHeaderSchema.safeParse(parseLine(line, lineNumber))
      if (!parsed.success) throw malformed(`its header is not valid: ${parsed.error.issues[0]?.message ?? 'unknown'}`)
      header = parsed.data
      return
    }
    if (lineNumber - 1 > limits.maxObjectsPerBundle)
      throw new BundleError('TOO_LARGE', `the bundle has more than ${limits.maxObjectsPerBundle} objects`)
    content.update(line).update('\n')
    const manifest = readManifest(parseLine(line, lineNumber), lineNumber)
    const key = refKey(refOf(manifest))
    if (seen.has(key)) throw new BundleError('DUPLICATE_OBJECT', `the bundle holds ${key} twice`, {object: key})
    seen.add(key)
    onManifest(manifest)
  }

  function addPart(part: Uint8Array): void {
    lineBytes += part.length
    if (lineBytes > limits.maxObjectBytes)
      throw new BundleError('TOO_LARGE', `an object of the bundle has more than ${limits.maxObjectBytes} bytes`)
    parts.push(part)
  }

  return {
    push(bytes) {
      unpackedBytes += bytes.length
      if (unpackedBytes > limits.maxUnpackedBundleBytes) throw unpacksTooLarge()
      let start = 0
      for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
        addPart(bytes.subarray(start, end))
        start = end + 1
        takeLine()
      }
      if (start < bytes.length) addPart(bytes.subarray(start))
    },
    end() {
      if (lineBytes > 0 || header === undefined) throw malformed('its last line is cut')
      const held = lineNumber - 1
      if (header.objects !== held || (objects !== undefined && objects !== held))
        throw malformed(`it holds ${held} objects and promises ${objects ?? header.objects}`)
      return {header, content: `sha256:${content.digest('hex')}`}
    },
  }
}

/** The error of a bundle that unpacks beyond the limit. */
export function unpacksTooLarge(cause?: unknown): BundleError {
  const message = `the bundle unpacks to more than ${limits.maxUnpackedBundleBytes} bytes`
  return new BundleError('TOO_LARGE', message, {}, {cause})
}

export function malformed(why: string): BundleError {
  return new BundleError('MALFORMED', `the bundle cannot be read: ${why}`)
}

function readManifest(value: unknown, lineNumber: number): Manifest {
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

function parseLine(line: Buffer, lineNumber: number): unknown {
  try {
    return parseExactJson(line.toString('utf8'))
  } catch {
    throw malformed(`line ${lineNumber} is not JSON`)
  }
}
