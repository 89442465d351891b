import * as z from 'zod'
import {isJsonObject, type JsonObject} from '#shared/model/manifest.ts'

/** The names of the fields that a schema knows at a path, for a hint at the one that was meant. */
export function knownFields(schema: z.ZodType, path: readonly (string | number)[]): string[] {
  let candidates: unknown[] = [z.toJSONSchema(schema, {io: 'input', unrepresentable: 'any'})]
  for (const part of path) {
    candidates = candidates.flatMap(alternatives).flatMap((candidate): unknown[] => {
      if (typeof part === 'number') return [candidate.items]
      return isJsonObject(candidate.properties) ? [candidate.properties[part]] : []
    })
  }
  const names = candidates.flatMap(alternatives).flatMap((candidate) => {
    return isJsonObject(candidate.properties) ? Object.keys(candidate.properties) : []
  })
  return [...new Set(names)]
}

function alternatives(schema: unknown): JsonObject[] {
  if (!isJsonObject(schema)) return []
  const nested = [schema.anyOf, schema.oneOf, schema.allOf].flatMap((list) => (Array.isArray(list) ? list : []))
  return [schema, ...nested.flatMap(alternatives)]
}
