import type {KubeClient, ResourceType} from '#agent/kube/kube-client.ts'
import type {KubeObject} from '#agent/kube/kube-object.ts'
import {metaText} from '#agent/kube/kube-object.ts'

/** What the API server told of one object, by its own resource versions, which grow with every write to the cluster. */
export interface ObjectHistory {
  createdAt?: bigint
  /** When what `isHealthy` asks for was first seen. */
  healthyAt?: bigint
  /** When it was deleted, or first marked as being deleted. */
  deletedAt?: bigint
  /** How often it was created. */
  creations: number
}

/** Records the changes of objects as the server tells them. */
export interface ChangeRecorder {
  /** By `Kind/namespace/name`; empty where nothing was seen. */
  of(name: string): ObjectHistory
  /** Begins to follow types; what is there counts as created at the version that it has. */
  follow(...types: ResourceType[]): Promise<void>
  stop(): void
}

/** Creates a recorder that follows nothing yet. */
export function recordChanges(
  admin: KubeClient,
  isHealthy: (kind: string, object: KubeObject) => boolean,
): ChangeRecorder {
  const histories = new Map<string, ObjectHistory>()
  const over = new AbortController()

  function take(type: ResourceType, object: KubeObject, how: 'changed' | 'deleted'): void {
    const name = `${type.kind}/${metaText(object, 'namespace')}/${object.metadata.name}`
    const at = BigInt(object.metadata.resourceVersion)
    const history: ObjectHistory = histories.get(name) ?? {creations: 0}
    histories.set(name, history)
    if (how === 'deleted' || metaText(object, 'deletionTimestamp') !== '') {
      history.deletedAt ??= at
      return
    }
    if (history.createdAt === undefined || history.deletedAt !== undefined) {
      history.createdAt = at
      history.creations++
      delete history.deletedAt
      delete history.healthyAt
    }
    if (isHealthy(type.kind, object)) history.healthyAt ??= at
  }

  return {
    of: (name) => histories.get(name) ?? {creations: 0},
    async follow(...types) {
      for (const type of types) {
        const {items, resourceVersion} = await admin.list(type, {detail: 'whole'})
        for (const item of items) take(type, item, 'changed')
        void admin
          .watch(
            type,
            {detail: 'whole', resourceVersion, signal: over.signal},
            (event) => take(type, event.object, event.type),
            () => undefined,
          )
          .catch((error: unknown) => {
            if (!over.signal.aborted) throw error
          })
      }
    },
    stop: () => over.abort(),
  }
}
