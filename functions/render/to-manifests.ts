import {canonicalJson} from '#shared/bundle/canonical-json.ts'
import {isExact} from '#shared/bundle/exact-json.ts'
import {childObject, isJsonObject, type JsonObject, type Manifest} from '#shared/model/manifest.ts'
import {nameGenerated} from '#shared/plan/name-run.ts'
import {readHook} from '#shared/plan/read-hook.ts'
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
  const {metadata} = value
  const kind = readText(value.kind, found, 'kind')
  const what = `(${kind}) `
  const apiVersion = readText(value.apiVersion, found, 'apiVersion', what)
  if (!/^[^/\s%]+(\/[^/\s%]+)?$/.test(apiVersion)) throw invalid(found, `(${kind}) has a malformed apiVersion`)
  if (/[/\s%]/.test(kind)) throw invalid(found, 'has a malformed kind')
  if (!isJsonObject(metadata)) throw invalid(found, `(${kind}) has no metadata`)
  const declared = given(metadata.name)
  const generateName = declared === undefined ? given(metadata.generateName) : undefined
  const field = generateName === undefined ? 'metadata.name' : 'metadata.generateName'
  const base = readText(declared ?? generateName, found, field, what)
  if (/[/\s%]/.test(base) || base === '.' || base === '..') throw invalid(found, `${what}has a malformed ${field}`)
  const namespace = given(metadata.namespace)
  if (namespace !== undefined) {
    const text = readText(namespace, found, 'metadata.namespace', `(${kind} ${base}) `)
    if (/[/\s%]/.test(text)) throw invalid(found, `(${kind} ${base}) has a malformed metadata.namespace`)
  }
  checkTexts(metadata, found, `${kind} ${base}`)
  checkNumbers(value, found, `${kind} ${base}`)
  const {namespace: _, ...rest} = metadata
  const kept = typeof namespace === 'string' ? {namespace} : {}
  const manifest: Manifest = {...value, apiVersion, kind, metadata: {...rest, name: base, ...kept}}
  return generateName === undefined ? manifest : nameHook(manifest, found)
}

/** For Kubernetes an empty text is as good as none. */
function given<T>(value: T): T | undefined {
  return value === null || value === '' ? undefined : value
}

/** A hook that has only a `generateName` gets a name to be known by; each of its runs gets another from the agent. */
function nameHook(manifest: Manifest, found: FoundValue): Manifest {
  const {kind, metadata} = manifest
  if (readHook(manifest) === 'object') {
    const reason = 'has generateName and is no hook: each apply would make another object, so give it a name'
    throw invalid(found, `(${kind}) ${reason}`)
  }
  return {...manifest, metadata: {...metadata, name: nameGenerated(metadata.name, canonicalJson(manifest))}}
}

/** Reads a field that must be a text with something in it; `what` is the object that has it. */
function readText(value: unknown, found: FoundValue, field: string, what = ''): string {
  if (typeof value === 'string' && value !== '') return value
  if (value === undefined || value === null || value === '') throw invalid(found, `${what}has no ${field}`)
  const shown = isSimple(value) ? `the ${typeOf(value)} ${String(value)}` : typeOf(value)
  throw invalid(found, `${what}has ${shown} as ${field}${isSimple(value) ? ': quote it' : ', where a text belongs'}`)
}

/** The API server takes nothing but texts there, and refuses the rest without naming it. A value may be a secret, and is not shown. */
function checkTexts(metadata: JsonObject, found: FoundValue, what: string): void {
  for (const field of ['labels', 'annotations'] as const) {
    for (const [key, value] of Object.entries(childObject(metadata, field) ?? {})) {
      if (value === null || typeof value === 'string') continue
      const shown = nameType(value)
      const remedy = isSimple(value) ? ': quote it' : ', where a text belongs'
      throw invalid(found, `(${what}) has ${shown} as metadata.${field}[${JSON.stringify(key)}]${remedy}`)
    }
  }
}

function isSimple(value: unknown): value is number | bigint | boolean {
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean'
}

/** The type of a value for people, with its article. */
export function nameType(value: unknown): string {
  if (typeof value === 'string') return 'a text'
  return isSimple(value) ? `a ${typeOf(value)}` : typeOf(value)
}

function typeOf(value: unknown): string {
  if (typeof value === 'boolean') return 'boolean'
  return isSimple(value) ? 'number' : Array.isArray(value) ? 'a list' : 'an object'
}

const maxListDepth = 10
/** No API server takes deeper ones. */
const maxDepth = 500

/** What the exact JSON reader would have made a bigint of has lost digits on its way here. What int64 and uint64 cannot hold is a float for kubectl too. */
function checkNumbers(value: unknown, found: FoundValue, what: string, depth = 0): void {
  if (depth > maxDepth) throw invalid(found, `(${what}) nests more than ${maxDepth} levels deep`)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw invalid(found, `(${what}) holds a number that JSON does not have (.inf or .nan)`)
    // Digits just beyond the least int64 are a float whose nearest is that very number.
    const isLeast = value === -(2 ** 63)
    if (Number.isInteger(value) && !Number.isSafeInteger(value) && !isLeast && isExact(BigInt(value))) {
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
  return new RenderError('OBJECT_INVALID', `document ${found.position} ${what}`, found.place)
}
