import {createHash} from 'node:crypto'
import {canonicalJson} from '../bundle/canonical-json.ts'
import {stringifyExact} from '../bundle/exact-json.ts'
import {isJsonObject, type Json, type JsonObject} from '../model/manifest.ts'

/** Another manager's entry in `metadata.managedFields`. */
export interface FieldManager {
  manager: string
  operation: string
  /** The subresource it wrote through, such as `scale`; '' for the object itself. */
  subresource: string
  /** RFC 3339, whole seconds; '' where the server gave none. */
  time: string
}

/**
 * Computes a fingerprint of the fields that `manager` owns by server-side apply, from an object's `metadata.managedFields`: 16 hex characters that
 * change whenever another client takes, changes or removes one of those fields, and stay when it touches any other or when we apply the
 * same again (`time` does not count). Undefined where the manager has no Apply entry (never applied, or managedFields were stripped).
 */
export function fingerprintFields(managedFields: unknown, manager: string): string | undefined {
  const owned = entriesOf(managedFields).filter((entry) => isOwnApply(entry, manager))
  if (owned.length === 0) return undefined
  const written = stringifyExact(owned.map((entry) => entry.fieldsV1 ?? {}))
  const known = computed.get(written)
  if (known !== undefined) return known
  const fieldsets = owned.map((entry) => canonicalJson(entry.fieldsV1 ?? {})).sort()
  const fingerprint = createHash('sha256').update(fieldsets.join('\n')).digest('hex').slice(0, 16)
  if (written.length > MAX_WRITTEN) return fingerprint
  if (computed.size >= MAX_COMPUTED) computed.clear()
  computed.set(written, fingerprint)
  return fingerprint
}

// Most objects of a kind share a fieldset, and each event of an object repeats it.
const MAX_COMPUTED = 500
const MAX_WRITTEN = 10_000
const computed = new Map<string, string>()

/**
 * Names who changed an object besides `manager`'s own applies, newest first: the entries of `after` that `before` lacks or has otherwise. Without
 * `before` (undefined) every other manager counts. Writers of `status` never do: status is nobody's drift. What was changed by the same manager name with an Update is told too.
 */
export function managersOf(before: unknown, after: unknown, manager: string): FieldManager[] {
  const known = new Map(entriesOf(before).map((entry) => [identify(entry), stringifyExact(entry)]))
  return entriesOf(after)
    .filter((entry) => !isOwnApply(entry, manager) && entry.subresource !== 'status')
    .filter((entry) => known.get(identify(entry)) !== stringifyExact(entry))
    .map((entry) => ({
      manager: text(entry.manager),
      operation: text(entry.operation),
      subresource: text(entry.subresource),
      time: text(entry.time),
    }))
    .sort((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : 0))
}

function entriesOf(managedFields: unknown): JsonObject[] {
  return Array.isArray(managedFields) ? managedFields.filter(isJsonObject) : []
}

function isOwnApply(entry: JsonObject, manager: string): boolean {
  return entry.manager === manager && entry.operation === 'Apply' && !entry.subresource
}

function identify(entry: JsonObject): string {
  return [entry.manager, entry.operation, entry.apiVersion, entry.subresource].map((part) => text(part)).join('\n')
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}
