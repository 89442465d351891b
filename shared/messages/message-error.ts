import type * as z from 'zod'
import {DrawbridgeError} from '../model/drawbridge-error.ts'

/** Why a message can never be processed, however often it is delivered. */
export class MessageError extends DrawbridgeError<'MALFORMED' | 'UNKNOWN_KIND'> {}

/** Reads a message by its schema. Throws `MessageError` MALFORMED that names the first field that is wrong. */
export function parseMessage<Output>(schema: z.ZodType<Output>, body: unknown): Output {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new MessageError(
    'MALFORMED',
    `the message is not valid: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trimEnd(),
  )
}

/** The `kind` of a message; undefined where it has none. */
export function kindOf(body: unknown): string | undefined {
  return typeof body === 'object' && body !== null && 'kind' in body && typeof body.kind === 'string'
    ? body.kind
    : undefined
}
