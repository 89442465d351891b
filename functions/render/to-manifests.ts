import {isExact} from '#shared/bundle/exact-json.ts'
import {isJsonObject, type JsonObject, type Manifest} from '#shared/model/manifest.ts'
import {type Place, RenderError} from './render-error.ts'

/** A manifest, and where it was found, for messages. */
export interface FoundManifest {
  manifest: Manifest
  place: Place
}

/** Something that a renderer gave; `position` counts the documents of its file or output from 1. */
export interface FoundValue {
  value: unknown
  place: Place
  position: number
}

/** Checks what a renderer gave and takes Lists apart. Throws `RenderError` OBJECT_INVALID with file, line or position. */
export function toManifests(values: readonly FoundValue[]): FoundManifest[] {
  return values.flatMap((found) => expand(found))
}

function expand(found: FoundValue, depth = 0): FoundManifest[] {
  const {value, place} = found
  if (!isJsonObject(value)) throw invalid(found, 'is not an object')
  if (isList(value)) {
    const items: unknown = value.items ?? []
    if (!Array.isArray(items)) throw invalid(found, `is a ${String(value.kind)} whose items are not a list`)
    if (depth > maxListDepth) throw invalid(found, `nests Lists more than ${maxListDepth} levels deep`)
    return items.flatMap((item: unknown) => expand({...found, value: item}, depth + 1))
  }
  return [{manifest: checkManifest(value, found), place}]
}

/** `List`, and the typed lists that `kubectl get -o yaml` and generators write. */
function isList(value: JsonObject): boolean {
  return typeof value.kind === 'string' && value.kind.endsWith('List') && ('items' in value || value.kind === 'List')
}

function checkManifest(value: JsonObject, found: FoundValue): Manifest {
  const {apiVersion, kind, metadata} = value
  if (typeof kind !== 'string' || kind === '') throw invalid(found, 'has no kind')
  if (typeof apiVersion !== 'string' || apiVersion === '') throw invalid(found, `(${kind}) has no apiVersion`)
  if (!/^[^/\s%]+(\/[^/\s%]+)?$/.test(apiVersion)) throw invalid(found, `(${kind}) has a malformed apiVersion`)
  if (/[/\s%]/.test(kind)) throw invalid(found, 'has a malformed kind')
  if (!isJsonObject(metadata)) throw invalid(found, `(${kind}) has no metadata`)
  const {name, namespace, generateName} = metadata
  if (name === undefined && generateName !== undefined) {
    throw invalid(found, `(${kind}) has generateName: each apply would make another object, so give it a name`)
  }
  if (typeof name !== 'string' || name === '') throw invalid(found, `(${kind}) has no metadata.name`)
  if (/[/\s%]/.test(name) || name === '.' || name === '..')
    throw invalid(found, `(${kind}) has a malformed metadata.name`)
  if (namespace !== undefined && namespace !== null && (typeof namespace !== 'string' || /[/\s%]/.test(namespace))) {
    throw invalid(found, `(${kind} ${name}) has a malformed metadata.namespace`)
  }
  checkNumbers(value, found, `${kind} ${name}`)
  const {namespace: _, ...rest} = metadata
  const kept = typeof namespace === 'string' && namespace !== '' ? {namespace} : {}
  return {...value, apiVersion, kind, metadata: {...rest, name, ...kept}}
}

const maxListDepth = 10
/** No API server takes deeper ones. */
const maxDepth = 500

/** What the exact JSON reader would have made a bigint of has lost digits on its way here. What int64 and uint64 cannot hold is a float for kubectl too. */
function checkNumbers(value: unknown, found: FoundValue, what: string, depth = 0): void {
  if (depth > maxDepth) throw invalid(found, `(${what}) nests more than ${maxDepth} levels deep`)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw invalid(found, `(${what}) holds a number that JSON does not have (.inf or .nan)`)
    if (Number.isInteger(value) && !Number.isSafeInteger(value) && isExact(BigInt(value))) {
      throw invalid(found, `(${what}) holds a whole number above 2^53, which would lose digits: quote it`)
    }
  } else if (typeof value === 'bigint') {
    if (!isExact(value))
      throw invalid(found, `(${what}) holds a whole number that fits neither int64 nor uint64: quote it`)
  } else if (typeof value === 'object' && value !== null) {
    for (const child of Object.values(value)) checkNumbers(child, found, what, depth + 1)
  }
}

function invalid(found: FoundValue, what: string): RenderError {
  const {file, line} = found.place
  const where = file === undefined ? '' : ` of ${file}`
  return new RenderError(
    'OBJECT_INVALID',
    `document ${found.position}${where}${line === undefined ? '' : ` (line ${line})`} ${what}`,
    found.place,
  )
}
