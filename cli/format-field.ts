import {stringifyExact} from '#shared/bundle/exact-json.ts'
import type {FieldChange} from '#shared/model/field-change.ts'
import type {Json} from '#shared/model/manifest.ts'

const MAX_VALUE_LENGTH = 160

/** A field that differs in one line: `/data/a: "1" → "2"`, without the values where they are masked. */
export function formatField({path, difference, from, to, masked}: FieldChange): string {
  if (masked) {
    const what = {missing: '(none) → ***', extra: '*** → (none)', changed: '*** → *** (another value)'}[difference]
    return `${path}: ${what}`
  }
  return `${path}: ${formatValue(from)} → ${formatValue(to)}`
}

function formatValue(value: Json | undefined): string {
  if (value === undefined) return '(none)'
  const text = stringifyExact(value)
  return text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH)}… (-o json shows it whole)` : text
}
