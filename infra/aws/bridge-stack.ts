import {CfnOutput, Duration, Stack, type StackProps} from 'aws-cdk-lib'
import {Rule, RuleTargetInput, Schedule} from 'aws-cdk-lib/aws-events'
import {SqsQueue} from 'aws-cdk-lib/aws-events-targets'
import {FunctionUrlAuthType} from 'aws-cdk-lib/aws-lambda'
import type {Bucket} from 'aws-cdk-lib/aws-s3'
import {Secret} from 'aws-cdk-lib/aws-secretsmanager'
import type {Construct} from 'constructs'
import type {FunctionName} from '#shared/model/access.ts'
import {limits} from '#shared/model/limits.ts'
import {RENDERER_NAMES} from '../local/renderers/renderer-programs.ts'
import {addAlarms} from './add-alarms.ts'
import {addDashboard} from './add-dashboard.ts'
import {type BridgeConfig, clusterQueuePrefix} from './bridge-config.ts'
import {BridgeFunction, type BridgeFunctionProps} from './bridge-function.ts'
import {BundleBucket} from './bundle-bucket.ts'
import {type BridgeSecret, findGitAccess, findSecret, type GitAccess} from './git-access.ts'
import {SigningKey} from './signing-key.ts'
import {sweepMessage} from './sweep-message.ts'
import {WorkQueues} from './work-queues.ts'

export interface BridgeStackProps extends StackProps {
  config: BridgeConfig
  /** Folder that the build wrote the functions' bundles to. */
  bundles: string
}

// Two threads, as many as Lambda gives cores here, each with the most that a renderer and its JavaScript may take; and 448 MiB for the
// compiled renderers and all else. Some new accounts are given no more.
const renderMemoryMiB = 3008

/** The bridge: everything on AWS but what belongs to a single cluster. */
export class BridgeStack extends Stack {
  readonly bucket: Bucket
  readonly queues: WorkQueues
  readonly signingKey: SigningKey
  readonly functions: Readonly<Record<FunctionName, BridgeFunction>>

  constructor(scope: Construct, id: string, {config, bundles, ...props}: BridgeStackProps) {
    super(scope, id, {description: 'Drawbridge: from a git push to signed bundles', ...props})
    const timeouts = {
      webhook: Duration.seconds(10),
      render: Duration.minutes(5),
      publish: Duration.minutes(2),
      status: Duration.seconds(30),
    }
    this.bucket = new BundleBucket(this, 'Bundles').bucket
    this.queues = new WorkQueues(this, 'Queues', {
      renderTimeout: timeouts.render,
      publishTimeout: timeouts.publish,
      statusTimeout: timeouts.status,
    })
    this.signingKey = new SigningKey(this, 'SigningKey')
    const {render, publish, status, outcome} = this.queues
    const webhookSecret = this.webhookSecret(config)
    const git = findGitAccess(this, config, (value) => this.toJsonString(value))
    const create = (name: FunctionName, more: Omit<BridgeFunctionProps, 'name' | 'bundles' | 'bucket' | 'timeout'>) =>
      new BridgeFunction(this, capitalise(name), {name, bundles, bucket: this.bucket, timeout: timeouts[name], ...more})

    this.functions = {
      webhook: create('webhook', {
        memoryMiB: 512,
        ...(config.webhookConcurrency > 0 && {reservedConcurrency: config.webhookConcurrency}),
        environment: {RENDER_QUEUE_URL: render.queue.queueUrl, WEBHOOK_SECRET_ARN: webhookSecret.secretArn},
      }),
      render: create('render', {
        beside: ['worker.mjs', ...RENDERER_NAMES.map((renderer) => `renderers/${renderer}.wasm`)],
        memoryMiB: renderMemoryMiB,
        ephemeralStorageMiB: 2048,
        environment: {
          PUBLISH_QUEUE_URL: publish.queue.queueUrl,
          RENDER_QUEUE_URL: render.queue.queueUrl,
          TIME_BUDGET_SECONDS: String(renderBudgetSeconds(timeouts.render)),
          OUTCOME_QUEUE_URL: outcome.queue.queueUrl,
          DEAD_LETTER_QUEUE_URL: render.deadLetters.queueUrl,
          REPOSITORIES: JSON.stringify(config.repositories),
          ...git.environment,
        },
      }),
      publish: create('publish', {
        memoryMiB: 2048,
        environment: {
          SIGNING_KEY_ARN: this.signingKey.key.keyArn,
          CLUSTER_QUEUE_PREFIX: clusterQueuePrefix(this.stackName),
          STATUS_QUEUE_URL: status.queue.queueUrl,
          OUTCOME_QUEUE_URL: outcome.queue.queueUrl,
          DEAD_LETTER_QUEUE_URL: publish.deadLetters.queueUrl,
          REPOSITORIES: JSON.stringify(config.repositories),
          ...(config.desiredTtlSeconds !== undefined && {DESIRED_TTL_SECONDS: String(config.desiredTtlSeconds)}),
          ...git.environment,
        },
      }),
      status: create('status', {
        memoryMiB: 512,
        environment: {
          OUTCOME_QUEUE_ARN: outcome.queue.queueArn,
          DEAD_LETTER_QUEUE_URL: status.deadLetters.queueUrl,
          ...git.environment,
        },
      }),
    }
    this.connect(webhookSecret, git)
    new Rule(this, 'Sweep', {
      description: 'Drawbridge: looks at every tracked ref, for what a lost webhook left undone',
      schedule: Schedule.rate(Duration.minutes(config.sweepMinutes)),
      targets: [new SqsQueue(render.queue, {message: RuleTargetInput.fromObject(sweepMessage())})],
    })
    addAlarms(this, this, config.alarmTopicArn)
    addDashboard(this, this)
    this.addOutputs(webhookSecret)
  }

  private connect(webhookSecret: BridgeSecret, git: GitAccess): void {
    const {webhook, render, publish, status} = this.functions
    const queues = this.queues
    webhook.grantSend(queues.render.queue)
    webhookSecret.grantRead(webhook.function)

    // To its own queue goes what is left when its time is over.
    render.grantSend(queues.publish.queue, queues.render.queue, queues.outcome.queue, queues.render.deadLetters)
    render.consume(queues.render.queue, {batchSize: 1, maxConcurrency: 10})

    publish.grantSend(queues.status.queue, queues.outcome.queue, queues.publish.deadLetters)
    const clusterQueues = this.formatArn({service: 'sqs', resource: `${clusterQueuePrefix(this.stackName)}*`})
    publish.allow(['sqs:GetQueueUrl', 'sqs:SendMessage'], clusterQueues)
    this.signingKey.grantSign(publish.function)
    publish.consume(queues.publish.queue, {batchSize: 5, maxConcurrency: 10})

    status.grantSend(queues.status.deadLetters)
    status.consume(queues.status.queue, {batchSize: 10, maxConcurrency: 5})
    status.consume(queues.outcome.queue, {batchSize: 10, maxConcurrency: 2})

    for (const secret of git.secrets)
      for (const {function: reader} of [render, publish, status]) secret.grantRead(reader)
  }

  private webhookSecret(config: BridgeConfig): BridgeSecret {
    if (config.webhookSecret !== undefined) return findSecret(this, 'WebhookSecret', config.webhookSecret)
    return new Secret(this, 'WebhookSecret', {
      description: 'Drawbridge: the secret of the webhooks, or a JSON list of several while one is rotated',
      generateSecretString: {excludePunctuation: true, passwordLength: 40},
    })
  }

  private addOutputs(webhookSecret: BridgeSecret): void {
    // The HMAC over the body is the authentication: git hosts cannot sign requests with IAM.
    const url = this.functions.webhook.function.addFunctionUrl({authType: FunctionUrlAuthType.NONE})
    new CfnOutput(this, 'WebhookUrl', {value: url.url})
    new CfnOutput(this, 'WebhookSecretArn', {value: webhookSecret.secretArn})
    new CfnOutput(this, 'BucketName', {value: this.bucket.bucketName})
    new CfnOutput(this, 'SigningKeyArn', {value: this.signingKey.key.keyArn})
    for (const [name, {queue, deadLetters}] of this.queues.entries()) {
      new CfnOutput(this, `${capitalise(name)}QueueArn`, {value: queue.queueArn})
      new CfnOutput(this, `${capitalise(name)}DeadLetterQueueArn`, {value: deadLetters.queueArn})
    }
  }
}

/** How long render may begin further apps: the last one that it begins must end within the timeout. */
function renderBudgetSeconds(timeout: Duration): number {
  return timeout.toSeconds() - limits.renderTimeoutSeconds - 30
}

function capitalise(name: string): string {
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}`
}
