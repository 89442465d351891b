import {gunzipSync, gzipSync} from 'node:zlib'
import * as z from 'zod'
import {API_VERSION} from '../model/api-version.ts'
import {limits} from '../model/limits.ts'
import {MessageError} from './message-error.ts'

const packedSchema = z.object({apiVersion: z.literal(API_VERSION), kind: z.literal('Packed'), gzip: z.base64()})

/** From this size on a body is packed: a request of a thousand apps repeats most of itself and shrinks to a tenth. */
const PACK_FROM_BYTES = 256 * 1024

/** The body of a message: the value as JSON, and where that is large, gzipped in an envelope of kind `Packed`. */
export function packBody(value: unknown): string {
  const text = JSON.stringify(value)
  if (Buffer.byteLength(text) < PACK_FROM_BYTES) return text
  return JSON.stringify({apiVersion: API_VERSION, kind: 'Packed', gzip: gzipSync(text).toString('base64')})
}

/** Reads what `packBody` wrote, or any JSON. Throws `MessageError` MALFORMED, also for what unpacks to more than `limits.maxUnpackedMessageBytes`. */
export function unpackBody(body: string): unknown {
  const value = parseJson(body)
  const packed = packedSchema.safeParse(value)
  if (!packed.success) return value
  try {
    const options = {maxOutputLength: limits.maxUnpackedMessageBytes}
    return parseJson(gunzipSync(Buffer.from(packed.data.gzip, 'base64'), options).toString('utf8'))
  } catch (cause) {
    if (cause instanceof MessageError) throw cause
    throw new MessageError('MALFORMED', 'the packed message cannot be unpacked, or is too large unpacked', {}, {cause})
  }
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch (cause) {
    throw new MessageError('MALFORMED', 'the message is not JSON', {}, {cause})
  }
}
