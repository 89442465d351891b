import type {Manifest} from '../model/manifest.ts'
import {formatRef, groupOf, refOf} from '../model/object-ref.ts'
import type {PolicyRefusal, RepositoryPolicy} from '../model/tracked-repository.ts'
import {builtInScope} from '../plan/scope.ts'
import {isAllowed} from './match-pattern.ts'

/** Where an app's objects go that name no namespace. */
export interface TargetNamespace {
  namespace?: string | undefined
  createNamespace: boolean
}

/**
 * Finds the first object of an app that its repository's policy forbids. A kind that Kubernetes itself does not serve counts as
 * cluster-wide where its object names no namespace, and as namespaced where it names one.
 */
export function findForbiddenObject(
  policy: Pick<RepositoryPolicy, 'namespaces' | 'clusterKinds'> | undefined,
  {namespace, createNamespace}: TargetNamespace,
  manifests: readonly Manifest[],
): PolicyRefusal | undefined {
  if (policy === undefined || (policy.namespaces === undefined && policy.clusterKinds === undefined)) return undefined
  const {namespaces, clusterKinds} = policy
  if (namespace !== undefined && !isAllowed(namespaces, namespace)) {
    const what = createNamespace ? 'make namespace' : 'use namespace'
    return refuseNamespace(`it would ${what} ${namespace}`, namespaces)
  }
  for (const manifest of manifests) {
    const group = groupOf(manifest.apiVersion)
    const {kind} = manifest
    const scope = builtInScope(group, kind)
    const own = manifest.metadata.namespace || undefined
    const isClusterWide = scope === 'Cluster' || (scope === 'unknown' && own === undefined)
    if (isClusterWide && !isAllowed(clusterKinds, ...spellingsOf(kind, group))) {
      return {
        code: 'KIND_NOT_ALLOWED',
        message: `${formatRef(refOf(manifest))} belongs to no namespace, and this repository may not hold its kind (policy.clusterKinds in the bridge's configuration allows ${clusterKinds?.join(', ') || 'none'})`,
      }
    }
    const touched = group === '' && kind === 'Namespace' ? manifest.metadata.name : (own ?? namespace ?? 'default')
    // Of an object without a namespace, and of a kind that is allowed cluster-wide by name, nothing more can be known here.
    const isSettled = kind !== 'Namespace' && isClusterWide && (scope === 'Cluster' || clusterKinds !== undefined)
    if (!isSettled && !isAllowed(namespaces, touched)) return refuseNamespace(formatRef(refOf(manifest)), namespaces)
  }
  return undefined
}

function refuseNamespace(what: string, namespaces: readonly string[] | undefined): PolicyRefusal {
  return {
    code: 'NAMESPACE_NOT_ALLOWED',
    message: `${what}: this repository may not name that namespace (policy.namespaces in the bridge's configuration allows ${namespaces?.join(', ') || 'none'})`,
  }
}

function spellingsOf(kind: string, group: string): string[] {
  return group === '' ? [kind] : [kind, `${kind}.${group}`]
}
