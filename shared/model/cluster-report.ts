import * as z from 'zod'
import {API_VERSION} from './api-version.ts'
import {digestSchema} from './digest.ts'
import {fieldChangeSchema} from './field-change.ts'
import {appNameSchema, clusterNameSchema, timeSchema} from './names.ts'
import {tolerantList} from './tolerant-list.ts'
import {traceSchema} from './trace.ts'

/** kstatus's words, shown everywhere. */
export const HEALTH = ['Current', 'InProgress', 'Failed', 'Terminating', 'NotFound', 'Unknown'] as const
export const healthSchema = z.enum(HEALTH)
export type Health = z.infer<typeof healthSchema>

/** What may happen to an app in a cluster, as told in reports, history and logs. */
export const APP_EVENTS = [
  'verified',
  'applied',
  'healthy',
  'drifted',
  'healed',
  'pruned',
  'refused',
  'failed',
  'removed',
  'rolledback',
  'suspended',
  'resumed',
] as const
export type AppEvent = (typeof APP_EVENTS)[number]

const objectRefSchema = z.object({group: z.string(), kind: z.string(), namespace: z.string(), name: z.string()})

/** One app as its cluster sees it. Messages hold no Secret value. */
export const appReportSchema = z.object({
  name: z.string(),
  /** The revision that is applied in full; absent before the first. */
  revision: z.string().optional(),
  /** The revision last tried. */
  attemptedRevision: z.string().optional(),
  bundle: digestSchema.optional(),
  source: z.object({repository: z.string(), ref: z.string(), commit: z.string()}).optional(),
  ready: z.enum(['True', 'False', 'Unknown']),
  /** One of Flux's reason words where one fits: ReconciliationSucceeded, Progressing, HealthCheckFailed, … */
  reason: z.string(),
  message: z.string(),
  since: timeSchema,
  /** The publication that failed, while the last healthy bundle runs in its place. */
  rolledBack: z.object({revision: z.string(), reason: z.string(), since: timeSchema}).optional(),
  health: healthSchema,
  objects: z.int().nonnegative(),
  /** What is not Current, with the reason; at most 20, `unhealthyTotal` counts all. */
  unhealthy: z.array(z.object({ref: objectRefSchema, health: healthSchema, reason: z.string()})).max(20),
  unhealthyTotal: z.int().nonnegative(),
  /** What differs from the desired state and is not healed (yet); at most 20, `driftedTotal` counts all. `fields`: the first 10 that differ, from what is there to what should be; without values for Secrets. */
  drifted: z
    .array(
      z.object({
        ref: objectRefSchema,
        what: z.string(),
        manager: z.string().optional(),
        since: timeSchema,
        fields: z.array(fieldChangeSchema).max(10).optional(),
      }),
    )
    .max(20),
  driftedTotal: z.int().nonnegative(),
  /** An annotation in the cluster asks to leave it alone. */
  suspended: z.boolean().optional(),
  trace: traceSchema.optional(),
})
export type AppReport = z.infer<typeof appReportSchema>

const namedSchema = z.object({name: appNameSchema})

function rescueApp(value: unknown, problem: string): AppReport | undefined {
  const named = namedSchema.safeParse(value)
  if (!named.success) return undefined
  return {
    name: named.data.name,
    ready: 'Unknown',
    reason: 'NotUnderstood',
    message: `the agent says what this version does not understand (${problem}); upgrade the older of bridge and agent`,
    since: new Date(0).toISOString(),
    health: 'Unknown',
    objects: 0,
    unhealthy: [],
    unhealthyTotal: 0,
    drifted: [],
    driftedTotal: 0,
  }
}

/** Something that happened, for the history. `id` sorts by time: 13 digits of milliseconds, `-`, 6 digits of a counter. */
export const reportEventSchema = z.object({
  id: z.string().regex(/^\d{13}-\d{6}$/),
  at: timeSchema,
  event: z.enum(APP_EVENTS),
  app: z.string().optional(),
  revision: z.string().optional(),
  object: objectRefSchema.optional(),
  code: z.string().optional(),
  message: z.string().optional(),
  trace: traceSchema.optional(),
})
export type ReportEvent = z.infer<typeof reportEventSchema>

/**
 * What an agent says of its cluster: the whole current state and the last events, written over `clusters/<cluster>/report`.
 * Who wrote it is proven by the key: a cluster's credentials can write its own report and no other.
 */
export const clusterReportSchema = z.object({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('ClusterReport'),
  cluster: clusterNameSchema,
  at: timeSchema,
  agent: z.object({version: z.string(), instance: z.string(), kubernetes: z.string().optional()}),
  desired: z.object({
    /** The version last accepted; 0 before the first. */
    version: z.int().nonnegative(),
    /** `stale`: nothing valid could be had, so what runs is kept as it is. */
    state: z.enum(['current', 'stale', 'none']),
    reason: z.string().optional(),
    since: timeSchema,
  }),
  /** What is said of one app in words of another version leaves the others alone. */
  apps: tolerantList(appReportSchema, rescueApp),
  events: z
    .array(z.unknown())
    .max(500)
    .transform((events) => events.flatMap((event) => reportEventSchema.safeParse(event).data ?? [])),
})
export type ClusterReport = z.infer<typeof clusterReportSchema>

/** The status hint: "look at this cluster's report". A hint, so it is harmless wherever it comes from. */
export const statusHintSchema = z.object({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('StatusHint'),
  cluster: clusterNameSchema,
  trace: traceSchema,
})
export type StatusHint = z.infer<typeof statusHintSchema>
