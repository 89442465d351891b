import {isJsonObject, type Json, type JsonObject} from '../model/manifest.ts'
import {itemKeys} from './item-keys.ts'

/** One field that is not as desired, with values that are not to be shown where they may be secret. */
export interface ValueDifference {
  /** As a JSON pointer (RFC 6901), but that items of a list are found by what names them where they have a name: `/spec/template/spec/containers[name=web]/image`. */
  path: string
  /** `missing`: desired but not in the live object; `extra`: in the live object only; `changed`: another value. */
  difference: 'missing' | 'extra' | 'changed'
  /** Absent on the side where there is none. */
  from?: Json
  to?: Json
}

// Set by the API server with every write, or somebody else's to say.
const ignoredMetadata = new Set([
  'managedFields',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'selfLink',
  'uid',
])

/**
 * Lists where a live object differs from what it should be (the result of a server-side dry run of our apply), in the order of the paths, with the
 * values of both sides: `from` in the live object, `to` in the desired one. Ignores `status` and what the server sets in `metadata` (managedFields,
 * resourceVersion, generation, times, uid). Equal objects give an empty list.
 */
export function diffValues(live: JsonObject, desired: JsonObject): ValueDifference[] {
  const found: ValueDifference[] = []
  diffValue(comparable(live), comparable(desired), '', found)
  return found.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
}

function comparable({status: _, ...object}: JsonObject): JsonObject {
  if (!isJsonObject(object.metadata)) return object
  const metadata = Object.entries(object.metadata).filter(([key]) => !ignoredMetadata.has(key))
  return {...object, metadata: Object.fromEntries(metadata)}
}

function diffValue(live: Json, desired: Json, path: string, found: ValueDifference[]): void {
  if (isJsonObject(live) && isJsonObject(desired)) {
    for (const key of new Set([...Object.keys(live), ...Object.keys(desired)])) {
      diffMember(live[key], desired[key], `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, found)
    }
  } else if (Array.isArray(live) && Array.isArray(desired)) {
    diffList(live, desired, path, found)
  } else if (live !== desired) {
    found.push({path, difference: 'changed', from: live, to: desired})
  }
}

function diffMember(live: Json | undefined, desired: Json | undefined, path: string, found: ValueDifference[]): void {
  if (live === undefined && desired === undefined) return
  if (live === undefined) found.push({path, difference: 'missing', to: desired ?? null})
  else if (desired === undefined) found.push({path, difference: 'extra', from: live})
  else diffValue(live, desired, path, found)
}

function diffList(live: Json[], desired: Json[], path: string, found: ValueDifference[]): void {
  const key = itemKeys.find((candidate) => names(live, candidate) && names(desired, candidate))
  if (key === undefined || live.length + desired.length === 0) {
    for (let index = 0; index < Math.max(live.length, desired.length); index++) {
      diffMember(live[index], desired[index], `${path}/${index}`, found)
    }
    return
  }
  const liveItems = byName(live, key)
  const desiredItems = byName(desired, key)
  for (const name of new Set([...liveItems.keys(), ...desiredItems.keys()])) {
    diffMember(liveItems.get(name), desiredItems.get(name), `${path}[${key}=${name}]`, found)
  }
  if (isReordered([...liveItems.keys()], [...desiredItems.keys()])) {
    found.push({path, difference: 'changed', from: [...liveItems.keys()], to: [...desiredItems.keys()]})
  }
}

function isReordered(live: string[], desired: string[]): boolean {
  const order = desired.filter((name) => live.includes(name))
  return live.filter((name) => desired.includes(name)).some((name, index) => name !== order[index])
}

function names(items: Json[], key: string): boolean {
  return byName(items, key).size === items.length
}

function isName(value: Json | undefined): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
}

function byName(items: Json[], key: string): Map<string, JsonObject> {
  const named = new Map<string, JsonObject>()
  for (const item of items) {
    const name = isJsonObject(item) ? item[key] : undefined
    if (isJsonObject(item) && isName(name)) named.set(String(name), item)
  }
  return named
}
