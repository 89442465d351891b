import {childObject, type Manifest} from '../model/manifest.ts'

/** The phases of a sync, in order; `SyncFail` runs only after a failure. */
export const SYNC_PHASES = ['PreSync', 'Sync', 'PostSync', 'SyncFail'] as const
export type SyncPhase = (typeof SYNC_PHASES)[number]

export type HookDeletePolicy = 'BeforeHookCreation' | 'HookSucceeded' | 'HookFailed'

/** What a sync is in helm's words: the first one of an app that comes to its end is its install, with all tries before; any later one is an upgrade. */
export type ReleaseKind = 'install' | 'upgrade'

/** An object that runs in phases of a sync instead of being kept. */
export interface HookRules {
  phases: SyncPhase[]
  /** The phases that are part of one kind of release only, as helm's hooks may be. */
  only?: Partial<Record<SyncPhase, ReleaseKind>>
  /** When the object is deleted. `BeforeHookCreation`, the default, lets the next run begin anew. */
  deletePolicies: HookDeletePolicy[]
}

/** `'object'` is an ordinary one; `'never'` is a hook of no phase that there is here, and is not applied at all. */
export type HookVerdict = 'object' | 'never' | HookRules

const WAVE = 'argocd.argoproj.io/sync-wave'

const argoPhases: Record<string, SyncPhase> = {
  PreSync: 'PreSync',
  Sync: 'Sync',
  PostSync: 'PostSync',
  SyncFail: 'SyncFail',
}
const helmPhases: Record<string, {phase: SyncPhase; release: ReleaseKind}> = {
  'pre-install': {phase: 'PreSync', release: 'install'},
  'pre-upgrade': {phase: 'PreSync', release: 'upgrade'},
  'post-install': {phase: 'PostSync', release: 'install'},
  'post-upgrade': {phase: 'PostSync', release: 'upgrade'},
}
const argoPolicies: Record<string, HookDeletePolicy> = {
  BeforeHookCreation: 'BeforeHookCreation',
  HookSucceeded: 'HookSucceeded',
  HookFailed: 'HookFailed',
}
const helmPolicies: Record<string, HookDeletePolicy> = {
  'before-hook-creation': 'BeforeHookCreation',
  'hook-succeeded': 'HookSucceeded',
  'hook-failed': 'HookFailed',
}

/** Reads Argo CD's hook annotations, and helm's where there are none of Argo CD's. */
export function readHook(manifest: Manifest): HookVerdict {
  const annotations = childObject(manifest.metadata, 'annotations')
  const argo = words(annotations?.['argocd.argoproj.io/hook'])
  const helm = words(annotations?.['helm.sh/hook'])
  // helm 2's way to bring definitions: an ordinary object today.
  if (argo.length === 0 && (helm.length === 0 || helm.includes('crd-install'))) return 'object'
  const events = argo.length > 0 ? [] : pick(helm, helmPhases)
  const phases = argo.length > 0 ? pick(argo, argoPhases) : [...new Set(events.map(({phase}) => phase))]
  if (phases.length === 0) return 'never'
  const only: NonNullable<HookRules['only']> = {}
  for (const phase of phases) {
    const releases = events.filter((event) => event.phase === phase).map(({release}) => release)
    if (releases.length === 1) only[phase] = releases[0] ?? 'install'
  }
  const policies = [
    ...pick(words(annotations?.['argocd.argoproj.io/hook-delete-policy']), argoPolicies),
    ...pick(words(annotations?.['helm.sh/hook-delete-policy']), helmPolicies),
  ]
  return {
    phases,
    ...(Object.keys(only).length === 0 ? {} : {only}),
    deletePolicies: policies.length === 0 ? ['BeforeHookCreation'] : [...new Set(policies)],
  }
}

/** The wave of an object or hook: Argo CD's annotation, else helm's weight for a hook of helm's; undefined where neither is a number. */
export function readWave(manifest: Manifest): number | undefined {
  const annotations = childObject(manifest.metadata, 'annotations')
  const texts = [annotations?.[WAVE], annotations?.['helm.sh/hook'] && annotations['helm.sh/hook-weight']]
  const found = texts.find((text) => typeof text === 'string' && /^\s*[+-]?\d{1,9}\s*$/.test(text))
  return found === undefined ? undefined : Number(found)
}

function words(value: unknown): string[] {
  return typeof value !== 'string'
    ? []
    : value
        .split(',')
        .map((word) => word.trim())
        .filter((word) => word !== '')
}

function pick<T>(found: string[], known: Record<string, T>): T[] {
  const picked = found.flatMap((word) => (Object.hasOwn(known, word) ? (known[word] ?? []) : []))
  return [...new Set(picked)]
}
