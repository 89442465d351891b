import {mapBounded} from '#shared/async/map-bounded.ts'
import {API_VERSION} from '#shared/model/api-version.ts'
import type {ReportEvent} from '#shared/model/cluster-report.ts'
import type {HistoryEntry} from '#shared/model/cluster-status.ts'
import {keys} from '#shared/model/keys.ts'
import {appNameSchema} from '#shared/model/names.ts'
import type {ObjectStore} from '#shared/ports/object-store.ts'

/** In place of an app's name, for events of a cluster as a whole; no app can be called so. */
export const CLUSTER_WIDE = '_cluster'

/** Ids that claim to be of a day from now or later are not believed: they would hide all that comes after. */
const MAX_AHEAD_MILLISECONDS = 24 * 3_600_000

/**
 * Appends events to a cluster's history, each under its own id, and returns those that were not there yet. An entry is never
 * replaced, so a repetition adds nothing. Rejects with `ObjectStoreError`.
 */
export async function appendHistory(
  store: ObjectStore,
  cluster: string,
  events: readonly ReportEvent[],
): Promise<ReportEvent[]> {
  const created = await mapBounded(events, 16, async (event) => {
    const entry: HistoryEntry = {apiVersion: API_VERSION, kind: 'HistoryEntry', cluster, event}
    const key = keys.history(cluster, event.app ?? CLUSTER_WIDE, event.id)
    return (await store.create(key, Buffer.from(JSON.stringify(entry)))) === 'created' ? [event] : []
  })
  return created.flat()
}

/** The events that can go into the history and are not among those `known` to be there: the app's name becomes part of a key, so it must be one. */
export function selectNewEvents(
  events: readonly ReportEvent[],
  known: readonly ReportEvent[],
  now: Date,
): ReportEvent[] {
  const ids = new Set(known.map(({id}) => id))
  return events.filter(
    ({id, app}) =>
      !ids.has(id) &&
      Number(id.slice(0, 13)) < now.getTime() + MAX_AHEAD_MILLISECONDS &&
      (app === undefined || appNameSchema.safeParse(app).success),
  )
}
