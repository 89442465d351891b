import * as z from 'zod'
import {API_VERSION} from './api-version.ts'
import {allowSchema} from './app.ts'
import {declarationSchema, presentAppSchema} from './desired-state.ts'
import {appNameSchema, clusterNameSchema, commitSchema, refSchema} from './names.ts'
import {traceSchema} from './trace.ts'

/**
 * All that one declaration wants in one cluster, at one commit: what render sends to the publish queue. It is a statement of
 * the whole, not a delta: an app of this declaration that is in the cluster's desired state and not in `apps` was removed.
 * Publish drops the request where any of `heads` is no longer the head of its ref, so late and repeated requests are harmless.
 */
export const publishRequestSchema = z
  .object({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal('PublishRequest'),
    cluster: clusterNameSchema,
    declaredIn: declarationSchema,
    /** The commit that drawbridge.yaml was read from. */
    commit: commitSchema,
    /** Every ref that went into this render, with the commit it had. */
    heads: z.array(z.object({repository: z.string().min(1), ref: refSchema, commit: commitSchema})).min(1),
    apps: z.array(
      z.discriminatedUnion('outcome', [
        /** Rendered, or unchanged since the desired state that render saw. */
        z.object({outcome: z.literal('ready'), app: presentAppSchema, allow: allowSchema.optional()}),
        /** Did not render: publish keeps what the cluster has. */
        z.object({outcome: z.literal('failed'), name: appNameSchema}),
      ]),
    ),
    trace: traceSchema,
  })
  // What is not declared is removed, so the declaration's own commit is the first that must still be a head.
  .refine(
    ({declaredIn, commit, heads}) =>
      heads.some(
        (head) => head.repository === declaredIn.repository && head.ref === declaredIn.ref && head.commit === commit,
      ),
    {path: ['heads'], message: 'must hold the commit that the declaration was read from'},
  )
export type PublishRequest = z.infer<typeof publishRequestSchema>

/** Asks publish to sign a cluster's desired state anew because it nears its expiry; nothing else changes. */
export const refreshRequestSchema = z.object({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('RefreshRequest'),
  cluster: clusterNameSchema,
  trace: traceSchema,
})
export type RefreshRequest = z.infer<typeof refreshRequestSchema>
