import {memoizeAsync} from '#shared/async/memoize-async.ts'
import {createAwsClients} from '#shared/aws/aws-clients.ts'
import {createS3ObjectStore} from '#shared/aws/s3-object-store.ts'
import {createSecrets, createSecretsClient} from '#shared/aws/secrets.ts'
import {createSqsSender} from '#shared/aws/sqs-sender.ts'
import {readGitTokens} from '#shared/config/git-settings.ts'
import {createCommitStatuses} from '#shared/git-hosts/create-commit-statuses.ts'
import {createLogJournal} from '#shared/journal/log-journal.ts'
import {systemClock} from '#shared/ports/clock.ts'
import {loadStatusConfig} from './config.ts'
import {createStatusHandler} from './create-handler.ts'

type Handler = ReturnType<typeof createStatusHandler>

const writeLine = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

const build = memoizeAsync(async (): Promise<Handler> => {
  const config = loadStatusConfig(process.env)
  const {s3, sqs} = createAwsClients(config.endpoints)
  const secrets = memoizeAsync(async () => createSecrets({client: createSecretsClient()}))
  const tokens = await readGitTokens(config.git, async (arn) => (await secrets()).read(arn))
  return createStatusHandler(
    {
      store: createS3ObjectStore({client: s3, bucket: config.bucket}),
      commitStatuses: createCommitStatuses({clock: systemClock, tokens}),
      metrics: writeLine,
      deadLetters: createSqsSender({client: sqs, queueUrl: config.deadLetterQueueUrl}),
      clock: systemClock,
      journal: createLogJournal(writeLine),
    },
    {outcomeQueueArn: config.outcomeQueueArn},
  )
})

/** The Lambda entry point, behind the status queue and the outcome queue. */
export const handler: Handler = async (event) => (await build())(event)
