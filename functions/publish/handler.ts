import {tmpdir} from 'node:os'
import {memoizeAsync} from '#shared/async/memoize-async.ts'
import {createTrustRoot} from '#shared/attest/trust-root.ts'
import {createAwsClients} from '#shared/aws/aws-clients.ts'
import {createKmsClient, createKmsSigner} from '#shared/aws/kms-signer.ts'
import {createS3ObjectStore} from '#shared/aws/s3-object-store.ts'
import {createSecrets, createSecretsClient} from '#shared/aws/secrets.ts'
import {createSqsClusterQueues} from '#shared/aws/sqs-cluster-queues.ts'
import {createSqsSender} from '#shared/aws/sqs-sender.ts'
import {readGitTokens} from '#shared/config/git-settings.ts'
import {createGitSource} from '#shared/git/create-git-source.ts'
import {createLogJournal} from '#shared/journal/log-journal.ts'
import {systemClock} from '#shared/ports/clock.ts'
import {loadPublishConfig} from './config.ts'
import {createPublishHandler} from './create-handler.ts'

type Handler = ReturnType<typeof createPublishHandler>

const build = memoizeAsync(async (): Promise<Handler> => {
  const config = loadPublishConfig(process.env)
  const {s3, sqs} = createAwsClients(config.endpoints)
  const secrets = memoizeAsync(async () => createSecrets({client: createSecretsClient()}))
  const tokens = await readGitTokens(config.git, async (arn) => (await secrets()).read(arn))
  const signer = createKmsSigner({client: createKmsClient(), keyArn: config.signingKeyArn})
  const sendTo = (queueUrl: string) => createSqsSender({client: sqs, queueUrl})
  return createPublishHandler(
    {
      store: createS3ObjectStore({client: s3, bucket: config.bucket}),
      git: createGitSource({
        cacheDir: tmpdir(),
        clock: systemClock,
        tokens,
        privateNetworks: config.git.privateNetworks,
      }),
      signer,
      trustRoot: memoizeAsync(async () => createTrustRoot(await signer.publicKeyPem())),
      clusters: createSqsClusterQueues({client: sqs, prefix: config.clusterQueuePrefix}),
      statusQueue: sendTo(config.statusQueueUrl),
      outcomes: sendTo(config.outcomeQueueUrl),
      deadLetters: sendTo(config.deadLetterQueueUrl),
      clock: systemClock,
      journal: createLogJournal((line) => process.stdout.write(`${line}\n`)),
    },
    config.publish,
  )
})

/** The Lambda entry point, behind the publish queue. */
export const handler: Handler = async (event) => (await build())(event)
