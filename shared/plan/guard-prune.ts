import type {ObjectRef} from '../model/object-ref.ts'
import {syncOptions} from './read-apply-rules.ts'

/** What is known of an object that an app applied once and no longer declares, read from the live object just before the decision. */
export interface PruneFacts {
  ref: ObjectRef
  /** The app that prunes. */
  app: string
  /** The uid in the app's inventory, where it was noted. */
  appliedUid?: string | undefined
  /** The live object's metadata; `'absent'` where there is no such object. */
  live: 'absent' | LiveFacts
  /** Whether it left the app's desired state, or the whole app was removed. @default 'prune' */
  purpose?: 'prune' | 'removal'
}

/** How much would be lost with an object, or why that cannot be told: then it counts as held. */
export type Held = number | {unknown: string}

export interface LiveFacts {
  uid: string
  /** The app that the live object names as its owner (by our label); undefined where it names none. */
  owner?: string | undefined
  annotations: Readonly<Record<string, string>>
  /** Whether `metadata.deletionTimestamp` is set. */
  deleting: boolean
  /** `metadata.finalizers`, where they were read. */
  finalizers?: readonly string[]
  /**
   * How much would be lost with it: for a Namespace the objects in it that are not deleted by this prune too (see `countsAsHeld`), for a CustomResourceDefinition its instances likewise,
   * for a PersistentVolumeClaim 1 where it is bound; 0 for every other kind.
   */
  held: Held
}

/**
 * `delete` it; `forget` it: leave it and take it from the inventory; `retain` it: leave it, keep it in the inventory, say why, look again at the next prune.
 */
export type PruneDecision =
  | {action: 'delete'}
  | {action: 'forget'; code: 'GONE' | 'OTHER_OWNER' | 'REPLACED' | 'KEEP_ASKED' | 'PROTECTED'; reason: string}
  | {action: 'retain'; code: 'DELETING' | 'HOLDS_OTHERS' | 'CONFIRM'; reason: string}

const systemNamespaces = new Set(['default', 'kube-system', 'kube-public', 'kube-node-lease'])

/**
 * Decides whether an object that left an app's desired state may be deleted. Keeps what another app owns by now, what was replaced by somebody else's object of the same
 * name, what an annotation asks to keep (Drawbridge's, Flux's, Argo CD's and Helm's own), Kubernetes' own namespaces, and a Namespace, CustomResourceDefinition or
 * PersistentVolumeClaim that holds what would be lost with it, unless annotated `drawbridge.dev/prune: force`. `protectedNamespaces`: further ones that are never deleted, the agent's own above all.
 */
export function guardPrune(facts: PruneFacts, protectedNamespaces: readonly string[] = []): PruneDecision {
  const {ref, app, live} = facts
  if (live === 'absent') return {action: 'forget', code: 'GONE', reason: 'it is gone already'}
  if (isNamespace(ref) && (systemNamespaces.has(ref.name) || protectedNamespaces.includes(ref.name))) {
    return {action: 'forget', code: 'PROTECTED', reason: `namespace ${ref.name} is never deleted`}
  }
  if (live.owner !== undefined && live.owner !== app) {
    return {action: 'forget', code: 'OTHER_OWNER', reason: `app ${live.owner} owns it now`}
  }
  if (live.owner === undefined && facts.appliedUid !== live.uid) {
    return {
      action: 'forget',
      code: 'REPLACED',
      reason: 'it is no longer marked as ours, and not known to be the object that was applied',
    }
  }
  if (live.deleting) return {action: 'retain', code: 'DELETING', reason: describeDeletion(live.finalizers)}
  const options = syncOptions(live.annotations['argocd.argoproj.io/sync-options'])
  const removal = facts.purpose === 'removal'
  const keeper = keepingAnnotation(live.annotations, options, removal)
  if (keeper !== undefined)
    return {action: 'forget', code: 'KEEP_ASKED', reason: `its annotation ${keeper} asks to keep it`}
  const asked = options.has(removal ? 'delete=confirm' : 'prune=confirm')
  if (asked && !['confirmed', 'force'].includes(live.annotations['drawbridge.dev/prune'] ?? '')) {
    return {
      action: 'retain',
      code: 'CONFIRM',
      reason: 'it asks for a confirmation; to delete it annotate it drawbridge.dev/prune=confirmed',
    }
  }
  const loss = live.annotations['drawbridge.dev/prune'] === 'force' ? undefined : describeLoss(ref, live.held)
  if (loss === undefined) return {action: 'delete'}
  return {
    action: 'retain',
    code: 'HOLDS_OTHERS',
    reason: `${loss}; to delete it all the same, annotate it drawbridge.dev/prune=force`,
  }
}

/**
 * Tells whether an object found in a Namespace that is to be pruned counts for `LiveFacts.held`: whatever somebody made, but not what Kubernetes puts into every namespace
 * or makes by itself for other objects (owned by a controller, endpoints, events). Objects that the same prune deletes are the caller's to leave out.
 */
export function countsAsHeld(ref: ObjectRef, ownerReferences: unknown): boolean {
  if (Array.isArray(ownerReferences) && ownerReferences.length > 0) return false
  if (ref.kind === 'Event' && (ref.group === '' || ref.group === 'events.k8s.io')) return false
  if (ref.group === '' && ref.kind === 'Endpoints') return false
  if (ref.group === 'discovery.k8s.io' && ref.kind === 'EndpointSlice') return false
  if (ref.group === '' && ref.kind === 'ServiceAccount' && ref.name === 'default') return false
  return !(ref.group === '' && ref.kind === 'ConfigMap' && ref.name === 'kube-root-ca.crt')
}

function describeLoss(ref: ObjectRef, held: Held): string | undefined {
  if (held === 0) return undefined
  const what = typeof held === 'number' ? `holds ${held} ` : 'may hold '
  const why = typeof held === 'number' ? '' : ` (that cannot be told: ${held.unknown})`
  if (isNamespace(ref)) return `the namespace ${what}object(s) that this app does not delete${why}`
  if (ref.group === 'apiextensions.k8s.io' && ref.kind === 'CustomResourceDefinition') {
    return `the definition ${what}custom resource(s) that this app does not delete${why}`
  }
  if (ref.group === '' && ref.kind === 'PersistentVolumeClaim')
    return `the claim ${typeof held === 'number' ? 'holds' : 'may hold'} data${why}`
  return undefined
}

function describeDeletion(finalizers: readonly string[] | undefined): string {
  if (finalizers === undefined || finalizers.length === 0) return 'its deletion has begun and is not through yet'
  return `its deletion has begun; it waits for the controller(s) of its finalizers ${finalizers.join(', ')}`
}

function keepingAnnotation(
  annotations: Readonly<Record<string, string>>,
  options: ReadonlySet<string>,
  removal: boolean,
): string | undefined {
  if (annotations['drawbridge.dev/prune'] === 'disabled') return 'drawbridge.dev/prune=disabled'
  if (annotations['kustomize.toolkit.fluxcd.io/prune']?.toLowerCase() === 'disabled') {
    return 'kustomize.toolkit.fluxcd.io/prune=disabled'
  }
  if (annotations['helm.sh/resource-policy']?.toLowerCase() === 'keep') return 'helm.sh/resource-policy=keep'
  if (annotations['kustomize.toolkit.fluxcd.io/reconcile']?.toLowerCase() === 'disabled') {
    return 'kustomize.toolkit.fluxcd.io/reconcile=disabled'
  }
  if (removal && options.has('delete=false')) return 'argocd.argoproj.io/sync-options=Delete=false'
  return options.has('prune=false') ? 'argocd.argoproj.io/sync-options=Prune=false' : undefined
}

function isNamespace(ref: ObjectRef): boolean {
  return ref.group === '' && ref.kind === 'Namespace'
}
