/** Any JSON value. A whole number that a JavaScript number cannot hold exactly is a `bigint` (see `parseExactJson`). */
export type Json = null | boolean | number | bigint | string | Json[] | {[key: string]: Json}

/** A JSON object. */
export type JsonObject = {[key: string]: Json}

/** One Kubernetes object as plain JSON, with the parts that identify it known to be there. */
export type Manifest = JsonObject & {
  apiVersion: string
  kind: string
  metadata: JsonObject & {name: string; namespace?: string}
}

/** Tells whether a value is a JSON object (not null, not an array). */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The child object at a key, or undefined where there is none. */
export function childObject(value: JsonObject | undefined, key: string): JsonObject | undefined {
  const child = value?.[key]
  return isJsonObject(child) ? child : undefined
}
