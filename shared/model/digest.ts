import {createHash} from 'node:crypto'
import * as z from 'zod'

/** `sha256:<64 lower-case hex>`, always of the exact stored bytes. */
export type Digest = `sha256:${string}`

/** Accepts a well-formed digest and nothing else. */
export const digestSchema = z.templateLiteral([z.literal('sha256:'), z.string().regex(/^[0-9a-f]{64}$/)])

/** Computes the digest of bytes; a string is taken as UTF-8. */
export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

/** The 64 hex characters of a digest, as used in object keys. */
export function digestHex(digest: Digest): string {
  return digest.slice('sha256:'.length)
}
