import {Duration} from 'aws-cdk-lib'
import {Queue, QueueEncryption} from 'aws-cdk-lib/aws-sqs'
import {Construct} from 'constructs'

export interface WorkQueueProps {
  /** Timeout of the function that reads it; a message stays invisible for six times as long. */
  consumerTimeout: Duration
  /** How often a message is received before it counts as poison. @default 5 */
  maxReceiveCount?: number
}

/** A queue between two functions, with the dead-letter queue of what could not be worked off. */
export class WorkQueue extends Construct {
  readonly queue: Queue
  readonly deadLetters: Queue
  readonly visibilityTimeout: Duration

  constructor(scope: Construct, id: string, {consumerTimeout, maxReceiveCount = 5}: WorkQueueProps) {
    super(scope, id)
    this.deadLetters = new Queue(this, 'DeadLetters', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    })
    this.visibilityTimeout = Duration.seconds(consumerTimeout.toSeconds() * 6)
    this.queue = new Queue(this, 'Queue', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(4),
      visibilityTimeout: this.visibilityTimeout,
      deadLetterQueue: {queue: this.deadLetters, maxReceiveCount},
    })
  }
}

export interface WorkQueuesProps {
  renderTimeout: Duration
  publishTimeout: Duration
  statusTimeout: Duration
}

/** The queues between the functions. Clusters may send to `status` alone; `outcome` is for what they could lie about. */
export class WorkQueues extends Construct {
  readonly render: WorkQueue
  readonly publish: WorkQueue
  readonly status: WorkQueue
  readonly outcome: WorkQueue

  constructor(scope: Construct, id: string, {renderTimeout, publishTimeout, statusTimeout}: WorkQueuesProps) {
    super(scope, id)
    this.render = new WorkQueue(this, 'Render', {consumerTimeout: renderTimeout})
    this.publish = new WorkQueue(this, 'Publish', {consumerTimeout: publishTimeout})
    this.status = new WorkQueue(this, 'Status', {consumerTimeout: statusTimeout})
    this.outcome = new WorkQueue(this, 'Outcome', {consumerTimeout: statusTimeout})
  }

  /** All of them by name, in the order in which a push passes them. */
  entries(): [string, WorkQueue][] {
    return [
      ['render', this.render],
      ['publish', this.publish],
      ['status', this.status],
      ['outcome', this.outcome],
    ]
  }
}
