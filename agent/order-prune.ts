import {type ObjectRef, refKey} from '#shared/model/object-ref.ts'
import type {InventoryEntry} from '#shared/plan/inventory.ts'
import {pruneOrder} from '#shared/plan/order-objects.ts'
import type {AgentContext} from './agent-context.ts'

/**
 * Splits what is to be deleted into stages, in the reverse of the apply: by Argo CD's waves, the last first, and in each by kind. As
 * in an apply, a Namespace or a definition belongs to the first wave of what goes with it.
 */
export function orderPrune(
  ctx: Pick<AgentContext, 'live' | 'discovery'>,
  entries: readonly InventoryEntry[],
): ObjectRef[][] {
  const placed = entries.map(({ref, version}) => ({
    ref,
    wave: Number(ctx.live.get(refKey(ref))?.keep?.['argocd.argoproj.io/sync-wave']) || 0,
    definition: `${ctx.discovery.known(version, ref.kind)?.plural}.${ref.group}`,
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
