import {randomBytes} from 'node:crypto'
import * as z from 'zod'
import {timeSchema} from './names.ts'

/** The stages that a push passes, in order. */
export const STAGES = [
  'pushed',
  'received',
  'rendered',
  'signed',
  'published',
  'pulled',
  'verified',
  'applied',
  'healthy',
] as const
export type Stage = (typeof STAGES)[number]

/**
 * Where a change has been and when: a W3C `traceparent` (Trace Context, section 3.2) and the time of each stage passed so far
 * (RFC 3339, UTC, milliseconds). Travels in every message and document.
 */
export const traceSchema = z.object({
  traceparent: z.string().regex(/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/),
  stages: z.partialRecord(z.enum(STAGES), timeSchema),
})
export type Trace = z.infer<typeof traceSchema>

/** Begins a trace with fresh ids. */
export function startTrace(stages: Trace['stages'] = {}): Trace {
  return {traceparent: `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`, stages}
}

/** A copy of the trace with one more stage passed. */
export function passStage(trace: Trace, stage: Stage, at: Date): Trace {
  return {...trace, stages: {...trace.stages, [stage]: at.toISOString()}}
}
