import {childObject} from '#shared/model/manifest.ts'
import {judgeHook} from '#shared/plan/judge-hook.ts'
import {apiVersionOf, type ResourceType} from './kube/kube-client.ts'
import type {KubeObject} from './kube/kube-object.ts'

/** How a Job, Pod or Workflow came to its end. */
export interface RunEnd {
  state: 'Succeeded' | 'Failed'
  reason: string
  /** A rule of its own takes it away afterwards. */
  goes: boolean
}

/** Tells the end of what comes to one by itself; undefined while it runs, and of all other kinds. */
export function readEnd(type: ResourceType, object: KubeObject, now: Date): RunEnd | undefined {
  const goes = goesByRule[`${type.group}/${type.kind}`]
  if (goes === undefined) return undefined
  const {state, reason} = judgeHook({...object, apiVersion: apiVersionOf(type), kind: type.kind}, {now})
  return state === 'Running' ? undefined : {state, reason, goes: goes(object)}
}

const goesByRule: Readonly<Record<string, (object: KubeObject) => boolean>> = {
  'batch/Job': (object) => typeof childObject(object, 'spec')?.ttlSecondsAfterFinished === 'number',
  // The cluster collects those that ended, and a node that goes takes its own along.
  '/Pod': (object) => childObject(object, 'spec')?.restartPolicy !== 'Always',
  'argoproj.io/Workflow': (object) => childObject(childObject(object, 'spec'), 'ttlStrategy') !== undefined,
}
