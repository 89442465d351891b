import * as z from 'zod'
import {gitVariables, toGitSettings} from '#shared/config/git-settings.ts'
import {jsonOf} from '#shared/config/json-variable.ts'
import {type Env, parseEnv} from '#shared/config/parse-env.ts'
import {trackedRepositoriesSchema} from '#shared/model/tracked-repository.ts'

const envSchema = z
  .object({
    BUCKET: z.string(),
    PUBLISH_QUEUE_URL: z.url(),
    RENDER_QUEUE_URL: z.url(),
    TIME_BUDGET_SECONDS: z.coerce.number().int().min(1).max(840).optional(),
    OUTCOME_QUEUE_URL: z.url(),
    DEAD_LETTER_QUEUE_URL: z.url(),
    REPOSITORIES: jsonOf(trackedRepositoriesSchema, 'a JSON list of {"url", "ref"?, "policy"?}'),
    ...gitVariables,
    AWS_ENDPOINT_URL_S3: z.url().optional(),
    AWS_ENDPOINT_URL_SQS: z.url().optional(),
  })
  .transform((env) => ({
    bucket: env.BUCKET,
    publishQueueUrl: env.PUBLISH_QUEUE_URL,
    renderQueueUrl: env.RENDER_QUEUE_URL,
    timeBudgetSeconds: env.TIME_BUDGET_SECONDS,
    outcomeQueueUrl: env.OUTCOME_QUEUE_URL,
    deadLetterQueueUrl: env.DEAD_LETTER_QUEUE_URL,
    repositories: env.REPOSITORIES,
    git: toGitSettings(env),
    endpoints: {
      ...(env.AWS_ENDPOINT_URL_S3 !== undefined && {s3Endpoint: env.AWS_ENDPOINT_URL_S3}),
      ...(env.AWS_ENDPOINT_URL_SQS !== undefined && {sqsEndpoint: env.AWS_ENDPOINT_URL_SQS}),
    },
  }))

/** The settings of the deployed render function. */
export type RenderEnv = z.infer<typeof envSchema>

/** Reads the settings from the environment. Throws `ConfigError` with every problem. */
export function loadRenderConfig(env: Env): RenderEnv {
  return parseEnv(envSchema, env)
}
