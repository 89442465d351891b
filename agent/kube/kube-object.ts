import {isJsonObject, type Json, type JsonObject} from '#shared/model/manifest.ts'
import {KubeError} from './kube-error.ts'

/** An object as the API server answers it, whole or only its metadata. */
export type KubeObject = JsonObject & {metadata: ObjectMeta}

export type ObjectMeta = JsonObject & {
  name: string
  uid: string
  resourceVersion: string
}

/** An object as it is sent: with a resourceVersion in its metadata where it replaces that very version. */
export type NewObject = JsonObject & {metadata: JsonObject & {name: string; namespace?: string}}

/** Takes an answer of the API server; rejects what has no usable metadata. */
export function asKubeObject(value: unknown): KubeObject {
  if (isJsonObject(value) && isJsonObject(value.metadata) && typeof value.metadata.resourceVersion === 'string') {
    return value as KubeObject
  }
  throw new KubeError('UNAVAILABLE', 'the API server answered with something that is not an object')
}

/** Takes the answer to a dry run: an object that it would have created has no resourceVersion yet, and gets an empty one. */
export function asTriedObject(value: JsonObject): KubeObject {
  const metadata = isJsonObject(value.metadata) ? value.metadata : {}
  return asKubeObject({...value, metadata: {resourceVersion: '', ...metadata}})
}

/** The text of a metadata field, '' where there is none. */
export function metaText(object: KubeObject, key: 'namespace' | 'deletionTimestamp'): string {
  const value = object.metadata[key]
  return typeof value === 'string' ? value : ''
}

/** A label's value, or undefined. */
export function labelOf(object: KubeObject, label: string): string | undefined {
  return textAt(object.metadata.labels, label)
}

/** All annotations that are text. */
export function annotationsOf(object: KubeObject): Record<string, string> {
  const annotations = object.metadata.annotations
  if (!isJsonObject(annotations)) return {}
  return Object.fromEntries(
    Object.entries(annotations).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}

function textAt(value: Json | undefined, key: string): string | undefined {
  const found = isJsonObject(value) ? value[key] : undefined
  return typeof found === 'string' ? found : undefined
}

/**
 * Tells whether the first resourceVersion is later than the second, of one type. They are decimal numbers that grow
 * (Kubernetes 1.35 made that a promise, KEP-5504).
 */
export function isLaterVersion(first: string, second: string): boolean {
  return first.length === second.length ? first > second : first.length > second.length
}
