import * as z from 'zod'
import {gitVariables, toGitSettings} from '#shared/config/git-settings.ts'
import {jsonOf} from '#shared/config/json-variable.ts'
import {type Env, parseEnv} from '#shared/config/parse-env.ts'
import {trackedRepositoriesSchema} from '#shared/model/tracked-repository.ts'

const envSchema = z
  .object({
    BUCKET: z.string(),
    SIGNING_KEY_ARN: z.string(),
    CLUSTER_QUEUE_PREFIX: z.string(),
    STATUS_QUEUE_URL: z.url(),
    OUTCOME_QUEUE_URL: z.url(),
    DEAD_LETTER_QUEUE_URL: z.url(),
    REPOSITORIES: jsonOf(trackedRepositoriesSchema, 'a JSON list of {"url", "ref"?, "policy"?}'),
    DESIRED_TTL_SECONDS: z.coerce.number().int().min(3_600).max(31_536_000).optional(),
    ...gitVariables,
    AWS_ENDPOINT_URL_S3: z.url().optional(),
    AWS_ENDPOINT_URL_SQS: z.url().optional(),
  })
  .transform((env) => ({
    bucket: env.BUCKET,
    signingKeyArn: env.SIGNING_KEY_ARN,
    clusterQueuePrefix: env.CLUSTER_QUEUE_PREFIX,
    statusQueueUrl: env.STATUS_QUEUE_URL,
    outcomeQueueUrl: env.OUTCOME_QUEUE_URL,
    deadLetterQueueUrl: env.DEAD_LETTER_QUEUE_URL,
    git: toGitSettings(env),
    publish: {
      repositories: env.REPOSITORIES,
      ...(env.DESIRED_TTL_SECONDS !== undefined && {desiredTtlSeconds: env.DESIRED_TTL_SECONDS}),
    },
    endpoints: {
      ...(env.AWS_ENDPOINT_URL_S3 !== undefined && {s3Endpoint: env.AWS_ENDPOINT_URL_S3}),
      ...(env.AWS_ENDPOINT_URL_SQS !== undefined && {sqsEndpoint: env.AWS_ENDPOINT_URL_SQS}),
    },
  }))

/** The settings of the deployed publish function. */
export type PublishEnv = z.infer<typeof envSchema>

/** Reads the settings from the environment; DESIRED_TTL_SECONDS is 3,600 to 31,536,000. Throws `ConfigError` with every problem. */
export function loadPublishConfig(env: Env): PublishEnv {
  return parseEnv(envSchema, env)
}
