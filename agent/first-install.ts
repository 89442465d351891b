import type {ReleaseKind} from '#shared/plan/read-hook.ts'
import type {AppState, LoadedBundle} from './app-state.ts'

/**
 * How far the first install of an app is, kept with its inventory. `open`: no sync of it ever came to its end. `{bundle}`: that one did, and
 * nothing else was begun since; its 16 hex characters are those of `bundleId`. `past`: what is published now upgrades it.
 */
export type FirstInstall = 'open' | 'past' | {bundle: string}

/** 16 hex characters of a bundle's digest. */
export function bundleId({app}: Pick<LoadedBundle, 'app'>): string {
  return app.bundle.digest.slice('sha256:'.length, 'sha256:'.length + 16)
}

/** What a sync of this bundle is. All tries of a first install are one, with whatever bundles; so is all that is done again for the one that got through. */
export function releaseOf({firstInstall}: Pick<AppState, 'firstInstall'>, bundle: LoadedBundle): ReleaseKind {
  if (typeof firstInstall === 'object') return firstInstall.bundle === bundleId(bundle) ? 'install' : 'upgrade'
  return firstInstall === 'open' ? 'install' : 'upgrade'
}

/**
 * Notes that a bundle is begun: where another one was installed, a later return to that one is an upgrade too. The cluster gets to know it with
 * the next write of the inventory, which is before anything is changed.
 */
export function beginRelease(app: AppState, bundle: LoadedBundle): void {
  if (releaseOf(app, bundle) === 'upgrade') app.firstInstall = 'past'
}

/** Notes that a bundle is through, with all its hooks. One of nothing installs nothing. */
export function endRelease(app: AppState, bundle: LoadedBundle): void {
  if (app.firstInstall !== 'open' || app.inventory.size === 0) return
  app.firstInstall = {bundle: bundleId(bundle)}
  app.unsaved = true
}

/** What the cluster remembers: `open`, a bundle's id, or '' for `past`, as an agent that knows of none of this leaves it. */
export function encodeFirstInstall(firstInstall: FirstInstall): string {
  if (firstInstall === 'past') return ''
  return firstInstall === 'open' ? 'open' : firstInstall.bundle
}

/** Reads it back; anything else is `past`, so that no install hook runs again by mistake. */
export function decodeFirstInstall(text: unknown): FirstInstall {
  if (text === 'open') return 'open'
  return typeof text === 'string' && /^[0-9a-f]{16}$/.test(text) ? {bundle: text} : 'past'
}
