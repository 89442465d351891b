import {Duration} from 'aws-cdk-lib'
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  MathExpression,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch'
import {SnsAction} from 'aws-cdk-lib/aws-cloudwatch-actions'
import {Topic} from 'aws-cdk-lib/aws-sns'
import {Construct} from 'constructs'
import type {FunctionName} from '#shared/model/access.ts'
import type {BridgeFunction} from './bridge-function.ts'
import type {WorkQueues} from './work-queues.ts'

/** What alarms and dashboard look at. */
export interface Watched {
  queues: WorkQueues
  functions: Readonly<Record<FunctionName, BridgeFunction>>
}

const period = Duration.minutes(5)

/** Adds the alarms of the bridge: each wants two of three datapoints, and none at all is no alarm. */
export function addAlarms(scope: Construct, {queues, functions}: Watched, topicArn: string | undefined): Alarm[] {
  const parent = new Construct(scope, 'Alarms')
  const action = topicArn === undefined ? undefined : new SnsAction(Topic.fromTopicArn(parent, 'Topic', topicArn))
  const alarms: Alarm[] = []
  const alarmAbove = (id: string, metric: IMetric, threshold: number, alarmDescription: string): void => {
    const alarm = new Alarm(parent, id, {
      metric,
      threshold,
      alarmDescription,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: 3,
      datapointsToAlarm: 2,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    })
    if (action !== undefined) alarm.addAlarmAction(action)
    alarms.push(alarm)
  }

  for (const [name, {queue, deadLetters, visibilityTimeout}] of queues.entries()) {
    alarmAbove(
      `${name}-dead-letters`,
      deadLetters.metricApproximateNumberOfMessagesVisible({period, statistic: 'Maximum'}),
      0,
      `Drawbridge: messages of the ${name} queue could not be worked off. Read their "reason" attribute in the dead-letter queue, mend the cause, then redrive.`,
    )
    // A message whose function was killed comes again after the visibility timeout: only what is older than two is stuck.
    alarmAbove(
      `${name}-age`,
      queue.metricApproximateAgeOfOldestMessage({period, statistic: 'Maximum'}),
      Math.max(900, visibilityTimeout.toSeconds() * 2),
      `Drawbridge: the ${name} queue is not worked off in time. Look at the errors and throttles of the function that reads it.`,
    )
  }
  for (const [name, {function: fn, timeout}] of Object.entries(functions)) {
    const errors = new MathExpression({
      expression: 'IF(invocations > 0, 100 * errors / invocations, 0)',
      usingMetrics: {errors: fn.metricErrors({period}), invocations: fn.metricInvocations({period})},
      label: 'errors in percent',
      period,
    })
    alarmAbove(
      `${name}-errors`,
      errors,
      5,
      `Drawbridge: more than 5% of the ${name} function's invocations fail. Its log says why.`,
    )
    alarmAbove(
      `${name}-duration`,
      fn.metricDuration({period, statistic: 'p99'}),
      timeout.toMilliseconds() * 0.8,
      `Drawbridge: the ${name} function nears its timeout of ${timeout.toSeconds()} s.`,
    )
    alarmAbove(
      `${name}-throttles`,
      fn.metricThrottles({period}),
      0,
      `Drawbridge: the ${name} function is throttled. Raise its reserved concurrency or the account's quota.`,
    )
  }
  alarmAbove(
    'stale-clusters',
    bridgeMetric('StaleClusters', 'Maximum'),
    0,
    'Drawbridge: a cluster has no valid desired state to follow; what runs there is frozen. "drawbridge get clusters" names it.',
  )
  return alarms
}

/** A metric that the functions write themselves, as CloudWatch EMF. */
export function bridgeMetric(metricName: string, statistic: string): Metric {
  return new Metric({namespace: 'Drawbridge', metricName, statistic, period})
}
