import type {PresentApp} from '#shared/model/desired-state.ts'
import type {Manifest} from '#shared/model/manifest.ts'
import {formatRef, groupOf, refOf} from '#shared/model/object-ref.ts'
import type {PublishStatement} from '#shared/model/publish-request.ts'
import {builtInScope} from '#shared/plan/scope.ts'
import type {Refusal} from './refusal.ts'

type Allow = NonNullable<Extract<PublishStatement['apps'][number], {outcome: 'ready'}>['allow']>

/** Finds the first object that an app's `allow` forbids. What it leaves unsaid is allowed. */
export function findForbidden(
  app: PresentApp,
  allow: Allow | undefined,
  manifests: readonly Manifest[],
): Refusal | undefined {
  if (allow === undefined) return undefined
  const {namespaces} = allow
  if (
    namespaces !== undefined &&
    app.createNamespace &&
    app.namespace !== undefined &&
    !namespaces.includes(app.namespace)
  ) {
    return {
      code: 'NAMESPACE_NOT_ALLOWED',
      message: `createNamespace would make namespace ${app.namespace}, which allow.namespaces does not name; add it or choose another namespace`,
    }
  }
  for (const manifest of manifests) {
    const refusal = checkKind(manifest, allow) ?? checkNamespace(app, manifest, allow)
    if (refusal !== undefined) return refusal
  }
  return undefined
}

function checkKind(manifest: Manifest, {kinds}: Allow): Refusal | undefined {
  if (kinds === undefined || isNamed(manifest, kinds)) return undefined
  return {
    code: 'KIND_NOT_ALLOWED',
    message: `${formatRef(refOf(manifest))}: its kind is not in allow.kinds (${kinds.join(', ')}); add it there or remove the object`,
  }
}

function checkNamespace(app: PresentApp, manifest: Manifest, {namespaces, kinds}: Allow): Refusal | undefined {
  if (namespaces === undefined) return undefined
  const refuse = (why: string): Refusal => ({
    code: 'NAMESPACE_NOT_ALLOWED',
    message: `${formatRef(refOf(manifest))}: ${why}`,
  })
  const namespace = namespaceOf(app, manifest)
  if (namespace !== undefined) {
    if (namespaces.includes(namespace)) return undefined
    return refuse(
      `namespace ${namespace} is not in allow.namespaces (${namespaces.join(', ')}); add it there or move the object`,
    )
  }
  // A cluster-wide object reaches past every namespace (a ClusterRoleBinding reaches all), so it must be named on purpose.
  if (kinds !== undefined && isNamed(manifest, kinds)) return undefined
  return refuse(
    'it belongs to no namespace, and this app is limited to some (allow.namespaces); name its kind in allow.kinds or remove it',
  )
}

/** The namespace that an object touches: its own, or the one that a Namespace is. */
function namespaceOf(app: PresentApp, manifest: Manifest): string | undefined {
  const group = groupOf(manifest.apiVersion)
  if (group === '' && manifest.kind === 'Namespace') return manifest.metadata.name
  const scope = builtInScope(group, manifest.kind)
  if (scope === 'Cluster') return undefined
  const own = manifest.metadata.namespace
  if (own !== undefined && own !== '') return own
  return scope === 'Namespaced' ? (app.namespace ?? 'default') : undefined
}

function isNamed(manifest: Manifest, kinds: readonly string[]): boolean {
  const group = groupOf(manifest.apiVersion)
  return kinds.includes(manifest.kind) || (group !== '' && kinds.includes(`${manifest.kind}.${group}`))
}
