import {memoizeAsync} from '#shared/async/memoize-async.ts'
import {createSecrets, createSecretsClient} from '#shared/aws/secrets.ts'
import {createSqsClient} from '#shared/aws/sqs-client.ts'
import {createSqsSender} from '#shared/aws/sqs-sender.ts'
import {createLogJournal} from '#shared/journal/log-journal.ts'
import {systemClock} from '#shared/ports/clock.ts'
import type {Answer} from './answer.ts'
import {loadWebhookConfig, parseWebhookSecrets} from './config.ts'
import {createWebhookHandler} from './create-handler.ts'

type Handler = (event: unknown) => Promise<Answer>

/** How long a rotated secret may take to be noticed. */
const SECRETS_TTL_MILLISECONDS = 300_000

const findAdapters = memoizeAsync(async () => {
  const config = loadWebhookConfig(process.env)
  const sqs = createSqsClient(config.sqsEndpoint === undefined ? {} : {endpoint: config.sqsEndpoint})
  return {
    secrets: createSecrets({client: createSecretsClient()}),
    secretArn: config.secretArn,
    ports: {
      renderQueue: createSqsSender({client: sqs, queueUrl: config.renderQueueUrl}),
      clock: systemClock,
      journal: createLogJournal((line) => process.stdout.write(`${line}\n`)),
    },
  }
})

const build = memoizeAsync(
  async (): Promise<Handler> => {
    const {secrets, secretArn, ports} = await findAdapters()
    return createWebhookHandler(ports, {secrets: parseWebhookSecrets(await secrets.read(secretArn))})
  },
  {ttlMilliseconds: SECRETS_TTL_MILLISECONDS},
)

/** The Lambda entry point, behind a function URL. */
export const handler: Handler = async (event) => (await build())(event)
