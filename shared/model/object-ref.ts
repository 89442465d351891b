import type {Manifest} from './manifest.ts'

/**
 * What identifies an object in a cluster: never its version, so that a move from v1beta1 to v1 is the same object.
 * `group` is '' for the core group; `namespace` is '' for a cluster-scoped object.
 */
export interface ObjectRef {
  group: string
  kind: string
  namespace: string
  name: string
}

/** The ref of a manifest. */
export function refOf(manifest: Manifest): ObjectRef {
  return {
    group: groupOf(manifest.apiVersion),
    kind: manifest.kind,
    namespace: manifest.metadata.namespace ?? '',
    name: manifest.metadata.name,
  }
}

/** The group of an apiVersion: `apps/v1` → `apps`, `v1` → ``. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/')
  return slash < 0 ? '' : apiVersion.slice(0, slash)
}

/** A key for maps and a stable sort: `group/kind/namespace/name` (none of the parts may hold a slash). */
export function refKey(ref: ObjectRef): string {
  return `${ref.group}/${ref.kind}/${ref.namespace}/${ref.name}`
}

/** Reads a key that `refKey` wrote; undefined for anything else. */
export function parseRefKey(key: string): ObjectRef | undefined {
  const [group, kind, namespace, name, ...rest] = key.split('/')
  if (group === undefined || !kind || namespace === undefined || !name || rest.length > 0) return undefined
  return {group, kind, namespace, name}
}

/** What people read: `Deployment.apps web/frontend`, `Namespace web`. */
export function formatRef(ref: ObjectRef): string {
  const kind = ref.group === '' ? ref.kind : `${ref.kind}.${ref.group}`
  return ref.namespace === '' ? `${kind} ${ref.name}` : `${kind} ${ref.namespace}/${ref.name}`
}
