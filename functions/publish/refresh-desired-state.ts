import type {RefreshRequest} from '#shared/model/publish-request.ts'
import {passStage} from '#shared/model/trace.ts'
import {announceDesiredState} from './announce-desired-state.ts'
import {keepTombstones} from './plan-apps.ts'
import type {PublishConfig, PublishMeans} from './ports.ts'
import {readDesiredState} from './read-desired-state.ts'
import {retryConflicts} from './retry-conflicts.ts'
import {isDueForRefresh, signDesiredState, swapDesiredState} from './write-desired-state.ts'

/**
 * Signs a cluster's desired state anew where less than half of its life is left; otherwise does nothing. Rejects with
 * `VerificationError` where what is stored cannot be believed, and where a later try can succeed.
 */
export async function refreshDesiredState(
  ports: PublishMeans,
  config: PublishConfig,
  {cluster, trace}: RefreshRequest,
  {isRedelivered}: {isRedelivered: boolean},
): Promise<void> {
  const {desired, isNew} = await retryConflicts(cluster, async () => {
    const present = await readDesiredState(ports, cluster)
    const now = ports.clock.now()
    if (present.desired === undefined || !isDueForRefresh(present, now)) {
      return {desired: present.desired, isNew: false}
    }
    const apps = keepTombstones(present.desired.apps, now)
    const signed = await signDesiredState(ports, config, present, {cluster, apps, trace})
    if (signed === 'too-large') return {desired: present.desired, isNew: false}
    const desired = await swapDesiredState(ports, present, signed)
    return desired === 'conflict' ? 'conflict' : {desired, isNew: true}
  })
  if (desired === undefined || !(isNew || isRedelivered)) return
  const at = ports.clock.now()
  if (isNew) {
    const {version} = desired
    ports.journal.record({event: 'published', at: at.toISOString(), cluster, version, traceparent: trace.traceparent})
  }
  await announceDesiredState(ports, desired, passStage(trace, 'published', at))
}
