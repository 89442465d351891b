import {stringifyExact} from '#shared/bundle/exact-json.ts'
import type {FieldChange} from '#shared/model/field-change.ts'
import {isJsonObject, type Json, type JsonObject} from '#shared/model/manifest.ts'
import type {ObjectRef} from '#shared/model/object-ref.ts'
import {hideSecrets, isSecretName} from '#shared/plan/hide-secrets.ts'
import {maskedChanges} from '#shared/plan/mask-fields.ts'

export const MAX_SHOWN_FIELDS = 10
const MAX_VALUE_LENGTH = 200

/**
 * All fields that differ, with what they are and should be, as a report takes them out of the cluster: without values where they are a
 * Secret's, or where their name or shape is that of a secret; long values cut.
 */
export function shownFields(ref: ObjectRef, live: JsonObject, wanted: JsonObject): FieldChange[] {
  return maskedChanges(ref, live, wanted).map(({from, to, ...field}) => {
    const {path, difference} = field
    if (isUnnamedArgument(path, from, to) || [from, to].some((value) => mayBeSecret(path, value))) {
      return {path, difference, masked: true}
    }
    return {
      ...field,
      ...(from === undefined ? {} : {from: cutValue(from)}),
      ...(to === undefined ? {} : {to: cutValue(to)}),
    }
  })
}

/** An argument of a command may be the value of the flag before it. */
function isUnnamedArgument(path: string, ...values: (Json | undefined)[]): boolean {
  return (
    /\/(?:args|command)\/\d+$/.test(path) && values.some((value) => value !== undefined && !`${value}`.startsWith('-'))
  )
}

/** `name` is the path, or what is known of it: `kubectl apply` keeps a whole copy of an object in an annotation. */
function mayBeSecret(name: string, value: Json | undefined): boolean {
  if (value === undefined || value === null || typeof value === 'boolean') return false
  if (isSecretName(name) || name.endsWith('last-applied-configuration')) return true
  if (typeof value === 'string') return hideSecrets(value) !== value
  if (Array.isArray(value)) {
    const text = value.filter((item) => typeof item === 'string').join(' ')
    return mayBeSecret(name, text) || value.some((item) => typeof item !== 'string' && mayBeSecret(name, item))
  }
  if (!isJsonObject(value)) return false
  const named = typeof value.name === 'string' ? value.name : name
  return Object.entries(value).some(([key, item]) => mayBeSecret(key === 'value' ? named : key, item))
}

function cutValue(value: Json): Json {
  const text = stringifyExact(value)
  return text.length <= MAX_VALUE_LENGTH ? value : `${text.slice(0, MAX_VALUE_LENGTH)}…`
}
