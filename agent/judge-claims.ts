import type {Digest} from '#shared/model/digest.ts'
import type {Manifest} from '#shared/model/manifest.ts'
import {refKey, refOf} from '#shared/model/object-ref.ts'
import type {AgentContext} from './agent-context.ts'
import {type AppState, currentBundle} from './app-state.ts'
import {declares} from './plan-objects.ts'

/** What a verified bundle declares, also where it is then refused: it is not applied, and what it may take is not deleted by others. */
export interface Claims {
  digest: Digest
  keys: ReadonlySet<string>
}

/** Takes down what a bundle declares, without asking whether a kind has namespaces: of the two keys one is nobody's. */
export function claimsOf(digest: Digest, manifests: readonly Manifest[], namespace: string | undefined): Claims {
  const keys = new Set<string>()
  for (const manifest of manifests) {
    const ref = refOf(manifest)
    keys.add(refKey({...ref, namespace: ''}))
    keys.add(refKey({...ref, namespace: ref.namespace || (namespace ?? 'default')}))
  }
  return {digest, keys}
}

/** Tells whether what is published of an app declares an object; `'unread'` where its bundle could not be had or was not what was signed. */
export function declaresNow(app: AppState, key: string): boolean | 'unread' {
  const {target, claims} = app
  if (target?.state !== 'present') return false
  const bundle = currentBundle(app)
  if (bundle !== undefined) return declares(bundle, key)
  return claims?.digest === target.bundle.digest ? claims.keys.has(key) : 'unread'
}

/**
 * The other apps that may want an object: they declare it, or nobody can tell what they declare. To declare is not to own; see `proveClaim`.
 * An app that gave up wants nothing any more.
 */
export function claimantsOf(ctx: Pick<AgentContext, 'apps'>, app: AppState, key: string): AppState[] {
  return [...ctx.apps.values()].filter(
    (other) => other !== app && other.outlook !== 'given-up' && declaresNow(other, key) !== false,
  )
}

/**
 * Tells whether an app owns an object: the object carries its mark, and is the very one that the inventory says it applied. What the
 * inventory only noted before an apply is not owned by that.
 */
export function owns(ctx: Pick<AgentContext, 'live'>, app: AppState, key: string): boolean {
  const live = ctx.live.get(key)
  return live !== undefined && live.app === app.name && app.inventory.get(key)?.uid === live.uid
}

/** Tells whether what an app declares now is known, and was refused. */
export function isRefused(app: AppState): boolean {
  return app.target?.state === 'present' && currentBundle(app) === undefined
}
