import * as z from 'zod'
import {limits} from '#shared/model/limits.ts'

/** What is looked at of a Lambda function URL event (payload format 2.0). */
const eventSchema = z.object({
  requestContext: z.object({http: z.object({method: z.string()})}),
  headers: z.record(z.string(), z.string()).default({}),
  body: z.string().optional(),
  isBase64Encoded: z.boolean().default(false),
})

/** A request with its body as the bytes that were sent. Header names are in lower case. */
export interface WebhookRequest {
  method: string
  headers: Record<string, string>
  body: Uint8Array
}

/** Reads a function URL event; `'too-large'` is told before the body is decoded. */
export function readRequest(event: unknown): WebhookRequest | 'malformed' | 'too-large' {
  const parsed = eventSchema.safeParse(event)
  if (!parsed.success) return 'malformed'
  const {requestContext, headers, body = '', isBase64Encoded} = parsed.data
  if (body.length > (isBase64Encoded ? encodedLength(limits.maxWebhookBytes) : limits.maxWebhookBytes))
    return 'too-large'
  const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8')
  if (bytes.byteLength > limits.maxWebhookBytes) return 'too-large'
  const lowerCase = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])
  return {method: requestContext.http.method.toUpperCase(), headers: Object.fromEntries(lowerCase), body: bytes}
}

function encodedLength(bytes: number): number {
  return Math.ceil(bytes / 3) * 4
}
