import {Readable} from 'node:stream'

/**
 * Reads a response body into memory, or stops with `'too-large'` as soon as it is known to exceed `maxBytes`: by the length it
 * announces where it announces one, and by counting in any case. The connection of a body not read to its end is dropped.
 */
export async function readBody(
  body: unknown,
  announcedBytes: number | undefined,
  maxBytes: number | undefined,
): Promise<Uint8Array | 'too-large'> {
  if (body === undefined) return new Uint8Array()
  if (!(body instanceof Readable)) throw new TypeError('the response body is not a Node.js stream')
  if (maxBytes !== undefined && announcedBytes !== undefined && announcedBytes > maxBytes) {
    body.destroy()
    return 'too-large'
  }
  const chunks: Uint8Array[] = []
  let count = 0
  for await (const chunk of body) {
    if (!(chunk instanceof Uint8Array)) throw new TypeError('the response body is not a stream of bytes')
    count += chunk.byteLength
    // Leaving the loop destroys the stream.
    if (maxBytes !== undefined && count > maxBytes) return 'too-large'
    chunks.push(chunk)
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, count)
}
