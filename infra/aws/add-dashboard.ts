import {Duration} from 'aws-cdk-lib'
import {Dashboard, GraphWidget, type IMetric} from 'aws-cdk-lib/aws-cloudwatch'
import type {Construct} from 'constructs'
import {bridgeMetric, type Watched} from './add-alarms.ts'

const period = Duration.minutes(5)

/** Adds one dashboard: the way of a push from left to right, then what waits and what failed. */
export function addDashboard(scope: Construct, {queues, functions}: Watched): Dashboard {
  const dashboard = new Dashboard(scope, 'Dashboard', {defaultInterval: Duration.days(1)})
  const named = Object.entries(functions)
  const graph = (title: string, left: IMetric[]): GraphWidget => new GraphWidget({title, left, width: 8})

  dashboard.addWidgets(
    graph(
      'Invocations',
      named.map(([label, {function: fn}]) => fn.metricInvocations({label, period})),
    ),
    graph(
      'Duration, p50',
      named.map(([label, {function: fn}]) => fn.metricDuration({label, period, statistic: 'p50'})),
    ),
    graph(
      'Duration, p99',
      named.map(([label, {function: fn}]) => fn.metricDuration({label, period, statistic: 'p99'})),
    ),
  )
  dashboard.addWidgets(
    graph(
      'Errors',
      named.map(([label, {function: fn}]) => fn.metricErrors({label, period})),
    ),
    graph(
      'Throttles',
      named.map(([label, {function: fn}]) => fn.metricThrottles({label, period})),
    ),
    graph(
      'Concurrency',
      named.map(([label, {function: fn}]) => fn.metric('ConcurrentExecutions', {label, period, statistic: 'Maximum'})),
    ),
  )
  dashboard.addWidgets(
    graph(
      'Waiting',
      queues.entries().map(([label, {queue}]) => queue.metricApproximateNumberOfMessagesVisible({label, period})),
    ),
    graph(
      'Age of the oldest',
      queues.entries().map(([label, {queue}]) => queue.metricApproximateAgeOfOldestMessage({label, period})),
    ),
    graph(
      'Dead letters',
      queues
        .entries()
        .map(([label, {deadLetters}]) => deadLetters.metricApproximateNumberOfMessagesVisible({label, period})),
    ),
  )
  dashboard.addWidgets(
    graph('From push to healthy', [bridgeMetric('PushToHealthy', 'p50'), bridgeMetric('PushToHealthy', 'p99')]),
    graph('Deployments', [bridgeMetric('Deployments', 'Sum'), bridgeMetric('ApplyFailures', 'Sum')]),
    graph('Drift', [bridgeMetric('DriftFound', 'Sum'), bridgeMetric('DriftHealed', 'Sum')]),
  )
  return dashboard
}
