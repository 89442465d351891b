import * as z from 'zod'
import {API_VERSION} from './api-version.ts'
import {declarationSchema} from './desired-state.ts'
import {nameBoundSchema} from './name-range.ts'
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

/**
 * The rest of a declaration that was not rendered within one run: what render sends to its own queue. A hint as well: where the
 * declaration is not at `commit` any more, the push that moved it, or the sweep, has the whole of it rendered.
 */
export const continueRenderSchema = z.object({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('ContinueRender'),
  declaredIn: declarationSchema,
  commit: commitSchema,
  /** The name of the first app that is left. */
  from: nameBoundSchema,
  trace: traceSchema,
})
export type ContinueRender = z.infer<typeof continueRenderSchema>
