import {existsSync} from 'node:fs'
import {join} from 'node:path'
import {type Duration, RemovalPolicy, Size} from 'aws-cdk-lib'
import {Effect, PolicyStatement, Role, ServicePrincipal} from 'aws-cdk-lib/aws-iam'
import {Architecture, Code, Function as LambdaFunction, Runtime} from 'aws-cdk-lib/aws-lambda'
import {SqsEventSource} from 'aws-cdk-lib/aws-lambda-event-sources'
import {LogGroup, RetentionDays} from 'aws-cdk-lib/aws-logs'
import type {IBucket} from 'aws-cdk-lib/aws-s3'
import type {IQueue, Queue} from 'aws-cdk-lib/aws-sqs'
import {Construct} from 'constructs'
import {type FunctionName, functionAccess} from '#shared/model/access.ts'
import {BridgeConfigError} from './bridge-config-error.ts'
import {storePolicy} from './store-policy.ts'

export interface BridgeFunctionProps {
  /** Which of the functions: its bundle is `<bundles>/<name>/index.mjs`, its rights in the bucket are `functionAccess[name]`. */
  name: FunctionName
  /** Folder that the build wrote the functions' bundles to. */
  bundles: string
  /** The bucket; the function is told its name only if it may use it. */
  bucket: Pick<IBucket, 'bucketArn' | 'bucketName'>
  timeout: Duration
  memoryMiB: number
  environment: Record<string, string>
  /** What must be in its folder too. @default nothing */
  beside?: readonly string[]
  /** @default 512 */
  ephemeralStorageMiB?: number
  /** @default none reserved */
  reservedConcurrency?: number
  /** @default one month */
  logRetention?: RetentionDays
}

/** A function of the bridge with a role of its own, which may do what is granted here and nothing else. */
export class BridgeFunction extends Construct {
  readonly function: LambdaFunction
  readonly timeout: Duration

  constructor(scope: Construct, id: string, props: BridgeFunctionProps) {
    super(scope, id)
    const folder = join(props.bundles, props.name)
    const absent = ['index.mjs', ...(props.beside ?? [])].filter((file) => !existsSync(join(folder, file)))
    if (absent.length > 0) {
      const message = `${folder} has no ${absent.join(', ')}; run "npm run build" first`
      throw new BridgeConfigError('NOT_BUILT', message, {folder, absent})
    }
    const access = functionAccess[props.name]
    const logGroup = new LogGroup(this, 'Logs', {
      retention: props.logRetention ?? RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    const role = new Role(this, 'Role', {assumedBy: new ServicePrincipal('lambda.amazonaws.com')})
    logGroup.grantWrite(role)
    this.timeout = props.timeout
    this.function = new LambdaFunction(this, 'Function', {
      description: `Drawbridge: ${props.name}`,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: 'index.handler',
      code: Code.fromAsset(folder),
      role,
      logGroup,
      timeout: props.timeout,
      memorySize: props.memoryMiB,
      ephemeralStorageSize: Size.mebibytes(props.ephemeralStorageMiB ?? 512),
      environment: {
        ...(access.length > 0 && {BUCKET: props.bucket.bucketName}),
        ...props.environment,
        NODE_OPTIONS: '--enable-source-maps',
      },
      ...(props.reservedConcurrency !== undefined && {reservedConcurrentExecutions: props.reservedConcurrency}),
    })
    for (const statement of storePolicy(props.bucket.bucketArn, access)) role.addToPolicy(statement)
  }

  /** Lets it send to a queue; the queue's policy is left alone. */
  grantSend(...queues: IQueue[]): void {
    for (const queue of queues) this.allow(['sqs:SendMessage'], queue.queueArn)
  }

  allow(actions: string[], resource: string): void {
    this.function.addToRolePolicy(new PolicyStatement({effect: Effect.ALLOW, actions, resources: [resource]}))
  }

  /** Has it work off a queue; of a batch, only the messages that it says failed come again. */
  consume(queue: Queue, options: {batchSize: number; maxConcurrency: number}): void {
    this.function.addEventSource(new SqsEventSource(queue, {...options, reportBatchItemFailures: true}))
  }
}
