import * as z from 'zod'
import {appNameSchema} from './names.ts'

/** Another app of the same cluster that must be ready first. */
export const dependencySchema = z.strictObject({
  name: appNameSchema.describe('An App that runs in the same cluster'),
  readyExpr: z
    .string()
    .min(1)
    .max(4_096)
    .optional()
    .describe(
      'CEL over `app` and `dep` that must hold too; each has name, revision, ready, reason, message and health',
    ),
})
export type Dependency = z.infer<typeof dependencySchema>

/** How many objects a prune may delete without being asked. */
export const pruneLimitSchema = z.strictObject({
  objects: z.int().nonnegative().optional().describe('At most as many objects in one prune'),
  percent: z.number().min(0).max(100).optional().describe("At most this share of the app's objects in one prune"),
})
export type PruneLimit = z.infer<typeof pruneLimitSchema>

export const deletionPolicySchema = z.enum(['Delete', 'WaitForTermination', 'Orphan'])
export type DeletionPolicy = z.infer<typeof deletionPolicySchema>

export const propagationSchema = z.enum(['Background', 'Foreground', 'Orphan'])
export type Propagation = z.infer<typeof propagationSchema>

export const preflightSchema = z.enum(['auto', 'always', 'never'])

const texts = z.record(z.string().min(1), z.string())

/** What a namespace gets that the agent creates for an app. */
export const namespaceMetadataSchema = z.strictObject({labels: texts.optional(), annotations: texts.optional()})
export type NamespaceMetadata = z.infer<typeof namespaceMetadataSchema>
