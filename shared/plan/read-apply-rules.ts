import {childObject, type Manifest} from '../model/manifest.ts'

/** How one object is applied, as its annotations ask. */
export interface ApplyRules {
  /** `once`: created where it is absent, and left alone afterwards. `never`: not touched at all. */
  mode: 'always' | 'once' | 'never'
  /** Takes over the fields that other deploying tools left, so that what is no longer declared goes. */
  takeOver: boolean
  /** Deleted and made anew where a field that cannot be changed must change. */
  force: boolean
  /** Replaced as a whole: fields of others go. */
  replace: boolean
  /** Its kind may come to be served only while the app is applied. */
  awaitKind: boolean
}

/** The rules of an object without annotations. */
export const DEFAULT_APPLY_RULES: ApplyRules = {
  mode: 'always',
  takeOver: true,
  force: false,
  replace: false,
  awaitKind: false,
}

/**
 * Reads Flux's annotations (`kustomize.toolkit.fluxcd.io/ssa`, `reconcile`, `force`) and Argo CD's sync options. Options that say
 * what is the case anyway (`ServerSideApply`, `Validate`: the server always validates) change nothing.
 */
export function readApplyRules(manifest: Manifest): ApplyRules {
  const annotations = childObject(manifest.metadata, 'annotations')
  if (annotations === undefined) return DEFAULT_APPLY_RULES
  const flux = (name: string): string => lower(annotations[`kustomize.toolkit.fluxcd.io/${name}`])
  const options = syncOptions(annotations['argocd.argoproj.io/sync-options'])
  const ssa = flux('ssa')
  return {
    mode: flux('reconcile') === 'disabled' || ssa === 'ignore' ? 'never' : ssa === 'ifnotpresent' ? 'once' : 'always',
    takeOver: ssa !== 'merge',
    force: flux('force') === 'enabled' || options.has('force=true'),
    replace: options.has('replace=true'),
    awaitKind: options.has('skipdryrunonmissingresource=true'),
  }
}

/** The options of Argo CD's annotation `argocd.argoproj.io/sync-options`, in lower case: `prune=false`. */
export function syncOptions(text: unknown): ReadonlySet<string> {
  return new Set(
    lower(text)
      .split(',')
      .map((option) => option.trim()),
  )
}

function lower(value: unknown): string {
  return typeof value === 'string' ? value.trim().toLowerCase() : ''
}
