import type {ObjectRef} from '../model/object-ref.ts'
import type {PruneLimit} from '../model/plan-options.ts'
import {pruneOrder} from './order-objects.ts'
import {syncOptions} from './read-apply-rules.ts'

/** Something that is to be deleted, with what decides when. */
export interface PruneCandidate {
  ref: ObjectRef
  /** The live object's. */
  annotations: Readonly<Record<string, string>>
  /** The name that the definition of its kind would have, `widgets.example.com`. */
  definition: string
}

/**
 * Splits what is to be deleted into stages, in the reverse of the apply: by Argo CD's waves, the last first, and in each by kind. As
 * in an apply, a Namespace or a definition belongs to the first wave of what goes with it.
 */
export function orderPrune(candidates: readonly PruneCandidate[]): ObjectRef[][] {
  const placed = candidates.map(({annotations, ...candidate}) => ({
    ...candidate,
    wave: Number(annotations['argocd.argoproj.io/sync-wave']) || 0,
  }))
  const waves = new Map<number, ObjectRef[]>()
  for (const {ref, wave: own} of placed) {
    const isNamespace = ref.group === '' && ref.kind === 'Namespace'
    const isDefinition = ref.group === 'apiextensions.k8s.io' && ref.kind === 'CustomResourceDefinition'
    let wave = own
    if (isNamespace || isDefinition) {
      for (const other of placed) {
        const within = isNamespace ? other.ref.namespace === ref.name : other.definition === ref.name
        if (within) wave = Math.min(wave, other.wave)
      }
    }
    const inWave = waves.get(wave)
    if (inWave === undefined) waves.set(wave, [ref])
    else inWave.push(ref)
  }
  return [...waves].sort(([a], [b]) => b - a).flatMap(([, inWave]) => pruneOrder(inWave))
}

/** Tells whether an object is deleted only when all that is declared is healthy, and all else is deleted. */
export function isPrunedLast(annotations: Readonly<Record<string, string>> | undefined): boolean {
  return syncOptions(annotations?.['argocd.argoproj.io/sync-options']).has('prunelast=true')
}

/** How many of `total` objects a prune may delete: any number where there is no limit. */
export function mostPruned(limit: PruneLimit | undefined, total: number): number {
  return Math.min(
    limit?.objects ?? Number.POSITIVE_INFINITY,
    limit?.percent === undefined ? Number.POSITIVE_INFINITY : (limit.percent / 100) * total,
  )
}
