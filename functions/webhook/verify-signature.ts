import {Webhooks} from '@octokit/webhooks'

/** What came of checking a body against its signature. `not-utf8`: GitHub sends UTF-8 only, so nothing else can be genuine. */
export type SignatureCheck = {result: 'valid'; text: string} | {result: 'missing' | 'invalid' | 'empty' | 'not-utf8'}

/**
 * Checks the signature of the raw body, in constant time, against each secret in turn. The check takes text, and is exact all
 * the same: the body is decoded strictly and with its byte order mark kept, so encoding it again gives the same bytes.
 */
export async function verifySignature(
  body: Uint8Array,
  signature: string | undefined,
  secrets: readonly string[],
): Promise<SignatureCheck> {
  if (signature === undefined || signature === '') return {result: 'missing'}
  if (body.byteLength === 0) return {result: 'empty'}
  const text = decodeUtf8(body)
  if (text === undefined) return {result: 'not-utf8'}
  for (const secret of secrets) {
    if (await new Webhooks({secret}).verify(text, signature)) return {result: 'valid', text}
  }
  return {result: 'invalid'}
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', {fatal: true, ignoreBOM: true}).decode(bytes)
  } catch {
    return undefined
  }
}
