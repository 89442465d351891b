import {isJsonObject, type Json, type JsonObject} from '../model/manifest.ts'

/** Field managers of other deploying tools: what they own of an object is ours once the object is. */
const deployers: Record<string, readonly string[]> = {
  'kubectl-client-side-apply': ['Update'],
  kubectl: ['Update'],
  'before-first-apply': ['Update'],
  helm: ['Update', 'Apply'],
  'argocd-controller': ['Update', 'Apply'],
  'argocd-application-controller': ['Update'],
  'kustomize-controller': ['Update', 'Apply'],
  'helm-controller': ['Update', 'Apply'],
}

/**
 * Computes an object's `metadata.managedFields` with what kubectl's client-side apply, helm, Argo CD and Flux own given to `manager`'s
 * own Apply entry: the next apply then removes what is no longer declared. Undefined where they own nothing, or `manager` has no entry.
 */
export function adoptFields(managedFields: unknown, manager: string): JsonObject[] | undefined {
  const entries = Array.isArray(managedFields) ? managedFields.filter(isJsonObject) : []
  const left = entries.filter(isLeftBehind)
  const own = entries.find((entry) => entry.manager === manager && entry.operation === 'Apply' && !entry.subresource)
  if (left.length === 0 || own === undefined) return undefined
  // Field sets of another version of the API name other fields.
  const mine = left.filter(({apiVersion}) => apiVersion === own.apiVersion)
  const merged = {
    ...own,
    fieldsV1: mine.reduce<Json>((all, {fieldsV1}) => unite(all, fieldsV1 ?? {}), own.fieldsV1 ?? {}),
  }
  const foreign = left.filter((entry) => !mine.includes(entry))
  const renamed = foreign.map((entry) => ({...entry, manager, operation: 'Apply'}))
  return [...entries.filter((entry) => entry !== own && !left.includes(entry)), merged, ...renamed]
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
