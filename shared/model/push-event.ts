import * as z from 'zod'
import {API_VERSION} from './api-version.ts'
import {commitSchema, refSchema} from './names.ts'
import {traceSchema} from './trace.ts'

/**
 * A push, whatever git host it came from: what webhook sends to the render queue. A hint, never an authority: the render
 * function resolves the ref itself.
 */
export const pushEventSchema = z.object({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('PushEvent'),
  provider: z.enum(['github']),
  delivery: z.string().max(256),
  /** The URL to clone, as the tracked repositories name it. */
  repository: z.string().min(1).max(2048),
  ref: refSchema,
  /** The commit before and after; absent for a created or deleted ref. */
  before: commitSchema.optional(),
  after: commitSchema.optional(),
  trace: traceSchema,
})
export type PushEvent = z.infer<typeof pushEventSchema>

/** The scheduled look at every tracked ref, which finds what a lost webhook or message left undone. */
export const sweepSchema = z.object({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('Sweep'),
  trace: traceSchema,
})
export type Sweep = z.infer<typeof sweepSchema>
