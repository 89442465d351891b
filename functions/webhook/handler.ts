import {createAwsClients} from '#shared/aws/aws-clients.ts'
import {createSecrets, createSecretsClient} from '#shared/aws/secrets.ts'
import {createSqsSender} from '#shared/aws/sqs-sender.ts'
import {createLogJournal} from '#shared/journal/log-journal.ts'
import {systemClock} from '#shared/ports/clock.ts'
import type {Answer} from './answer.ts'
import {loadWebhookConfig, parseWebhookSecrets} from './config.ts'
import {createWebhookHandler} from './create-handler.ts'

type Handler = (event: unknown) => Promise<Answer>

/** How long a rotated secret may take to be noticed. */
const SECRETS_TTL_MILLISECONDS = 300_000

const build = memoizeForAWhile(async (): Promise<Handler> => {
  const config = loadWebhookConfig(process.env)
  const {sqs} = createAwsClients(config.sqsEndpoint === undefined ? {} : {sqsEndpoint: config.sqsEndpoint})
  const secrets = parseWebhookSecrets(await createSecrets({client: createSecretsClient()}).read(config.secretArn))
  const ports = {
    renderQueue: createSqsSender({client: sqs, queueUrl: config.renderQueueUrl}),
    clock: systemClock,
    journal: createLogJournal((line) => process.stdout.write(`${line}\n`)),
  }
  return createWebhookHandler(ports, {secrets})
})

/** The Lambda entry point, behind a function URL. */
export const handler: Handler = async (event) => (await build())(event)

function memoizeForAWhile<T>(make: () => Promise<T>): () => Promise<T> {
  let made: {at: number; value: Promise<T>} | undefined
  return () => {
    const now = Date.now()
    if (made === undefined || now - made.at > SECRETS_TTL_MILLISECONDS) {
      const value = make().catch((error: unknown) => {
        made = undefined
        throw error
      })
      made = {at: now, value}
    }
    return made.value
  }
}
