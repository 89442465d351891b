import {setTimeout as sleep} from 'node:timers/promises'
import type {Detail, KubeClient, ResourceType, WatchEvent} from './kube-client.ts'
import {isKubeError, KubeError} from './kube-error.ts'
import type {KubeObject} from './kube-object.ts'

export interface FollowOptions<T = KubeObject> {
  detail: Detail
  labelSelector?: string
  /** Every namespace where absent. */
  namespace?: string
  signal: AbortSignal
  /** What to keep of each object that is listed. @default all of it */
  project?: (object: KubeObject) => T | undefined
  /** All objects that match now, as `project` made them; what is not among them is gone. */
  onList: (items: T[], resourceVersion: string) => void
  onEvent: (event: WatchEvent) => void
  /** Each time the server could not be asked; it is tried again. */
  onTrouble: (error: KubeError) => void
  /** Asked each time the server does not serve the type: in which version to try next. @default the same */
  nextVersion?: () => ResourceType
}

const FIRST_BACK_OFF_MS = 50
const MAX_BACK_OFF_MS = 5_000

/**
 * Keeps knowing all objects of a type until aborted: lists them, watches from there, resumes where a stream ended, and lists again
 * where the server no longer knows that version. The first list's failure is thrown, later ones are told and tried again.
 * Resolves, once the first list was told, with a promise of its end.
 */
export async function followType<T = KubeObject>(
  client: Pick<KubeClient, 'list' | 'watch'>,
  type: ResourceType,
  options: FollowOptions<T>,
): Promise<{ended: Promise<void>}> {
  const {signal, detail, labelSelector, namespace} = options
  const selected = {
    detail,
    ...(labelSelector === undefined ? {} : {labelSelector}),
    ...(namespace === undefined ? {} : {namespace}),
  }
  let served = type
  let version = await relist()
  return {ended: keepFollowing()}

  async function relist(): Promise<string> {
    const {items, resourceVersion} = await client.list(served, selected, options.project)
    options.onList(items, resourceVersion)
    return resourceVersion
  }

  async function keepFollowing(): Promise<void> {
    let backOffMs = FIRST_BACK_OFF_MS
    while (!signal.aborted) {
      const startedAt = performance.now()
      try {
        if (version === '') version = await relist()
        const end = await client.watch(
          served,
          {...selected, resourceVersion: version, signal},
          options.onEvent,
          (next) => {
            version = next
          },
          options.onTrouble,
        )
        if (end === 'expired') version = ''
      } catch (error) {
        if (signal.aborted) return
        if (isKubeError(error, 'EXPIRED', 'NOT_FOUND')) version = ''
        if (isKubeError(error, 'NOT_FOUND')) served = options.nextVersion?.() ?? served
        options.onTrouble(
          isKubeError(error) ? error : new KubeError('UNAVAILABLE', `watch ${type.plural}`, {}, {cause: error}),
        )
      }
      backOffMs = performance.now() - startedAt > 1_000 ? FIRST_BACK_OFF_MS : Math.min(backOffMs * 2, MAX_BACK_OFF_MS)
      await sleep(backOffMs, undefined, {signal}).catch(() => undefined)
    }
  }
}
