import type {JsonObject} from '#shared/model/manifest.ts'
import type {KubeClient, ObjectName} from './kube/kube-client.ts'
import {isHeldUp, isKubeError, KubeError} from './kube/kube-error.ts'
import type {KubeObject, NewObject} from './kube/kube-object.ts'
import {STATE_MANAGER} from './marks.ts'
import {stateTypes} from './state-types.ts'

/** Writes the ConfigMaps that are the agent's memory, and never over what another agent wrote since they were read. */
export interface StateWriter {
  /** Notes what was read: the next write replaces that very version. */
  note(object: KubeObject): void
  /** Whether it is as it was read or written last. */
  knows(object: KubeObject): boolean
  /** Ends the term, since another agent wrote `target`. The error is to be thrown. */
  fence(target: ObjectName): KubeError
  /** Deletes one that may be there. */
  remove(target: ObjectName): Promise<void>
  /**
   * Writes one. Where it is not as it was read or written last, or is there though none was, `isTheirs` decides: what another agent wrote stays, the term ends, and the
   * write rejects with `KubeError` ABORTED; anything else is overwritten. `body` names the same keys each time.
   */
  write(
    target: ObjectName,
    body: {labels?: JsonObject} & JsonObject,
    isTheirs: (present: KubeObject) => boolean,
  ): Promise<void>
}

/** What a store of the agent's memory needs besides a client. */
export interface StateWriterOptions {
  /** Once it ends no write is tried again, since another agent may write by then. */
  lastTry?: AbortSignal
  /** Another agent writes as well: this one must not go on as if it led. */
  onFenced?: (name: string) => void
  /** Sees why a write was refused; `'unblocked'` where it did what it takes for another try. */
  onRefused?: (error: unknown) => Promise<'unblocked' | 'blocked'>
}

const MAX_ATTEMPTS = 5

/** Creates a writer that knows of nothing yet. */
export function createStateWriter(
  kube: Pick<KubeClient, 'apply' | 'create' | 'delete' | 'get'>,
  {lastTry, onFenced, onRefused}: StateWriterOptions,
): StateWriter {
  const versions = new Map<string, string>()
  const bounded = lastTry === undefined ? {} : {lastTry}
  /** Sends it again where nothing is in its way any more, or where `patiently` has tries left. */
  const orUnblocked = async <T>(send: () => Promise<T>, patiently?: () => Promise<T>): Promise<T> => {
    try {
      return await send()
    } catch (error) {
      const isFree = (await onRefused?.(error)) === 'unblocked'
      const hasTries = patiently !== undefined && isHeldUp(error) && error.code === 'UNAVAILABLE'
      if (lastTry?.aborted || !(isFree || hasTries)) throw error
      return (patiently ?? send)()
    }
  }
  const fence = ({namespace, name}: ObjectName): KubeError => {
    onFenced?.(name)
    return new KubeError('ABORTED', `ConfigMap ${namespace}/${name} was written by another agent`)
  }
  /** An apply cannot be told to create only. Its fields count as another manager's, so what is written names each key each time. */
  const create = async (body: NewObject): Promise<KubeObject | 'exists' | KubeError> => {
    try {
      return await orUnblocked(() => kube.create(stateTypes.configMap, body))
    } catch (error) {
      // It may be there all the same.
      if (isKubeError(error, 'THROTTLED', 'UNAVAILABLE')) return error
      throw error
    }
  }
  const apply = async (target: ObjectName, body: NewObject): Promise<KubeObject | 'conflict'> => {
    const options = {fieldManager: STATE_MANAGER, force: true, detail: 'metadata', ...bounded} as const
    const send = (more: {impatient?: true} = {}) =>
      kube.apply(stateTypes.configMap, target, JSON.stringify(body), {...options, ...more})
    try {
      return await orUnblocked(() => send({impatient: true}), send)
    } catch (error) {
      if (isKubeError(error, 'CONFLICT')) return 'conflict'
      throw error
    }
  }
  return {
    fence,
    knows: ({metadata}) => versions.get(metadata.name) === metadata.resourceVersion,
    note: ({metadata}) => void versions.set(metadata.name, metadata.resourceVersion),
    async remove(target) {
      const send = (more: {impatient?: true} = {}) =>
        kube.delete(stateTypes.configMap, target, {propagation: 'Background', ...bounded, ...more})
      await orUnblocked(() => send({impatient: true}), send)
      versions.delete(target.name)
    },
    async write(target, {labels, ...content}, isTheirs) {
      const {name} = target
      let failure: KubeError | undefined
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        const resourceVersion = versions.get(name)
        const metadata = {...target, ...(labels === undefined ? {} : {labels})}
        const body = {apiVersion: 'v1', kind: 'ConfigMap', metadata, ...content}
        const answer =
          resourceVersion === undefined
            ? await create(body)
            : await apply(target, {...body, metadata: {...metadata, resourceVersion}})
        if (answer instanceof KubeError) failure = answer
        else if (typeof answer !== 'string') {
          versions.set(name, answer.metadata.resourceVersion)
          return
        }
        const present = await kube.get(stateTypes.configMap, target, 'whole')
        if (present === 'absent') versions.delete(name)
        else if (isTheirs(present)) throw fence(target)
        else versions.set(name, present.metadata.resourceVersion)
      }
      throw failure ?? new KubeError('CONFLICT', `ConfigMap ${target.namespace}/${name} changes all the time`)
    },
  }
}
