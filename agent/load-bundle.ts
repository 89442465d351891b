import {VerificationError} from '#shared/attest/verification-error.ts'
import {BundleError} from '#shared/bundle/bundle-error.ts'
import type {OpenBundle} from '#shared/bundle/unpack-bundle.ts'
import type {PresentApp} from '#shared/model/desired-state.ts'
import {formatRef, refOf} from '#shared/model/object-ref.ts'
import {ObjectStoreError} from '#shared/ports/object-store-error.ts'
import type {AgentContext} from './agent-context.ts'
import {AppFailure} from './app-failure.ts'
import {type AppState, currentBundle, type LoadedBundle} from './app-state.ts'
import {fetchBundle} from './fetch-bundle.ts'
import {checkIgnoreRules} from './ignored-fields.ts'
import {claimsOf} from './judge-claims.ts'
import {planObjects} from './plan-objects.ts'
import {takeHealthRules} from './take-health-rules.ts'

/**
 * Loads the bundle that an app's desired state names, unless it is loaded already, and makes it the one that drift is healed to.
 * Throws `AppFailure` REFUSED (not what was signed), POLICY (the cluster says no) or UNREACHABLE; the former bundle then stays.
 */
export async function loadBundle(ctx: AgentContext, app: AppState, target: PresentApp): Promise<void> {
  const present = currentBundle(app)
  const isPlanned = present !== undefined && present.app.namespace === target.namespace && !lacksType(present)
  const {manifests, content} = isPlanned ? {manifests: [], content: present.content} : await fetchOpened(ctx, target)
  // Before anything refuses it: what it wants is kept from being deleted by others all the same.
  if (!isPlanned) app.claims = claimsOf(target.bundle.digest, manifests, target.namespace)
  checkIgnoreRules(target)
  await takeHealthRules(ctx, app, target)
  if (isPlanned) {
    present.app = target
    return
  }
  for (const manifest of manifests) {
    const verdict = ctx.ports.policy(target, manifest)
    if (!verdict.allowed) throw new AppFailure('POLICY', `${formatRef(refOf(manifest))}: ${verdict.reason}`)
  }
  const former = app.bundle
  if (former?.content === content && former.app.namespace === target.namespace && fitsAnyBundle(former)) {
    app.bundle = {...former, app: target}
    app.claims = undefined
    return
  }
  const planned = await planObjects(manifests, {
    app: app.name,
    namespace: target.namespace,
    discovery: ctx.discovery,
    bundle: target.bundle.digest,
  })
  app.bundle = {...planned, app: target, content}
  app.claims = undefined
}

async function fetchOpened(ctx: AgentContext, target: PresentApp): Promise<OpenBundle> {
  const {store, trustRoot} = ctx.ports
  try {
    return await fetchBundle(target, {store, trustRoot, cluster: ctx.config.cluster})
  } catch (cause) {
    if (cause instanceof VerificationError || cause instanceof BundleError) {
      throw new AppFailure('REFUSED', 'its bundle is refused', {code: cause.code}, {cause})
    }
    if (cause instanceof ObjectStoreError && cause.code === 'TOO_LARGE') {
      throw new AppFailure('REFUSED', 'its bundle is refused', {code: cause.code}, {cause})
    }
    throw new AppFailure('UNREACHABLE', 'its bundle cannot be fetched', {}, {cause})
  }
}

/** Runs of hooks that have a generateName are named by the very bundle. */
function fitsAnyBundle(bundle: LoadedBundle): boolean {
  return !lacksType(bundle) && [...bundle.hooks.values()].every(({generateName}) => generateName === undefined)
}

/** A kind that was not served may be by now: the definition comes from elsewhere. */
function lacksType(bundle: LoadedBundle): boolean {
  for (const object of bundle.objects.values()) if (object.type === undefined) return true
  return false
}
