import type {Json} from '../model/manifest.ts'

declare global {
  /** ECMA-262's "JSON.parse source text access", which TypeScript's library does not know yet. */
  interface JSON {
    parse(text: string, reviver: (key: string, value: Json, context: {source?: string}) => Json): Json
    rawJSON(text: string): object
  }
}

const LEAST = -(2n ** 63n)
const MOST = 2n ** 64n - 1n

/** Tells whether Go's JSON readers keep every digit of a whole number: it fits int64 or uint64. */
export function isExact(value: bigint): boolean {
  return value >= LEAST && value <= MOST
}

/**
 * Parses JSON as Go does: a whole number keeps its digits where it fits int64 or uint64. It is a `bigint` where a number would lose some
 * (beyond 2^53), and a number otherwise. Throws `SyntaxError`.
 */
export function parseExactJson(text: string): Json {
  return holdsLongNumber(text) ? JSON.parse(text, revive) : JSON.parse(text)
}

/** Writes what `parseExactJson` reads. `space` as in `JSON.stringify`. */
export function stringifyExact(value: unknown, space?: number): string {
  try {
    return JSON.stringify(value, undefined, space)
  } catch (error) {
    // Few values hold a bigint, and a replacer would slow all of them down.
    if (!(error instanceof TypeError)) throw error
    return JSON.stringify(value, replace, space)
  }
}

/** The value of a whole number's decimal digits, with or without a minus: as `parseExactJson` reads them. */
export function readWhole(digits: string): number | bigint {
  const nearest = Number(digits)
  if (Number.isSafeInteger(nearest) || digits.length > '-9223372036854775808'.length) return nearest
  const exact = BigInt(digits)
  return isExact(exact) ? exact : nearest
}

function revive(_key: string, value: Json, {source = ''}: {source?: string}): Json {
  return typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(source) ? readWhole(source) : value
}

function replace(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? JSON.rawJSON(value.toString()) : value
}

/** 2^53 has as many digits. */
const LONG = 16

/**
 * Tells whether a JSON text may hold a whole number beyond 2^53. Looks at every 16th character only, so that it costs a fraction of the
 * parsing: a run of as many digits cannot hide in between. Digits within a word, such as an image's digest, are none.
 */
function holdsLongNumber(text: string): boolean {
  for (let at = LONG - 1; at < text.length; at += LONG) {
    if (!isDigit(text, at)) continue
    let start = at
    while (isDigit(text, start - 1)) start--
    while (isDigit(text, at + 1)) at++
    if (at + 1 - start < LONG) continue
    const before = text[start - 1] === '-' ? start - 2 : start - 1
    if (isBoundary(text[before]) && isBoundary(text[at + 1])) return true
  }
  return false
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code >= 48 && code <= 57
}

function isBoundary(character: string | undefined): boolean {
  return character === undefined || ':,[]} \n\r\t'.includes(character)
}
