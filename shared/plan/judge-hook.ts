import {childObject, type JsonObject} from '../model/manifest.ts'
import {groupOf} from '../model/object-ref.ts'
import {computeHealth, type HealthOptions, type ObjectHealth} from './compute-health.ts'
import {describeCondition, findCondition, readText, shorten} from './health/read-status.ts'
import {hideSecrets} from './hide-secrets.ts'

/** How far a hook is: a Job, Pod or Workflow must come to its end, anything else must become healthy. */
export interface HookProgress {
  state: 'Running' | 'Succeeded' | 'Failed'
  reason: string
}

/** Tells whether a kind comes to an end by itself; a hook of any other has to be there and healthy. */
export function comesToEnd({group, kind}: {group: string; kind: string}): boolean {
  return ['batch/Job', '/Pod', 'argoproj.io/Workflow'].includes(`${group}/${kind}`)
}

/** Judges a hook by its live object. */
export function judgeHook(object: JsonObject, options: HealthOptions = {}): HookProgress {
  const {state, reason} = judge(object, options)
  return {state, reason: hideSecrets(reason)}
}

function judge(object: JsonObject, options: HealthOptions): HookProgress {
  const kind = `${groupOf(readText(object, 'apiVersion'))}/${readText(object, 'kind')}`
  const status = childObject(object, 'status')
  const health = computeHealth(object, options)
  switch (kind) {
    case 'batch/Job': {
      const failure = findCondition(object, 'Failed')
      if (failure?.status === 'True') return {state: 'Failed', reason: describeCondition(failure)}
      return {
        state: findCondition(object, 'Complete')?.status === 'True' ? 'Succeeded' : 'Running',
        reason: health.reason,
      }
    }
    case '/Pod': {
      const phase = readText(status, 'phase')
      if (phase === 'Succeeded') return {state: 'Succeeded', reason: health.reason}
      if (phase === 'Failed') return {state: 'Failed', reason: health.reason}
      const stays = readText(childObject(object, 'spec'), 'restartPolicy') === 'Always'
      return stays ? byHealth(health) : {state: 'Running', reason: health.reason}
    }
    case 'argoproj.io/Workflow': {
      const phase = readText(status, 'phase')
      const reason = shorten(readText(status, 'message') || `the workflow's phase is ${phase || 'not set yet'}`)
      if (phase === 'Failed' || phase === 'Error') return {state: 'Failed', reason}
      return {state: phase === 'Succeeded' ? 'Succeeded' : 'Running', reason}
    }
    default:
      return byHealth(health)
  }
}

function byHealth({health, reason}: ObjectHealth): HookProgress {
  return {state: health === 'Current' ? 'Succeeded' : health === 'Failed' ? 'Failed' : 'Running', reason}
}
