import * as z from 'zod'
import {gitVariables, toGitSettings} from '#shared/config/git-settings.ts'
import {type Env, parseEnv} from '#shared/config/parse-env.ts'

const envSchema = z
  .object({
    BUCKET: z.string(),
    OUTCOME_QUEUE_ARN: z.string(),
    DEAD_LETTER_QUEUE_URL: z.url(),
    ...gitVariables,
    AWS_ENDPOINT_URL_S3: z.url().optional(),
    AWS_ENDPOINT_URL_SQS: z.url().optional(),
  })
  .transform((env) => ({
    bucket: env.BUCKET,
    outcomeQueueArn: env.OUTCOME_QUEUE_ARN,
    deadLetterQueueUrl: env.DEAD_LETTER_QUEUE_URL,
    git: toGitSettings(env),
    endpoints: {
      ...(env.AWS_ENDPOINT_URL_S3 !== undefined && {s3Endpoint: env.AWS_ENDPOINT_URL_S3}),
      ...(env.AWS_ENDPOINT_URL_SQS !== undefined && {sqsEndpoint: env.AWS_ENDPOINT_URL_SQS}),
    },
  }))

/** The settings of the deployed status function. */
export type StatusEnv = z.infer<typeof envSchema>

/** Reads the settings from the environment. Throws `ConfigError` with every problem. */
export function loadStatusConfig(env: Env): StatusEnv {
  return parseEnv(envSchema, env)
}
