import {API_VERSION} from '#shared/model/api-version.ts'
import type {StatusHint} from '#shared/model/cluster-report.ts'
import type {DesiredState, Notification} from '#shared/model/desired-state.ts'
import type {Trace} from '#shared/model/trace.ts'
import type {PublishPorts} from './ports.ts'

/** Tells a cluster that its desired state changed, and the status function that there is something to show. Harmless to repeat. */
export async function announceDesiredState(
  {clusters, statusQueue}: PublishPorts,
  {cluster, version}: DesiredState,
  trace: Trace,
): Promise<void> {
  const notification: Notification = {apiVersion: API_VERSION, kind: 'DesiredStateChanged', cluster, version, trace}
  const hint: StatusHint = {apiVersion: API_VERSION, kind: 'StatusHint', cluster, trace}
  await Promise.all([clusters.notify(cluster, JSON.stringify(notification)), statusQueue.send(JSON.stringify(hint))])
}
