import {createHash} from 'node:crypto'
import {canonicalJson} from '#shared/bundle/canonical-json.ts'
import {childObject, isJsonObject, type Manifest} from '#shared/model/manifest.ts'
import {groupOf, type ObjectRef, refKey, refOf} from '#shared/model/object-ref.ts'
import {orderObjects} from '#shared/plan/order-objects.ts'
import {defaultNamespaces} from '#shared/plan/scope.ts'
import type {Discovery} from './kube/discovery.ts'
import type {ResourceType} from './kube/kube-client.ts'
import {APP_LABEL} from './marks.ts'

/** An object as it will be applied: its JSON with the owner mark, and what identifies it. */
export interface PlannedObject {
  key: string
  ref: ObjectRef
  apiVersion: string
  /** Undefined where the server serves no such kind and the app brings no definition of it. */
  type: ResourceType | undefined
  /** The definition of its kind is in the same app, so the server may not serve it yet. */
  defined: boolean
  body: string
  /** 32 hex characters of the digest of `body`. */
  digest: string
}

/** An app's objects, in the stages in which they are applied. */
export interface PlannedBundle {
  stages: PlannedObject[][]
  objects: Map<string, PlannedObject>
}

/**
 * Makes a bundle's manifests ready to be applied as an app: ordered, each with its type found, its namespace as the server will
 * store it and the owner mark set. Asks the server only for API versions that it was not asked for before.
 */
export async function planObjects(
  manifests: Manifest[],
  options: {app: string; namespace: string | undefined; discovery: Discovery},
): Promise<PlannedBundle> {
  const {app, namespace, discovery} = options
  const defined = definedTypes(manifests)
  const types = new Map<string, ResourceType | undefined>()
  for (const {apiVersion, kind} of manifests) {
    const name = `${apiVersion} ${kind}`
    if (!types.has(name)) types.set(name, defined.get(name) ?? (await discovery.find(apiVersion, kind)))
  }
  const objects = new Map<string, PlannedObject>()
  const stages = orderObjects(defaultNamespaces(manifests, namespace)).map((stage) =>
    stage.map((manifest) => {
      const name = `${manifest.apiVersion} ${manifest.kind}`
      const planned = planObject(manifest, {app, namespace, type: types.get(name), defined: defined.has(name)})
      objects.set(planned.key, planned)
      return planned
    }),
  )
  return {stages, objects}
}

function planObject(
  manifest: Manifest,
  options: {app: string; namespace: string | undefined; type: ResourceType | undefined; defined: boolean},
): PlannedObject {
  const {app, type, defined} = options
  const {namespace: named, ...metadata} = manifest.metadata
  const namespace = type === undefined ? named : type.namespaced ? (named ?? options.namespace ?? 'default') : undefined
  const labels = {...childObject(metadata, 'labels'), [APP_LABEL]: app}
  const marked: Manifest = {
    ...storedForm(manifest),
    metadata: {...metadata, name: manifest.metadata.name, ...(namespace === undefined ? {} : {namespace}), labels},
  }
  const ref = refOf(marked)
  const body = canonicalJson(marked)
  const digest = createHash('sha256').update(body).digest('hex').slice(0, 32)
  return {key: refKey(ref), ref, apiVersion: manifest.apiVersion, type, defined, body, digest}
}

/**
 * A Secret's `stringData` is never stored: the server turns it into `data`, which then nobody owns, so a change of it would go
 * unnoticed. Applied as `data` it is ours. What is no text is left for the server to refuse.
 */
function storedForm(manifest: Manifest): Manifest {
  const {stringData, ...rest} = manifest
  if (manifest.kind !== 'Secret' || manifest.apiVersion !== 'v1' || !isJsonObject(stringData)) return manifest
  const entries = Object.entries(stringData)
  if (!entries.every((entry): entry is [string, string] => typeof entry[1] === 'string')) return manifest
  const encoded = entries.map(([key, value]) => [key, Buffer.from(value).toString('base64')])
  const {apiVersion, kind, metadata} = manifest
  return {...rest, apiVersion, kind, metadata, data: {...childObject(manifest, 'data'), ...Object.fromEntries(encoded)}}
}

/** The types that an app's own CustomResourceDefinitions will bring, by `apiVersion kind`. */
function definedTypes(manifests: Manifest[]): Map<string, ResourceType> {
  const types = new Map<string, ResourceType>()
  for (const manifest of manifests) {
    if (manifest.kind !== 'CustomResourceDefinition' || groupOf(manifest.apiVersion) !== 'apiextensions.k8s.io')
      continue
    const spec = childObject(manifest, 'spec')
    const names = childObject(spec, 'names')
    const versions = Array.isArray(spec?.versions) ? spec.versions : []
    if (typeof spec?.group !== 'string' || typeof names?.kind !== 'string' || typeof names.plural !== 'string') continue
    for (const version of versions) {
      if (!isJsonObject(version) || typeof version.name !== 'string' || version.served === false) continue
      types.set(`${spec.group}/${version.name} ${names.kind}`, {
        group: spec.group,
        version: version.name,
        kind: names.kind,
        plural: names.plural,
        namespaced: spec.scope !== 'Cluster',
      })
    }
  }
  return types
}
