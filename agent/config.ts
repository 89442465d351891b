import * as z from 'zod'
import {DrawbridgeError} from '#shared/model/drawbridge-error.ts'
import {clusterNameSchema, namespaceSchema} from '#shared/model/names.ts'

/** The environment does not say what the agent needs to know. */
export class AgentConfigError extends DrawbridgeError<'INVALID_ENVIRONMENT'> {}

const seconds = (fallback: number, most: number) => z.coerce.number().int().min(1).max(most).default(fallback)
const environmentSchema = z.object({
  CLUSTER_NAME: clusterNameSchema,
  BUCKET: z.string().min(1),
  QUEUE_URL: z.url(),
  STATUS_QUEUE_URL: z.url(),
  TRUST_ROOT_FILE: z.string().min(1),
  AGENT_NAMESPACE: namespaceSchema.default('drawbridge-system'),
  POLL_INTERVAL_SECONDS: seconds(60, 3_600),
  VERIFY_INTERVAL_SECONDS: seconds(3_600, 604_800),
  LEASE_SECONDS: seconds(15, 300),
  KUBECONFIG: z.string().min(1).optional(),
  KUBERNETES_SERVICE_HOST: z.string().min(1).optional(),
  KUBERNETES_SERVICE_PORT: z.string().min(1).optional(),
  METRICS_PORT: z.coerce.number().int().min(0).max(65_535).default(8_080),
  METRICS_HOST: z.string().min(1).optional(),
  CACHE_DIR: z.string().min(1).optional(),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
})

/** What the agent's parts need to know. */
export interface AgentConfig {
  cluster: string
  /** Where its own ConfigMaps and its Lease are. */
  namespace: string
  pollIntervalSeconds: number
  /** Every object is compared with a dry run once in this time, spread over it. */
  verifyIntervalSeconds: number
  /** How long a Lease that is not renewed holds. */
  leaseSeconds: number
}

/** What only the edge needs: where things are. */
export interface AgentEnvironment {
  config: AgentConfig
  bucket: string
  queueUrl: string
  statusQueueUrl: string
  trustRootFile: string
  kubernetes: {kubeconfig: string} | {host: string; port: string}
  /** Where /metrics, /healthz and /readyz are served, at every address where no host is named; undefined for nowhere. */
  endpoints: {host: string | undefined; port: number} | undefined
  /** Where copies of bundles are kept for a time without the object store; undefined for nowhere. */
  cacheFolder: string | undefined
  logLevel: z.infer<typeof environmentSchema>['LOG_LEVEL']
}

/** Reads the environment. Throws `AgentConfigError` that lists every problem at once. */
export function loadAgentEnvironment(env: Record<string, string | undefined>): AgentEnvironment {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
  const parsed = environmentSchema.safeParse(given)
  const problems = parsed.success ? [] : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
  if (given.KUBECONFIG === undefined && given.KUBERNETES_SERVICE_HOST === undefined) {
    problems.push('KUBECONFIG: name a kubeconfig, since this is not a pod of a cluster')
  }
  if (!parsed.success || problems.length > 0) {
    throw new AgentConfigError('INVALID_ENVIRONMENT', `the agent cannot start:\n  ${problems.join('\n  ')}`)
  }
  const values = parsed.data
  return {
    config: {
      cluster: values.CLUSTER_NAME,
      namespace: values.AGENT_NAMESPACE,
      pollIntervalSeconds: values.POLL_INTERVAL_SECONDS,
      verifyIntervalSeconds: values.VERIFY_INTERVAL_SECONDS,
      leaseSeconds: values.LEASE_SECONDS,
    },
    bucket: values.BUCKET,
    queueUrl: values.QUEUE_URL,
    statusQueueUrl: values.STATUS_QUEUE_URL,
    trustRootFile: values.TRUST_ROOT_FILE,
    kubernetes:
      values.KUBECONFIG === undefined
        ? {host: values.KUBERNETES_SERVICE_HOST ?? '', port: values.KUBERNETES_SERVICE_PORT ?? '443'}
        : {kubeconfig: values.KUBECONFIG},
    // Only a pod's addresses, IPv4 or IPv6, are another's to reach unless told otherwise.
    endpoints:
      values.METRICS_PORT === 0
        ? undefined
        : {
            host: values.METRICS_HOST ?? (values.KUBECONFIG === undefined ? undefined : '127.0.0.1'),
            port: values.METRICS_PORT,
          },
    cacheFolder: values.CACHE_DIR,
    logLevel: values.LOG_LEVEL,
  }
}
