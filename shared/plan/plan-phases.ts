import {childObject, type Manifest} from '../model/manifest.ts'
import {groupOf, refKey, refOf} from '../model/object-ref.ts'
import {orderObjects} from './order-objects.ts'
import {type HookRules, readHook, readWave, SYNC_PHASES, type SyncPhase} from './read-hook.ts'

/** One wave of one phase. Everything in it must be healthy, and its hooks through, before the next step begins. */
export interface SyncStep {
  phase: SyncPhase
  wave: number
  /** As `orderObjects` makes them: one after the other, each all at once. */
  stages: SyncStage[]
}

export interface SyncStage {
  objects: Manifest[]
  hooks: {manifest: Manifest; rules: HookRules}[]
}

interface Placed {
  manifest: Manifest
  rules: HookRules | undefined
  phase: SyncPhase
  wave: number
}

/**
 * Splits manifests into the steps of a sync by Argo CD's annotations (and helm's hooks, mapped onto them): by phase, then by wave,
 * then in the stages of `orderObjects`. A hook of several phases is in several steps; one of no known phase is in none. Namespaces
 * and definitions without a wave of their own come as early as what first needs them.
 */
export function planPhases(manifests: Manifest[]): SyncStep[] {
  const placed = manifests.flatMap(place)
  for (const item of placed) if (item.rules === undefined && readWave(item.manifest) === undefined) hoist(item, placed)
  const steps = Map.groupBy(placed, ({phase, wave}) => `${phase} ${wave}`)
  return [...steps.values()]
    .flatMap(([first, ...rest]): SyncStep[] =>
      first === undefined ? [] : [{phase: first.phase, wave: first.wave, stages: toStages([first, ...rest])}],
    )
    .sort(compareSteps)
}

function place(manifest: Manifest): Placed[] {
  const hook = readHook(manifest)
  const wave = readWave(manifest) ?? 0
  if (hook === 'never') return []
  if (hook === 'object') return [{manifest, rules: undefined, phase: 'Sync', wave}]
  return hook.phases.map((phase) => ({manifest, rules: hook, phase, wave}))
}

function hoist(item: Placed, placed: Placed[]): void {
  const needs = neededBy(item.manifest)
  if (needs === undefined) return
  for (const other of placed) {
    if (other === item || other.phase === 'SyncFail' || !needs(other.manifest) || compareSteps(item, other) <= 0)
      continue
    item.phase = other.phase
    item.wave = other.wave
  }
}

/** Tells what cannot be without a Namespace or a definition; undefined for every other kind. */
function neededBy(manifest: Manifest): ((other: Manifest) => boolean) | undefined {
  const {group, kind, name} = refOf(manifest)
  if (group === '' && kind === 'Namespace') return (other) => other.metadata.namespace === name
  if (group !== 'apiextensions.k8s.io' || kind !== 'CustomResourceDefinition') return undefined
  const spec = childObject(manifest, 'spec')
  const defined = childObject(spec, 'names')?.kind
  return (other) => other.kind === defined && groupOf(other.apiVersion) === spec?.group
}

function toStages(placed: Placed[]): SyncStage[] {
  const rules = new Map(placed.map((item) => [refKey(refOf(item.manifest)), item.rules]))
  return orderObjects(placed.map(({manifest}) => manifest)).map((stage) => {
    const hooks = stage.flatMap((manifest) => {
      const found = rules.get(refKey(refOf(manifest)))
      return found === undefined ? [] : [{manifest, rules: found}]
    })
    return {objects: stage.filter((manifest) => rules.get(refKey(refOf(manifest))) === undefined), hooks}
  })
}

function compareSteps(a: Pick<SyncStep, 'phase' | 'wave'>, b: Pick<SyncStep, 'phase' | 'wave'>): number {
  return SYNC_PHASES.indexOf(a.phase) - SYNC_PHASES.indexOf(b.phase) || a.wave - b.wave
}
