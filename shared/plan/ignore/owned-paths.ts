import {parseExactJson, stringifyExact} from '../../bundle/exact-json.ts'
import {isJsonObject, type Json, type JsonObject} from '../../model/manifest.ts'
import {childAt, type FieldPath} from './field-path.ts'

/** The fields of `object` that one of `managers` owns, as `managedFields` of the live object say (FieldsV1 of structured-merge-diff). */
export function ownedPaths(object: Json, managedFields: unknown, managers: ReadonlySet<string>): FieldPath[] {
  return pathsOf(object, managedFields, ({manager}) => typeof manager === 'string' && managers.has(manager))
}

/** The fields of a live object that another manager than `manager` owns. */
export function foreignPaths(live: JsonObject, manager: string): FieldPath[] {
  const managedFields = isJsonObject(live.metadata) ? live.metadata.managedFields : undefined
  return pathsOf(live, managedFields, (entry) => entry.manager !== manager && entry.subresource !== 'status')
}

function pathsOf(object: Json, managedFields: unknown, wanted: (entry: JsonObject) => boolean): FieldPath[] {
  const entries = Array.isArray(managedFields) ? managedFields.filter(isJsonObject) : []
  return entries.filter(wanted).flatMap(({fieldsV1}) => (isJsonObject(fieldsV1) ? leavesOf(fieldsV1, object, []) : []))
}

function leavesOf(fields: JsonObject, value: Json | undefined, path: FieldPath): FieldPath[] {
  const children = Object.entries(fields).filter(([name]) => name !== '.')
  if (children.length === 0) return path.length === 0 ? [] : [path]
  return children.flatMap(([name, inner]) => {
    const step = stepOf(name, value)
    const child = step === undefined ? undefined : childAt(value, step)
    if (step === undefined || child === undefined) return []
    return leavesOf(isJsonObject(inner) ? inner : {}, child, [...path, step])
  })
}

/** Finds the member or item of a value that a name in `fieldsV1` means: `f:` a member, `k:` an item by its keys, `v:` an item by its value, `i:` an item by its index. */
export function stepOf(name: string, value: Json | undefined): string | number | undefined {
  const rest = name.slice(2)
  if (name.startsWith('f:')) return rest
  if (!Array.isArray(value)) return undefined
  const wanted = parse(rest)
  if (name.startsWith('i:')) return typeof wanted === 'number' ? wanted : undefined
  const index = value.findIndex((item) => {
    if (name.startsWith('v:')) return stringifyExact(item) === stringifyExact(wanted)
    return (
      isJsonObject(wanted) &&
      isJsonObject(item) &&
      Object.entries(wanted).every(([key, expected]) => item[key] === expected)
    )
  })
  return index === -1 ? undefined : index
}

function parse(text: string): Json | undefined {
  try {
    return parseExactJson(text)
  } catch {
    return undefined
  }
}
