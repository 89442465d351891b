import {isJsonObject, type Json, type JsonObject} from '../../model/manifest.ts'
import {itemKeys} from '../item-keys.ts'

/** The way to one field of one object: names of members, indexes of items. */
export type FieldPath = readonly (string | number)[]

/** The value at a path; undefined where there is none. */
export function valueAt(object: Json | undefined, path: FieldPath): Json | undefined {
  let value = object
  for (const step of path) value = childAt(value, step)
  return value
}

/** A member or an item; undefined where there is none. */
export function childAt(value: Json | undefined, step: string | number): Json | undefined {
  if (typeof step === 'number') return Array.isArray(value) ? value.at(step) : undefined
  return isJsonObject(value) && Object.hasOwn(value, step) ? value[step] : undefined
}

/** A copy of an object without the fields at some paths. */
export function removePaths(object: JsonObject, paths: readonly FieldPath[]): JsonObject {
  let copy = object
  // From the end of a list to its start, so that indexes stay true.
  const ordered = [...paths].sort(comparePaths).reverse()
  for (const path of ordered) copy = setAt(copy, path, undefined) as JsonObject
  return copy
}

/**
 * A copy of an object in which the fields at some paths have the value that they have in `live`. Those that `live` lacks are left out,
 * as are those that `isLeft` names by their path in `live`.
 */
export function takeFromLive(
  object: JsonObject,
  live: JsonObject,
  paths: readonly FieldPath[],
  isLeft: (path: FieldPath) => boolean,
): JsonObject {
  let copy = object
  const ordered = [...paths].sort(comparePaths).reverse()
  for (const path of ordered) {
    const counterpart = pathInOther(object, live, path)
    const left = counterpart === undefined || isLeft(counterpart)
    copy = setAt(copy, path, left ? undefined : valueAt(live, counterpart)) as JsonObject
  }
  return copy
}

/** The path in another object of the same field: an item of a list is the one of the same name where it has a name. */
export function pathInOther(object: Json, other: Json, path: FieldPath): FieldPath | undefined {
  const found: (string | number)[] = []
  let here: Json | undefined = object
  let there: Json | undefined = other
  for (const step of path) {
    const item = childAt(here, step)
    let wanted = step
    if (typeof step === 'number' && isJsonObject(item) && Array.isArray(there)) {
      const key = itemKeys.find((candidate) => ['string', 'number', 'bigint'].includes(typeof item[candidate]))
      if (key !== undefined) wanted = there.findIndex((entry) => isJsonObject(entry) && entry[key] === item[key])
      if (wanted === -1) return undefined
    }
    there = childAt(there, wanted)
    here = item
    found.push(wanted)
    if (there === undefined) return undefined
  }
  return found
}

function setAt(value: Json, path: FieldPath, next: Json | undefined): Json {
  const [step, ...rest] = path
  if (step === undefined) return value
  const present = childAt(value, step)
  if (present === undefined && rest.length > 0) return value
  const changed = rest.length === 0 ? next : setAt(present ?? null, rest, next)
  if (Array.isArray(value) && typeof step === 'number') {
    return changed === undefined ? value.toSpliced(step, 1) : value.with(step, changed)
  }
  if (!isJsonObject(value) || typeof step !== 'string') return value
  const {[step]: _, ...others} = value
  return changed === undefined ? others : {...value, [step]: changed}
}

function comparePaths(a: FieldPath, b: FieldPath): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const [first, second] = [a[index], b[index]]
    if (first === second) continue
    if (typeof first === 'number' && typeof second === 'number') return first - second
    return String(first) < String(second) ? -1 : 1
  }
  return a.length - b.length
}
