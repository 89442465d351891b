import type {ClusterReport, ReportEvent} from '#shared/model/cluster-report.ts'

/** The metrics of the status function and their units; the namespace is `Drawbridge`. */
const UNITS = {
  PushToHealthy: 'Milliseconds',
  Deployments: 'Count',
  ApplyFailures: 'Count',
  DriftFound: 'Count',
  DriftHealed: 'Count',
  StaleClusters: 'Count',
} as const
type MetricName = keyof typeof UNITS

/**
 * Writes the metrics of a report and its new events as lines of CloudWatch's embedded metric format, one per event and one for
 * the cluster. Cluster and app are fields of the line and never dimensions: those would be billed by the cluster.
 */
export function emitMetrics(
  write: (line: string) => void,
  report: ClusterReport,
  events: readonly ReportEvent[],
  now: Date,
): void {
  const {cluster} = report
  for (const event of events) {
    const values = measure(event)
    if (values === undefined) continue
    const fields = {cluster, app: event.app, revision: event.revision, event: event.event, code: event.code}
    write(formatLine(values, fields, now))
  }
  write(formatLine({StaleClusters: report.desired.state === 'stale' ? 1 : 0}, {cluster}, now))
}

function measure({event, at, trace, code}: ReportEvent): Partial<Record<MetricName, number>> | undefined {
  switch (event) {
    case 'healthy': {
      const pushed = trace?.stages.pushed
      const latency = pushed === undefined ? undefined : Date.parse(at) - Date.parse(pushed)
      return {Deployments: 1, ...(latency !== undefined && latency >= 0 && {PushToHealthy: latency})}
    }
    case 'failed':
      // That it waits for another app is told as a failure, and is none of its own.
      return code === 'DEPENDENCY_NOT_READY' ? undefined : {ApplyFailures: 1}
    case 'drifted':
      return {DriftFound: 1}
    case 'healed':
      return {DriftHealed: 1}
    default:
      return undefined
  }
}

function formatLine(
  values: Partial<Record<MetricName, number>>,
  fields: Record<string, string | undefined>,
  now: Date,
): string {
  const names = (Object.keys(UNITS) as MetricName[]).filter((name) => values[name] !== undefined)
  const definition = {
    Namespace: 'Drawbridge',
    Dimensions: [[]],
    Metrics: names.map((name) => ({Name: name, Unit: UNITS[name]})),
  }
  return JSON.stringify({_aws: {Timestamp: now.getTime(), CloudWatchMetrics: [definition]}, ...fields, ...values})
}
