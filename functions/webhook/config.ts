import * as z from 'zod'
import {ConfigError, type Env, parseEnv} from '#shared/config/parse-env.ts'

const envSchema = z
  .object({
    RENDER_QUEUE_URL: z.url(),
    WEBHOOK_SECRET_ARN: z.string(),
    AWS_ENDPOINT_URL_SQS: z.url().optional(),
  })
  .transform((env) => ({
    renderQueueUrl: env.RENDER_QUEUE_URL,
    secretArn: env.WEBHOOK_SECRET_ARN,
    sqsEndpoint: env.AWS_ENDPOINT_URL_SQS,
  }))

/** The settings of the deployed webhook function. */
export type WebhookEnv = z.infer<typeof envSchema>

/** Reads the settings from the environment. Throws `ConfigError` with every problem. */
export function loadWebhookConfig(env: Env): WebhookEnv {
  return parseEnv(envSchema, env)
}

const secretListSchema = z.array(z.string().min(1)).min(1)

/** Reads the stored secret: a plain string, or a JSON list of strings while one is being rotated. Throws `ConfigError`, without the value. */
export function parseWebhookSecrets(text: string): string[] {
  const trimmed = text.trim()
  if (!trimmed.startsWith('[')) {
    if (trimmed !== '') return [trimmed]
  } else {
    const list = secretListSchema.safeParse(readJson(trimmed))
    if (list.success) return list.data
  }
  throw new ConfigError('INVALID_CONFIG', 'the webhook secret must be a string or a JSON list of strings, none empty')
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
