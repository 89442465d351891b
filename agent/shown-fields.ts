import type {FieldChange} from '#shared/model/field-change.ts'
import type {Json, JsonObject} from '#shared/model/manifest.ts'
import type {ObjectRef} from '#shared/model/object-ref.ts'
import {maskedChanges} from '#shared/plan/mask-fields.ts'

export const MAX_SHOWN_FIELDS = 10
const MAX_VALUE_LENGTH = 200

/** All fields that differ, with what they are and should be: without values where they are a Secret's, and long values cut. */
export function shownFields(ref: ObjectRef, live: JsonObject, wanted: JsonObject): FieldChange[] {
  return maskedChanges(ref, live, wanted).map(({from, to, ...field}) => ({
    ...field,
    ...(from === undefined ? {} : {from: cutValue(from)}),
    ...(to === undefined ? {} : {to: cutValue(to)}),
  }))
}

function cutValue(value: Json): Json {
  const text = JSON.stringify(value)
  return text.length <= MAX_VALUE_LENGTH ? value : `${text.slice(0, MAX_VALUE_LENGTH)}…`
}
