import type {PresentApp} from '#shared/model/desired-state.ts'
import {limits} from '#shared/model/limits.ts'
import {AppFailure} from './app-failure.ts'
import type {AppState} from './app-state.ts'

/**
 * Requires that an app's bundle fits what the agent's pod can hold beside all that it holds of the other apps. Publish keeps to the same limits,
 * so this refuses only what was not published by it as it is now. Throws `AppFailure` REFUSED, which passes once another app needs less.
 */
export function requireRoom(apps: Iterable<AppState>, app: AppState, {bundle}: PresentApp): void {
  let {size, objects} = bundle
  for (const other of apps) {
    for (const held of [other === app ? undefined : other.bundle, other.left]) {
      size += held?.app.bundle.size ?? 0
      objects += held?.app.bundle.objects ?? 0
    }
    // Two keys an object.
    if (other !== app) objects += (other.claims?.keys.size ?? 0) / 2
  }
  if (size <= limits.maxClusterBundleBytes && objects <= limits.maxClusterObjects) return
  throw new AppFailure(
    'REFUSED',
    `CLUSTER_FULL: with its bundle the agent would hold ${size} bytes and ${Math.ceil(objects)} objects; ${limits.maxClusterBundleBytes} bytes and ${limits.maxClusterObjects} objects fit. Declare fewer or smaller apps for this cluster`,
    {code: 'CLUSTER_FULL'},
  )
}
