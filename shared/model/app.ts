import * as z from 'zod'
import {API_VERSION} from './api-version.ts'
import {describeBadGlob} from './glob.ts'
import {appNameSchema, clusterNameSchema, namespaceSchema} from './names.ts'
import {
  deletionPolicySchema,
  dependencySchema,
  namespaceMetadataSchema,
  preflightSchema,
  propagationSchema,
  pruneLimitSchema,
} from './plan-options.ts'
import {healthCheckExprSchema, ignoreDifferencesSchema, retrySchema} from './sync-options.ts'

const labels = z.record(z.string().min(1), z.string())
const MAX_PATH_PARTS = 256
const relativePath = z
  .string()
  .min(1)
  .max(4_096)
  .refine(
    (path) => !path.startsWith('/') && !path.includes('\\') && !path.includes('\0'),
    'must be a relative path with forward slashes',
  )
  .refine((path) => path.split('/').length <= MAX_PATH_PARTS, `may have ${MAX_PATH_PARTS} parts at most`)

/** The source of an app's manifests. `${cluster.name}` and `${cluster.labels.KEY}` in `path` are replaced per cluster. */
const sourceSchema = z.strictObject({
  repository: z
    .string()
    .min(1)
    .optional()
    .describe('URL of the git repository; the one that holds this file when absent'),
  ref: z.string().min(1).optional().describe('Branch name or full ref; the ref of this file when absent'),
  path: relativePath
    .default('.')
    .describe('Folder from the root of the repository; may contain ${cluster.name} and ${cluster.labels.KEY}'),
})

const helmSchema = z.strictObject({
  releaseName: z.string().min(1).max(53).optional().describe("The app's name when absent"),
  values: z.record(z.string(), z.json()).optional().describe('Inline values; they win over value files'),
  valueFiles: z
    .array(relativePath)
    .max(32)
    .optional()
    .describe("Paths from the app's path, later ones win; may contain ${cluster.name}"),
  includeCrds: z.boolean().default(true),
  skipSchemaValidation: z
    .boolean()
    .optional()
    .describe("Do not check values against the chart's values.schema.json; for a schema that refers to the network"),
  strict: z.boolean().optional().describe('Refuse a chart whose objects hold random values, instead of a warning'),
})

const kustomizeSchema = z.strictObject({})

const pattern = z
  .string()
  .min(1)
  .max(256)
  .superRefine((text, ctx) => {
    const fault = describeBadGlob(text)
    if (fault !== undefined) ctx.addIssue({code: 'custom', message: `${JSON.stringify(text)} is ${fault}`})
  })
const patterns = z.array(pattern).min(1).max(100)

const yamlSchema = z.strictObject({
  recurse: z.boolean().default(true).describe('Read sub-folders too'),
  include: patterns
    .optional()
    .describe('Glob patterns, relative to source.path, of the files to read; all when absent'),
  exclude: patterns
    .optional()
    .describe(
      'Glob patterns, relative to source.path, of files and folders to leave out; one without a slash is about names at any depth, one that ends with a slash about folders',
    ),
})

const syncSchema = z.strictObject({
  prune: z.boolean().default(true).describe('Delete what this app applied and no longer declares'),
  allowEmpty: z.boolean().default(false).describe('Let a render with no object prune everything'),
  drift: z.enum(['heal', 'detect', 'off']).default('heal'),
  timeoutSeconds: z
    .int()
    .min(1)
    .max(86_400)
    .default(300)
    .describe('How long to wait for health before the app is reported as failed'),
  deletionPolicy: deletionPolicySchema
    .default('Delete')
    .describe('What happens to the objects when this App is removed from git'),
  preflight: preflightSchema
    .optional()
    .describe('Dry-run a whole stage before any of it is written; auto (when absent): updates of two objects or more'),
  pruneLimit: pruneLimitSchema.optional().describe('A prune of more than this stops the app until it is approved'),
  prunePropagation: propagationSchema.optional().describe('How dependents are deleted; Background when absent'),
  retry: retrySchema.optional().describe('How often a failed apply is tried again; without end when absent'),
  ignoreDifferences: z.array(ignoreDifferencesSchema).max(100).optional().describe('Fields that others may change'),
  rollback: z
    .boolean()
    .optional()
    .describe('Apply the last healthy bundle again where this one does not become healthy'),
  healthCheckExprs: z.array(healthCheckExprSchema).max(50).optional().describe('Health of further kinds, in CEL'),
})

/** What an app may write to: checked by publish on the bundle. The list itself comes from render. */
export const allowSchema = z.strictObject({
  namespaces: z.array(z.string().min(1)).optional().describe('Namespaces this app may write to; every one when absent'),
  kinds: z
    .array(z.string().min(1))
    .optional()
    .describe('`Kind` or `Kind.group` this app may hold; every kind when absent'),
})

/** `spec` of an App in drawbridge.yaml. Field docs are in the published JSON Schema. */
export const appSpecSchema = z
  .strictObject({
    source: sourceSchema.prefault({}),
    helm: helmSchema.optional(),
    kustomize: kustomizeSchema.optional(),
    yaml: yamlSchema.optional(),
    clusters: z
      .union([z.array(clusterNameSchema).min(1), z.strictObject({matchLabels: labels})])
      .describe('Names of Clusters, or a label selector over them'),
    namespace: namespaceSchema.optional().describe('For namespaced objects that name none'),
    createNamespace: z.boolean().default(false),
    namespaceMetadata: namespaceMetadataSchema
      .optional()
      .describe('Labels and annotations of the namespace that createNamespace makes'),
    dependsOn: z
      .array(dependencySchema)
      .max(100)
      .optional()
      .describe('Apps that must be ready before this one changes'),
    serviceAccount: z
      .string()
      .min(1)
      .optional()
      .describe('`namespace/name`: applied as this ServiceAccount, by impersonation'),
    allow: allowSchema.optional(),
    sync: syncSchema.prefault({}),
  })
  .superRefine((spec, ctx) => {
    const renderers = (['helm', 'kustomize', 'yaml'] as const).filter((key) => spec[key] !== undefined)
    if (renderers.length > 1) {
      ctx.addIssue({
        code: 'custom',
        path: [renderers[1] ?? 'helm'],
        message: `names more than one renderer (${renderers.join(', ')}); keep one, or none to have it detected`,
      })
    }
    if (spec.serviceAccount !== undefined && !/^[a-z0-9][-a-z0-9]*\/[a-z0-9][-.a-z0-9]*$/.test(spec.serviceAccount)) {
      ctx.addIssue({code: 'custom', path: ['serviceAccount'], message: 'must be namespace/name'})
    }
  })

/** A document of kind App in drawbridge.yaml. */
export const appSchema = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('App'),
  metadata: z.strictObject({name: appNameSchema, labels: labels.optional(), annotations: labels.optional()}),
  spec: appSpecSchema,
})
export type App = z.infer<typeof appSchema>

/** A document of kind Cluster in drawbridge.yaml. */
export const clusterSchema = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('Cluster'),
  metadata: z.strictObject({name: clusterNameSchema, labels: labels.optional(), annotations: labels.optional()}),
  spec: z
    .strictObject({
      kubeVersion: z
        .string()
        .regex(/^v?\d+\.\d+(\.\d+)?$/)
        .optional()
        .describe('What charts see as .Capabilities.KubeVersion'),
      apiVersions: z
        .array(z.string().min(1))
        .optional()
        .describe('Further API versions that charts see in .Capabilities'),
    })
    .prefault({}),
})
export type Cluster = z.infer<typeof clusterSchema>
