import {isJsonObject, type Json, type JsonObject} from '../model/manifest.ts'
import {childAt, type FieldPath, removePaths} from './ignore/field-path.ts'
import {stepOf} from './ignore/owned-paths.ts'

/** Field managers of other deploying tools, and of what the agent itself writes as a whole: what they own of an object is ours once the object is. */
const deployers: Record<string, readonly string[]> = {
  // What is created where it is absent, or replaced: the server names who does so by the User-Agent.
  'drawbridge-agent': ['Update'],
  'kubectl-client-side-apply': ['Update'],
  kubectl: ['Update', 'Apply'],
  'before-first-apply': ['Update'],
  helm: ['Update', 'Apply'],
  'argocd-controller': ['Update', 'Apply'],
  'argocd-application-controller': ['Update'],
  'kustomize-controller': ['Update', 'Apply'],
  'helm-controller': ['Update', 'Apply'],
}

/**
 * Computes an object's `metadata.managedFields` with what kubectl, helm, Argo CD, Flux and the agent's own creations own given to `manager`'s own Apply entry: the next
 * apply then removes what is no longer declared. Field sets of different versions of the API name different fields and an applier has one entry,
 * so that it takes one apply for each version: ours first. What a manager in `spared` owns stays its own. Undefined where they own nothing (any
 * more), or `manager` has no entry.
 */
export function adoptFields(
  managedFields: unknown,
  manager: string,
  spared: ReadonlySet<string> = new Set(),
): JsonObject[] | undefined {
  const entries = Array.isArray(managedFields) ? managedFields.filter(isJsonObject) : []
  const left = entries.filter((entry) => isLeftBehind(entry) && !spared.has(String(entry.manager)))
  const own = entries.find((entry) => entry.manager === manager && entry.operation === 'Apply' && !entry.subresource)
  const [first] = left
  if (first === undefined || own === undefined) return undefined
  const inOurs = left.some(({apiVersion}) => apiVersion === own.apiVersion)
  const {apiVersion = null} = inOurs ? own : first
  const taken = left.filter((entry) => entry.apiVersion === apiVersion)
  const fieldsV1 = taken.reduce<Json>(
    (all, entry) => unite(all, entry.fieldsV1 ?? {}),
    inOurs ? (own.fieldsV1 ?? {}) : {},
  )
  return [...entries.filter((entry) => entry !== own && !taken.includes(entry)), {...own, apiVersion, fieldsV1}]
}

const rollingUpdate = {'f:rollingUpdate': {'.': {}, 'f:maxSurge': {}, 'f:maxUnavailable': {}, 'f:partition': {}}}
const parameters = {'f:spec': {'f:strategy': rollingUpdate, 'f:updateStrategy': rollingUpdate}}

/**
 * Computes `metadata.managedFields` with the parameters of a workload's rolling update given to `manager`'s own Apply entry: they are defaults
 * of the server, which nobody owns, so that no apply takes them away. The next one does. Undefined where it has no entry.
 */
export function adoptParameters(managedFields: unknown, manager: string): JsonObject[] | undefined {
  const entries = Array.isArray(managedFields) ? managedFields.filter(isJsonObject) : []
  const own = entries.find((entry) => entry.manager === manager && entry.operation === 'Apply' && !entry.subresource)
  if (own === undefined) return undefined
  return [...entries.filter((entry) => entry !== own), {...own, fieldsV1: unite(own.fieldsV1 ?? {}, parameters)}]
}

/**
 * What becomes of an object when `adoptFields` has given all to `manager` and that has applied once more: a copy without the fields that nobody
 * but those tools owns, before the server's defaults; itself where there are none. `object` is what a first apply makes of it, with its `metadata.managedFields`.
 */
export function removeAdopted(
  object: JsonObject,
  manager: string,
  spared: ReadonlySet<string> = new Set(),
): JsonObject {
  const {managedFields} = isJsonObject(object.metadata) ? object.metadata : {}
  if (adoptFields(managedFields, manager, spared) === undefined || !Array.isArray(managedFields)) return object
  const entries = managedFields.filter(isJsonObject)
  const isTaken = (entry: JsonObject) => isLeftBehind(entry) && !spared.has(String(entry.manager))
  const fieldsOf = (owned: JsonObject[]) => owned.reduce<Json>((all, {fieldsV1}) => unite(all, fieldsV1 ?? {}), {})
  const taken = fieldsOf(entries.filter(isTaken))
  const kept = fieldsOf(entries.filter((entry) => !isTaken(entry)))
  const lost = lostPaths(taken, kept, object, [])
  return lost.length === 0 ? object : removePaths(object, lost)
}

function lostPaths(taken: Json, kept: Json | undefined, value: Json | undefined, path: FieldPath): FieldPath[] {
  if (!isJsonObject(taken)) return []
  return Object.entries(taken).flatMap(([name, inner]) => {
    const step = name === '.' ? undefined : stepOf(name, value)
    const child = step === undefined ? undefined : childAt(value, step)
    if (step === undefined || child === undefined) return []
    const stays = isJsonObject(kept) ? kept[name] : undefined
    const owned = isJsonObject(inner) && ('.' in inner || Object.keys(inner).length === 0)
    if (stays === undefined && owned) return [[...path, step]]
    return lostPaths(inner, stays, child, [...path, step])
  })
}

function isLeftBehind(entry: JsonObject): boolean {
  const {manager, operation, subresource} = entry
  if (typeof manager !== 'string' || typeof operation !== 'string' || subresource) return false
  return Object.hasOwn(deployers, manager) && deployers[manager]?.includes(operation) === true
}

function unite(a: Json, b: Json): Json {
  if (!isJsonObject(a) || !isJsonObject(b)) return isJsonObject(a) ? a : b
  const united: JsonObject = {...a}
  for (const [key, value] of Object.entries(b)) united[key] = key in united ? unite(united[key] ?? {}, value) : value
  return united
}
