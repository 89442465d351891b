import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {memoizeAsync} from '#shared/async/memoize-async.ts'
import {createAwsClients} from '#shared/aws/aws-clients.ts'
import {createS3ObjectStore} from '#shared/aws/s3-object-store.ts'
import {createSecrets, createSecretsClient} from '#shared/aws/secrets.ts'
import {createSqsSender} from '#shared/aws/sqs-sender.ts'
import {readGitTokens} from '#shared/config/git-settings.ts'
import {createGitSource} from '#shared/git/create-git-source.ts'
import {createLogJournal} from '#shared/journal/log-journal.ts'
import {systemClock} from '#shared/ports/clock.ts'
import {createRenderPool} from './box/render-pool.ts'
import {loadRenderConfig} from './config.ts'
import {createRenderHandler} from './create-handler.ts'

type Handler = ReturnType<typeof createRenderHandler>

const build = memoizeAsync(async (): Promise<Handler> => {
  const config = loadRenderConfig(process.env)
  const {s3, sqs} = createAwsClients(config.endpoints)
  const secrets = memoizeAsync(async () => createSecrets({client: createSecretsClient()}))
  const tokens = await readGitTokens(config.git, async (arn) => (await secrets()).read(arn))
  const beside = (name: string) => join(import.meta.dirname, 'renderers', name)
  const sendTo = (queueUrl: string) => createSqsSender({client: sqs, queueUrl})
  return createRenderHandler(
    {
      store: createS3ObjectStore({client: s3, bucket: config.bucket}),
      git: createGitSource({
        cacheDir: join(tmpdir(), 'git'),
        clock: systemClock,
        tokens,
        privateNetworks: config.git.privateNetworks,
      }),
      publishQueue: sendTo(config.publishQueueUrl),
      renderQueue: sendTo(config.renderQueueUrl),
      outcomes: sendTo(config.outcomeQueueUrl),
      deadLetters: sendTo(config.deadLetterQueueUrl),
      renderers: createRenderPool({modules: {kustomize: beside('kustomize.wasm'), helm: beside('helm.wasm')}}),
      clock: systemClock,
      journal: createLogJournal((line) => process.stdout.write(`${line}\n`)),
    },
    {
      repositories: config.repositories,
      timeBudgetSeconds: config.timeBudgetSeconds,
    },
  )
})

/** The Lambda entry point, behind the render queue. */
export const handler: Handler = async (event) => (await build())(event)
