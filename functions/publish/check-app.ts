import {isDeepStrictEqual} from 'node:util'
import {BundleError} from '#shared/bundle/bundle-error.ts'
import type {BundleHeader} from '#shared/bundle/bundle-header.ts'
import {unpackBundle} from '#shared/bundle/unpack-bundle.ts'
import type {DesiredApp, PresentApp} from '#shared/model/desired-state.ts'
import {keys} from '#shared/model/keys.ts'
import {limits} from '#shared/model/limits.ts'
import type {PublishStatement} from '#shared/model/publish-request.ts'
import {sameRepository} from '#shared/model/repository-url.ts'
import type {RepositoryPolicy} from '#shared/model/tracked-repository.ts'
import type {ObjectStore} from '#shared/ports/object-store.ts'
import {ObjectStoreError} from '#shared/ports/object-store-error.ts'
import {findForbiddenObject} from '#shared/tracking/check-objects.ts'
import {findForbidden} from './check-policy.ts'
import type {Refusal} from './refusal.ts'

export type ReadyApp = Extract<PublishStatement['apps'][number], {outcome: 'ready'}>

/** Checks that need nothing but the request and what the cluster has now: whose app it is, where it is from, whether it went empty. */
export function checkClaim(
  request: PublishStatement,
  {app}: ReadyApp,
  present: DesiredApp | undefined,
): Refusal | undefined {
  const {repository, ref} = app.declaredIn
  if (repository !== request.declaredIn.repository || ref !== request.declaredIn.ref) {
    return {
      code: 'WRONG_DECLARATION',
      message: `it claims to be declared in ${repository} ${ref}, which is another declaration`,
    }
  }
  if (present?.state === 'present' && isForeign(present, request)) {
    const owner = present.declaredIn
    return {
      code: 'NAME_TAKEN',
      message: `cluster ${request.cluster} has an app of this name already, declared in ${owner.repository} at ${owner.ref}; rename this one or remove that one first`,
    }
  }
  const {source} = app
  const isHead = request.heads.some(
    (head) => head.repository === source.repository && head.ref === source.ref && head.commit === source.commit,
  )
  if (!isHead) {
    return {
      code: 'SOURCE_NOT_CHECKED',
      message: `its source ${source.repository} ${source.ref} at ${source.commit} is not among the heads that it was rendered from`,
    }
  }
  const had = present?.state === 'present' ? present.bundle.objects : 0
  if (app.bundle.objects === 0 && had > 0 && !app.sync.allowEmpty) {
    return {
      code: 'EMPTY_RENDER',
      message: `it renders no object, and publishing that would remove the ${had} that it has; set sync.allowEmpty if that is meant`,
    }
  }
  return undefined
}

/**
 * Reads an app's bundle from the store and checks it against what was promised and what is allowed: digest and size on the
 * bytes, then app, cluster and inputs in its header, then every object. Rejects with `ObjectStoreError` UNAVAILABLE or ACCESS_DENIED.
 */
export async function checkBundle(
  store: ObjectStore,
  cluster: string,
  {app, allow}: ReadyApp,
  policy: RepositoryPolicy | undefined,
): Promise<{header: BundleHeader} | Refusal> {
  try {
    const stored = await store.get(keys.bundle(app.bundle.digest), {maxBytes: limits.maxBundleBytes})
    if (typeof stored === 'string')
      return {code: 'BUNDLE_MISSING', message: `bundle ${app.bundle.digest} is not in the store`}
    const {header, manifests} = unpackBundle(stored.bytes, app.bundle)
    if (header.app !== app.name || header.cluster !== cluster || header.inputs !== app.inputs) {
      return {
        code: 'WRONG_BUNDLE',
        message: `bundle ${app.bundle.digest} was rendered for app ${header.app} in cluster ${header.cluster} from ${header.inputs}`,
      }
    }
    return findForbidden(app, allow, manifests) ?? findForbiddenObject(policy, app, manifests) ?? {header}
  } catch (error) {
    if (error instanceof BundleError) return {code: error.code, message: error.message}
    if (error instanceof ObjectStoreError && error.code === 'TOO_LARGE')
      return {code: 'TOO_LARGE', message: error.message}
    throw error
  }
}

/** Tells whether an app that the cluster has is declared somewhere else than in the request's declaration. */
export function isForeign(present: DesiredApp, {declaredIn}: Pick<PublishStatement, 'declaredIn'>): boolean {
  return (
    !sameRepository(present.declaredIn.repository, declaredIn.repository) || present.declaredIn.ref !== declaredIn.ref
  )
}

/** Tells whether two entries ask a cluster for the same: everything but the trace. */
export function isSameApp(app: PresentApp, present: DesiredApp | undefined): boolean {
  if (present?.state !== 'present') return false
  if (present.inputs !== app.inputs) return false
  const [{trace: _, ...wanted}, {trace: __, ...had}] = [app, present]
  return isDeepStrictEqual(wanted, had)
}
