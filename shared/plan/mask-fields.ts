import type {FieldChange} from '../model/field-change.ts'
import {isJsonObject, type Json, type JsonObject} from '../model/manifest.ts'
import type {ObjectRef} from '../model/object-ref.ts'
import {diffValues, type ValueDifference} from './diff-fields.ts'

/** What may be read of a Secret. Annotations may not: `kubectl apply` keeps a whole copy in one. */
const openPaths = [
  '/metadata/labels',
  '/metadata/name',
  '/metadata/namespace',
  '/metadata/ownerReferences',
  '/type',
  '/immutable',
]

/**
 * Lists the fields that differ, with their values; without them where they are a Secret's. Both sides are the object that `ref` names:
 * what they themselves say of their kind is not asked, since it may have been taken out of them.
 */
export function maskedChanges(
  {group, kind}: Pick<ObjectRef, 'group' | 'kind'>,
  live: JsonObject,
  desired: JsonObject,
): FieldChange[] {
  const secret = group === '' && kind === 'Secret'
  return diffValues(live, desired).flatMap((difference): FieldChange[] =>
    secret ? maskSecret(difference) : [difference],
  )
}

function maskSecret({path, difference, from, to}: ValueDifference): FieldChange[] {
  if (openPaths.some((open) => path === open || path.startsWith(`${open}/`))) {
    return [{path, difference, ...(from === undefined ? {} : {from}), ...(to === undefined ? {} : {to})}]
  }
  // A whole map that comes or goes is told key by key, as its keys are no secret.
  const keys = [...keysOf(from), ...keysOf(to)]
  const paths = keys.length === 0 ? [path] : [...new Set(keys)].sort().map((key) => `${path}/${escapePointer(key)}`)
  return paths.map((masked) => ({path: masked, difference, masked: true}))
}

function keysOf(value: Json | undefined): string[] {
  return isJsonObject(value) ? Object.keys(value) : []
}

function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}
