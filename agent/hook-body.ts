import {stringifyExact} from '#shared/bundle/exact-json.ts'
import {isJsonObject, type JsonObject} from '#shared/model/manifest.ts'
import type {SyncPhase} from '#shared/plan/read-hook.ts'
import type {LoadedBundle} from './app-state.ts'
import {bundleId} from './first-install.ts'
import {type PlannedObject, parseBody} from './plan-objects.ts'

/** Says for which bundle and phase a hook was begun, so that a restarted agent goes on to wait for it. */
export const RUN_ANNOTATION = 'drawbridge.dev/hook-run'

/** A hook whose TTL takes it away before its end is noted would run again after a stop: it has so long, and its own TTL afterwards. */
const LEAST_TTL_SECONDS = 600

/** What `RUN_ANNOTATION` holds. */
export function runIdOf(bundle: Pick<LoadedBundle, 'app'>, phase: SyncPhase): string {
  return `${bundleId(bundle)}.${phase}`
}

/** Tells whether a hook may go by its TTL before its end is noted. */
export function isHurried({kind, spec}: JsonObject): boolean {
  const seconds = isJsonObject(spec) ? spec.ttlSecondsAfterFinished : undefined
  return kind === 'Job' && typeof seconds === 'number' && seconds < LEAST_TTL_SECONDS
}

/** A hook's JSON as it is sent. With `uid` it is for that very object: the server makes no other. */
export function bodyOf(object: PlannedObject, runId: string, state: 'running' | 'ended', uid?: string): string {
  const manifest = parseBody(object)
  const metadata = isJsonObject(manifest.metadata) ? manifest.metadata : {}
  const annotations = isJsonObject(metadata.annotations) ? metadata.annotations : {}
  const {spec} = manifest
  const isHeld = state === 'running' && isHurried(manifest)
  return stringifyExact({
    ...manifest,
    metadata: {
      ...metadata,
      ...(uid === undefined ? {} : {uid}),
      annotations: {...annotations, [RUN_ANNOTATION]: runId},
    },
    ...(isHeld && isJsonObject(spec) ? {spec: {...spec, ttlSecondsAfterFinished: LEAST_TTL_SECONDS}} : {}),
  })
}
