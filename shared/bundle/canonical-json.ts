import canonicalize from 'canonicalize'
import {BundleError} from './bundle-error.ts'

/** Writes a JSON value in its one canonical form (RFC 8785): equal values give equal text. Throws `BundleError` MALFORMED for what JSON can't hold. */
export function canonicalJson(value: unknown): string {
  let text: string | undefined
  try {
    text = canonicalize(value)
  } catch (cause) {
    throw new BundleError(
      'MALFORMED',
      'the value has no canonical JSON form (NaN, infinity or a lone surrogate)',
      {},
      {cause},
    )
  }
  if (text === undefined) throw new BundleError('MALFORMED', 'the value has no JSON form')
  return text
}
