import {setTimeout as sleep} from 'node:timers/promises'
import type {ObjectRef} from '#shared/model/object-ref.ts'
import type {KubeClient, ResourceType} from './kube/kube-client.ts'
import type {KubeObject} from './kube/kube-object.ts'

export interface DeleteAndAwaitOptions {
  type: ResourceType
  ref: ObjectRef
  uid: string
  impersonate?: string
  timeoutSeconds: number
  /** Ends the attempts of the deletion itself. */
  lastTry: AbortSignal
  /** Ends the wait. */
  signal: AbortSignal
}

/**
 * Deletes an object, that very one, and waits until it is gone: its finalizers may take their time. Resolves with what is left of it where that
 * takes longer than `timeoutSeconds`.
 */
export async function deleteAndAwait(
  kube: Pick<KubeClient, 'get' | 'delete'>,
  {type, ref, uid, impersonate, timeoutSeconds, lastTry, signal}: DeleteAndAwaitOptions,
): Promise<'gone' | 'stopped' | KubeObject> {
  const giveUpAt = performance.now() + timeoutSeconds * 1000
  const user = impersonate === undefined ? {} : {impersonate}
  await kube.delete(type, ref, {uid, propagation: 'Background', lastTry, ...user})
  for (;;) {
    const left = await kube.get(type, ref, 'metadata')
    if (left === 'absent' || left.metadata.uid !== uid) return 'gone'
    if (signal.aborted) return 'stopped'
    if (performance.now() > giveUpAt) return left
    await sleep(50)
  }
}
