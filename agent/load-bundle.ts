import {VerificationError} from '#shared/attest/verification-error.ts'
import {BundleError} from '#shared/bundle/bundle-error.ts'
import type {BundleFacts} from '#shared/bundle/bundle-parser.ts'
import {readBundle, unpackedSize} from '#shared/bundle/unpack-bundle.ts'
import type {PresentApp} from '#shared/model/desired-state.ts'
import type {Manifest} from '#shared/model/manifest.ts'
import {formatRef, refOf} from '#shared/model/object-ref.ts'
import {ObjectStoreError} from '#shared/ports/object-store-error.ts'
import type {AgentContext} from './agent-context.ts'
import {AppFailure} from './app-failure.ts'
import {type AppState, currentBundle, type LoadedBundle} from './app-state.ts'
import {fetchBundle} from './fetch-bundle.ts'
import {checkIgnoreRules} from './ignored-fields.ts'
import {claimsOf} from './judge-claims.ts'
import {outlineOf} from './outline-manifest.ts'
import {planOutlines} from './plan-objects.ts'
import {requireRoom} from './require-room.ts'
import {takeHealthRules} from './take-health-rules.ts'

/**
 * Loads the bundle that an app's desired state names, unless it is loaded already, and makes it the one that drift is healed to.
 * Throws `AppFailure` REFUSED (not what was signed), POLICY (the cluster says no) or UNREACHABLE; the former bundle then stays.
 */
export async function loadBundle(ctx: AgentContext, app: AppState, target: PresentApp): Promise<void> {
  const present = currentBundle(app)
  if (present !== undefined && present.app.namespace === target.namespace && !lacksType(present)) {
    checkIgnoreRules(target)
    await takeHealthRules(ctx, app, target)
    present.app = target
    return
  }
  requireRoom(ctx.apps.values(), app, target)
  const load = async (): Promise<void> => {
    const packed = await fetchPacked(ctx, target)
    const plan = () => planPacked(ctx, app, target, packed)
    await (isBulky(target) || unpackedSize(packed) <= BULKY_BYTES ? plan() : ctx.bulk.run(plan))
  }
  await (isBulky(target) ? ctx.bulk.run(load) : load())
}

/** What is larger than this, packed or unpacked, is loaded one after the other: what loading takes must fit the pod. */
const BULKY_BYTES = 512 * 1024

function isBulky({bundle}: PresentApp): boolean {
  return bundle.size > BULKY_BYTES
}

async function planPacked(ctx: AgentContext, app: AppState, target: PresentApp, packed: Uint8Array): Promise<void> {
  const outlines: Manifest[] = []
  let forbidden: string | undefined
  const {content} = await readOrRefuse(target, packed, (manifest) => {
    outlines.push(outlineOf(manifest))
    const verdict = ctx.ports.policy(target, manifest)
    if (!verdict.allowed) forbidden ??= `${formatRef(refOf(manifest))}: ${verdict.reason}`
  })
  // Before anything refuses it: what it wants is kept from being deleted by others all the same.
  app.claims = claimsOf(target.bundle.digest, outlines, target.namespace)
  checkIgnoreRules(target)
  await takeHealthRules(ctx, app, target)
  if (forbidden !== undefined) throw new AppFailure('POLICY', forbidden)
  const former = app.bundle
  if (former?.content === content && former.app.namespace === target.namespace && fitsAnyBundle(former)) {
    app.bundle = {...former, app: target}
    app.claims = undefined
    return
  }
  const {planned, fill, close} = await planOutlines(outlines, {
    app: app.name,
    namespace: target.namespace,
    discovery: ctx.discovery,
    bundle: target.bundle.digest,
  })
  await readOrRefuse(target, packed, fill)
  close()
  // Others were loaded meanwhile.
  requireRoom(ctx.apps.values(), app, target)
  app.bundle = {...planned, app: target, content}
  app.claims = undefined
}

async function readOrRefuse(
  {bundle}: PresentApp,
  packed: Uint8Array,
  onManifest: (manifest: Manifest) => void,
): Promise<BundleFacts> {
  try {
    return await readBundle(packed, onManifest, bundle.objects)
  } catch (cause) {
    if (!(cause instanceof BundleError)) throw cause
    throw new AppFailure('REFUSED', 'its bundle is refused', {code: cause.code}, {cause})
  }
}

async function fetchPacked(ctx: AgentContext, target: PresentApp): Promise<Uint8Array> {
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
