import * as z from 'zod'
import {networkSchema, repositoryPrefixSchema} from '#shared/config/git-settings.ts'
import {clusterNameSchema, namespaceSchema} from '#shared/model/names.ts'
import {trackedRepositoriesSchema} from '#shared/model/tracked-repository.ts'
import {BridgeConfigError} from './bridge-config-error.ts'

const serviceAccount = {
  /** @default 'drawbridge-system' */
  namespace: namespaceSchema.default('drawbridge-system'),
  /** @default 'drawbridge-agent' */
  serviceAccount: z.string().min(1).max(253).default('drawbridge-agent'),
}

const identitySchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('pod-identity'),
    /** Name of the EKS cluster, which is then associated with the role. @default any EKS cluster of this account; associate it yourself */
    eksCluster: z.string().min(1).max(100).optional(),
    ...serviceAccount,
  }),
  z.strictObject({
    kind: z.literal('irsa'),
    /** ARN of the IAM OIDC provider of the cluster. */
    providerArn: z
      .string()
      .regex(/^arn:[^:]+:iam::\d{12}:oidc-provider\/.+$/, 'must be the ARN of an IAM OIDC provider'),
    ...serviceAccount,
  }),
  z.strictObject({
    kind: z.literal('principal'),
    /** ARN of the IAM role or user that may assume the cluster's role: for clusters outside EKS. */
    arn: z.string().regex(/^arn:[^:]+:iam::\d{12}:(role|user)\/.+$/, 'must be the ARN of an IAM role or user'),
  }),
])

/** How the agent of a cluster proves to AWS who it is. */
export type ClusterIdentity = z.infer<typeof identitySchema>

const clusterSchema = z.strictObject({
  name: clusterNameSchema,
  identity: identitySchema.prefault({kind: 'pod-identity'}),
})

const secretName = z
  .string()
  .regex(/^[\w/+=.@:-]{1,2048}$/, 'must be the name or the ARN of a secret in AWS Secrets Manager')

/** Lambda takes 4 KiB of environment, all variables together. */
const MAX_REPOSITORIES_LENGTH = 2800

const bridgeConfigSchema = z
  .strictObject({
    /** Name of the CloudFormation stack; those of the clusters begin with it. @default 'Drawbridge' */
    stackName: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9-]{0,39}$/, 'must be letters, digits and "-" (at most 40 characters)')
      .default('Drawbridge'),
    /** Repositories to track, and what each may name; the sweep looks at each of them. */
    repositories: trackedRepositoriesSchema,
    /** @default none */
    clusters: z.array(clusterSchema).default([]),
    /** Secrets Manager secret with the webhook's secrets, by name or ARN. @default a generated one */
    webhookSecret: secretName.optional(),
    /**
     * Secrets Manager secret with a git host token, by name or ARN: for all repositories on github.com of the owners of those tracked.
     * @default none: public repositories, no commit statuses
     */
    gitTokenSecret: secretName.optional(),
    /** Tokens for the repositories whose URLs begin with a prefix; the longest counts. @default none but gitTokenSecret */
    gitTokens: z.array(z.strictObject({prefix: repositoryPrefixSchema, secret: secretName})).default([]),
    /** IP networks beside the public ones that sources may be fetched from, as CIDRs. @default none */
    gitPrivateNetworks: z.array(networkSchema).default([]),
    /** SNS topic that alarms are sent to. @default none */
    alarmTopicArn: z
      .string()
      .regex(/^arn:[^:]+:sns:[^:]+:\d{12}:.+$/, 'must be the ARN of an SNS topic')
      .optional(),
    /** How often every tracked ref is looked at, in minutes (1-1440). @default 10 */
    sweepMinutes: z.int().min(1).max(1440).default(10),
    /** How long a desired state is valid, in seconds (1 hour - 90 days). @default the publish function's own, 7 days */
    desiredTtlSeconds: z.int().min(3600).max(7_776_000).optional(),
    /** Concurrent executions kept for the webhook, and its most; 0 reserves none. @default 10 */
    webhookConcurrency: z.int().min(0).max(1000).default(10),
  })
  .superRefine(({stackName, clusters, repositories}, ctx) => {
    const {length} = JSON.stringify(repositories)
    if (length > MAX_REPOSITORIES_LENGTH) {
      ctx.addIssue({
        code: 'custom',
        path: ['repositories'],
        message: `takes ${length} characters as JSON, and a function's environment has room for ${MAX_REPOSITORIES_LENGTH}; use patterns, or another bridge`,
      })
    }
    for (const [index, {name}] of clusters.entries()) {
      if (clusters.findIndex((cluster) => cluster.name === name) < index) {
        ctx.addIssue({code: 'custom', path: ['clusters', index, 'name'], message: `names "${name}" a second time`})
      }
      const queue = `${clusterQueuePrefix(stackName)}${name}`
      if (queue.length > 80) {
        ctx.addIssue({
          code: 'custom',
          path: ['clusters', index, 'name'],
          message: `makes the queue name "${queue}" of ${queue.length} characters, and SQS takes at most 80; shorten it or stackName`,
        })
      }
    }
  })

/** All that can be chosen when the bridge is deployed. Defaults are filled in. */
export type BridgeConfig = z.infer<typeof bridgeConfigSchema>

/** Reads the configuration of a deployment. Throws `BridgeConfigError` INVALID, which lists every problem at once. */
export function parseBridgeConfig(input: unknown, where: string): BridgeConfig {
  const parsed = bridgeConfigSchema.safeParse(input)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map((issue) => {
    const got = 'input' in issue && typeof issue.input !== 'object' ? ` (got ${JSON.stringify(issue.input)})` : ''
    return `${issue.path.join('.') || 'the whole'}: ${issue.message}${got}`
  })
  throw new BridgeConfigError('INVALID', `the configuration in ${where} is not usable:\n  ${problems.join('\n  ')}`, {
    where,
    problems,
  })
}

/** The names of all queues of clusters begin with this; no generated name does. */
export function clusterQueuePrefix(stackName: string): string {
  return `${stackName}-cluster-`
}
