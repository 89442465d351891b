import {describeError} from '../model/drawbridge-error.ts'
import {BundleError} from './bundle-error.ts'
import {isExact} from './exact-json.ts'

/**
 * Writes a JSON value in its one canonical form (RFC 8785): equal values give equal text. A `bigint` is written as its digits, which the RFC has no
 * number for (see docs/decisions/0009). What JSON leaves out (an undefined member) is left out. Throws `BundleError` MALFORMED for what
 * JSON can't hold, and for a `bigint` that fits neither int64 nor uint64.
 */
export function canonicalJson(value: unknown): string {
  let text: string | undefined
  try {
    text = isInOrder(value) ? JSON.stringify(value) : write(value)
  } catch (cause) {
    throw new BundleError('MALFORMED', `the value has no canonical JSON form: ${describeError(cause)}`, {}, {cause})
  }
  if (text === undefined) throw new BundleError('MALFORMED', 'the value has no JSON form')
  return text
}

/**
 * Tells whether the engine's own writer gives the canonical form: most of what comes here was sorted by a renderer, and that writer is
 * several times faster.
 */
function isInOrder(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed()
    case 'number':
      return Number.isFinite(value)
    case 'boolean':
      return true
    case 'object':
      if (value === null) return true
      return Array.isArray(value) ? value.every(isInOrder) : isObjectInOrder(value)
    default:
      return false
  }
}

function isObjectInOrder(value: object): boolean {
  if ('toJSON' in value) return false
  let before: string | undefined
  for (const [key, item] of Object.entries(value)) {
    if ((before !== undefined && key < before) || !key.isWellFormed() || !isInOrder(item)) return false
    before = key
  }
  return true
}

function write(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return writeText(value)
    case 'number':
      if (!Number.isFinite(value)) throw new RangeError('NaN and infinity are no numbers of JSON')
      return JSON.stringify(value)
    case 'bigint':
      if (!isExact(value)) throw new RangeError('a whole number fits neither int64 nor uint64')
      return value.toString()
    case 'boolean':
      return value ? 'true' : 'false'
    case 'object':
      return value === null ? 'null' : writeObject(value)
    default:
      return undefined
  }
}

function writeObject(value: object): string | undefined {
  if (Array.isArray(value)) return `[${value.map((item) => write(item) ?? 'null').join(',')}]`
  if ('toJSON' in value && typeof value.toJSON === 'function') return write(value.toJSON())
  let members = ''
  // RFC 8785, 3.2.3: by UTF-16 code units, which is how JavaScript compares texts.
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  for (const [key, item] of entries) {
    const text = write(item)
    if (text !== undefined) members += `${members === '' ? '' : ','}${writeText(key)}:${text}`
  }
  return `{${members}}`
}

function writeText(text: string): string {
  if (!text.isWellFormed()) throw new RangeError('a text has half of a character')
  return JSON.stringify(text)
}
