import {z} from 'zod'
import {readTrustRoot} from '#shared/attest/trust-root.ts'
import {describeError} from '#shared/model/drawbridge-error.ts'
import {clusterNameSchema, namespaceSchema} from '#shared/model/names.ts'
import {type AgentInstall, APP_SERVICE_ACCOUNT, INSTALL_PROFILES} from './agent-install.ts'
import {InstallError} from './install-error.ts'
import {RESERVED_ENV} from './install-workload.ts'

const label = '[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?'
const subdomain = `${label}(?:\\.${label})*`
const annotationName = z
  .string()
  .regex(
    new RegExp(`^(?:${subdomain}/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$`),
    'is no name of an annotation',
  )
const envName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'is no name of an environment variable')
  .refine((name) => !RESERVED_ENV.some((reserved) => reserved === name), 'is set by the installation itself')

const schema = z.strictObject({
  profile: z.enum(INSTALL_PROFILES).default('platform'),
  cluster: clusterNameSchema.optional(),
  region: z
    .string()
    .regex(/^[a-z0-9-]+$/, 'is no AWS region')
    .optional(),
  bucket: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'is no name of a bucket')
    .optional(),
  queueUrl: z.url({protocol: /^https?$/, error: 'must be the URL of a queue'}).optional(),
  statusQueueUrl: z.url({protocol: /^https?$/, error: 'must be the URL of a queue'}).optional(),
  trustRoot: z.string().transform(writeTrustRoot).optional(),
  namespace: namespaceSchema.default('drawbridge-system'),
  image: z
    .string()
    .regex(/^[^\s]+$/, 'is no reference of an image')
    .optional(),
  serviceAccountAnnotations: z.record(annotationName, z.string()).default({}),
  impersonate: z
    .array(z.string().regex(new RegExp(`^(?:${label}/)?${subdomain}$`), 'must be NAMESPACE/NAME or NAME'))
    .default([APP_SERVICE_ACCOUNT]),
  watch: z
    .array(
      z
        .string()
        .regex(
          new RegExp(`^(?:[a-z0-9]+(?:\\.${subdomain})?|\\*\\.${subdomain})$`),
          'must be RESOURCE, RESOURCE.GROUP or *.GROUP, as secrets or certificates.cert-manager.io',
        ),
    )
    .default([]),
  metricsFrom: namespaceSchema.optional(),
  apiServerPort: z.coerce.number().int().min(1).max(65_535).default(6443),
  credentialsSecret: z
    .string()
    .regex(new RegExp(`^${subdomain}$`), 'is no name of a Secret')
    .optional(),
  env: z.record(envName, z.string()).default({}),
})

/** What an installation cannot work without. */
export const neededValues = ['cluster', 'region', 'bucket', 'queueUrl', 'statusQueueUrl', 'trustRoot', 'image'] as const
export type NeededValue = (typeof neededValues)[number]

const placeholders: Record<NeededValue, string> = {
  cluster: 'REPLACE-WITH-CLUSTER',
  region: 'REPLACE-WITH-REGION',
  bucket: 'REPLACE-WITH-BUCKET',
  queueUrl: 'REPLACE-WITH-QUEUE-URL',
  statusQueueUrl: 'REPLACE-WITH-STATUS-QUEUE-URL',
  trustRoot: 'REPLACE-WITH-TRUST-ROOT\n',
  image: 'REPLACE-WITH-IMAGE',
}

/**
 * Checks what was given, and fills in defaults, and placeholders for needed values that were not given: an agent refuses to start with
 * any of them. Throws `InstallError` with every problem at once.
 */
export function completeInstall(given: unknown): {install: AgentInstall; missing: NeededValue[]} {
  const parsed = schema.safeParse(given)
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => ({
      path: issue.path.map(String),
      message: issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message,
    }))
    throw new InstallError(problems)
  }
  const {metricsFrom, credentialsSecret, ...values} = parsed.data
  const install: AgentInstall = {
    ...placeholders,
    ...Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)),
    profile: values.profile,
    namespace: values.namespace,
    serviceAccountAnnotations: values.serviceAccountAnnotations,
    impersonate: [...new Set(values.impersonate)],
    watch: [...new Set(values.watch)],
    apiServerPort: values.apiServerPort,
    env: values.env,
    ...(metricsFrom === undefined ? {} : {metricsFrom}),
    ...(credentialsSecret === undefined ? {} : {credentialsSecret}),
  }
  return {install, missing: neededValues.filter((name) => values[name] === undefined)}
}

/** Written anew, so that nothing else that stood in the file goes into a cluster. */
function writeTrustRoot(text: string, context: z.RefinementCtx): string {
  try {
    return `${JSON.stringify(readTrustRoot(text), null, 2)}\n`
  } catch (error) {
    context.addIssue({code: 'custom', message: `is no trust root: ${describeError(error)}`})
    return z.NEVER
  }
}
