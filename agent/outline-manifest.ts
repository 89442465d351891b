import {childObject, isJsonObject, type JsonObject, type Manifest} from '#shared/model/manifest.ts'
import {groupOf} from '#shared/model/object-ref.ts'

/** Whose annotations say how an object is applied. */
const READ_ANNOTATIONS = /^(argocd\.argoproj\.io|drawbridge\.dev|helm\.sh|kustomize\.toolkit\.fluxcd\.io)\//

/**
 * Leaves of a manifest what its place in an apply is found by: what it is called, the annotations that say how it is applied, and which types a
 * definition brings. Whatever plans by more than that must add it here.
 */
export function outlineOf(manifest: Manifest): Manifest {
  const {apiVersion, kind, metadata} = manifest
  const {name, namespace, generateName} = metadata
  const annotations = Object.entries(childObject(metadata, 'annotations') ?? {}).filter(([key]) =>
    READ_ANNOTATIONS.test(key),
  )
  const outline: Manifest = {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : {namespace}),
      ...(generateName === undefined ? {} : {generateName}),
      ...(annotations.length === 0 ? {} : {annotations: Object.fromEntries(annotations)}),
    },
  }
  const definition = kind === 'CustomResourceDefinition' && groupOf(apiVersion) === 'apiextensions.k8s.io'
  const spec = definition ? childObject(manifest, 'spec') : undefined
  return spec === undefined ? outline : {...outline, spec: outlineOfDefinition(spec)}
}

function outlineOfDefinition({group, scope, names, versions}: JsonObject): JsonObject {
  const {kind, plural} = isJsonObject(names) ? names : {}
  const served = (Array.isArray(versions) ? versions : []).filter(isJsonObject)
  return {
    ...pick({group, scope}),
    names: pick({kind, plural}),
    versions: served.map(({name, served}) => pick({name, served})),
  }
}

function pick(fields: Record<string, JsonObject[string] | undefined>): JsonObject {
  return Object.fromEntries(
    Object.entries(fields).filter(
      (field): field is [string, JsonObject[string]] => field[1] !== undefined && typeof field[1] !== 'object',
    ),
  )
}
