import * as z from 'zod'
import {API_VERSION} from './api-version.ts'
import {allowSchema} from './app.ts'
import {declarationSchema, presentAppSchema} from './desired-state.ts'
import {isInRange, type NameRange, nameRangeSchema} from './name-range.ts'
import {appNameSchema, clusterNameSchema, commitSchema, refSchema} from './names.ts'
import {tolerantList} from './tolerant-list.ts'
import {traceSchema} from './trace.ts'

const readySchema = z.object({outcome: z.literal('ready'), app: presentAppSchema, allow: allowSchema.optional()})
const failedSchema = z.object({
  outcome: z.literal('failed'),
  name: appNameSchema,
  /** What publish itself does not understand of an app that was rendered by another version. */
  problem: z.string().optional(),
})

type Entry = z.infer<typeof readySchema> | z.infer<typeof failedSchema>
const entrySchema: z.ZodType<Entry> = z.discriminatedUnion('outcome', [
  /** Rendered, or unchanged since the desired state that render saw. */
  readySchema,
  /** Did not render: publish keeps what the cluster has. */
  failedSchema,
])

const namedSchema = z.object({app: z.object({name: appNameSchema})})

function rescueEntry(value: unknown, problem: string): Entry | undefined {
  const named = namedSchema.safeParse(value)
  return named.success ? {outcome: 'failed', name: named.data.app.name, problem} : undefined
}

const statementSchema = z.object({
  apiVersion: z.literal(API_VERSION),
  cluster: clusterNameSchema,
  declaredIn: declarationSchema,
  /** The commit that drawbridge.yaml was read from. */
  commit: commitSchema,
  /** Every ref that went into this render, with the commit it had. */
  heads: z.array(z.object({repository: z.string().min(1), ref: refSchema, commit: commitSchema})).min(1),
  apps: tolerantList(entrySchema, rescueEntry),
  trace: traceSchema,
})

// What is not declared is removed, so the declaration's own commit is the first that must still be a head.
function namesItsOwnHead({declaredIn, commit, heads}: z.infer<typeof statementSchema>): boolean {
  const {repository, ref} = declaredIn
  return heads.some((head) => head.repository === repository && head.ref === ref && head.commit === commit)
}

const noOwnHead = {path: ['heads'], message: 'must hold the commit that the declaration was read from'}

/**
 * All that one declaration wants in one cluster, at one commit: what an older render sends to the publish queue. It is a statement
 * of the whole, not a delta: an app of this declaration that is in the cluster's desired state and not in `apps` was removed.
 * Publish drops the request where any of `heads` is no longer the head of its ref, so late and repeated requests are harmless.
 */
export const publishRequestSchema = statementSchema
  .extend({kind: z.literal('PublishRequest')})
  .refine(namesItsOwnHead, noOwnHead)
export type PublishRequest = z.infer<typeof publishRequestSchema>

/**
 * The same about the apps of one range of names: a statement of the whole of that range, which says nothing of any name outside.
 * Ranges of one declaration may come in any order and number, and may be cut anew each time.
 */
export const publishRangeSchema = statementSchema
  .extend({kind: z.literal('PublishRange'), range: nameRangeSchema})
  .refine(namesItsOwnHead, noOwnHead)
  .refine(({apps, range}) => apps.every((entry) => isInRange(nameOfEntry(entry), range)), {
    path: ['apps'],
    message: 'must be within the range',
  })
export type PublishRange = z.infer<typeof publishRangeSchema>

/** What publish takes: the whole of a declaration in a cluster, or of a range of its names. */
export type PublishStatement = PublishRequest | PublishRange

/** The range of names that a statement is about; undefined: every name. */
export function rangeOf(statement: PublishStatement): NameRange | undefined {
  return statement.kind === 'PublishRange' ? statement.range : undefined
}

/** The name of the app that an entry of a statement is about. */
export function nameOfEntry(entry: z.infer<typeof statementSchema>['apps'][number]): string {
  return entry.outcome === 'ready' ? entry.app.name : entry.name
}

/** Asks publish to sign a cluster's desired state anew because it nears its expiry; nothing else changes. */
export const refreshRequestSchema = z.object({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('RefreshRequest'),
  cluster: clusterNameSchema,
  trace: traceSchema,
})
export type RefreshRequest = z.infer<typeof refreshRequestSchema>
