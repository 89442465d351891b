import {childObject, isJsonObject, type JsonObject} from '../../model/manifest.ts'
import {hideSecrets} from '../hide-secrets.ts'
import {lastWords} from './last-words.ts'
import {findCondition, readText, shorten} from './read-status.ts'

const WAITING_FOR_NOTHING = new Set(['ContainerCreating', 'PodInitializing', ''])
const MAX_REASONS = 3

/**
 * Says in the words of a workload's pods why they are not ready: cannot be scheduled, image pulls, configuration, crashes with the last
 * exit and what the container gave as its reason (`lastWords`). Each distinct reason once, with how many pods it holds for, the
 * most frequent first; '' where the pods give none. What looks like a secret is hidden. Logs are not read.
 */
export function explainPods(pods: readonly JsonObject[]): string {
  return countReasons(pods.flatMap((pod) => explainPod(pod) ?? []))
}

/** The same of what `explainPod` said of each pod. */
export function countReasons(reasons: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  const sorted = [...counts].sort(([, a], [, b]) => b - a).slice(0, MAX_REASONS)
  return shorten(sorted.map(([reason, count]) => (count === 1 ? reason : `${reason} (${count} pods)`)).join('; '))
}

/** Says why one pod is not ready, in at most 500 characters; undefined where it gives no reason. */
export function explainPod(pod: JsonObject): string | undefined {
  const reason = explainState(pod)
  return reason === undefined ? undefined : shorten(reason)
}

function explainState(pod: JsonObject): string | undefined {
  const status = childObject(pod, 'status')
  for (const list of ['initContainerStatuses', 'containerStatuses']) {
    const containers = Array.isArray(status?.[list]) ? status[list].filter(isJsonObject) : []
    for (const container of containers) {
      const reason = explainContainer(container)
      if (reason !== undefined) return `container ${readText(container, 'name')}: ${reason}`
    }
  }
  const scheduled = findCondition(pod, 'PodScheduled')
  if (scheduled?.status === 'False') return joinWords(scheduled.reason, hideSecrets(scheduled.message))
  if (readText(status, 'phase') !== 'Failed') return undefined
  return joinWords(readText(status, 'reason') || 'Failed', hideSecrets(readText(status, 'message')))
}

function explainContainer(container: JsonObject): string | undefined {
  const state = childObject(container, 'state')
  const waiting = childObject(state, 'waiting')
  const last = describeExit(childObject(childObject(container, 'lastState'), 'terminated'))
  if (waiting !== undefined) {
    const reason = readText(waiting, 'reason')
    if (WAITING_FOR_NOTHING.has(reason)) return undefined
    if (reason === 'CrashLoopBackOff') return joinWords(reason, last === '' ? '' : `last state: ${last}`)
    return joinWords(reason, hideSecrets(readText(waiting, 'message')))
  }
  const terminated = childObject(state, 'terminated')
  if (terminated !== undefined && terminated.exitCode !== 0) return describeExit(terminated)
  const restarts = container.restartCount
  if (container.ready === true || typeof restarts !== 'number' || restarts === 0 || last === '') return undefined
  return `restarted ${restarts} times, last state: ${last}`
}

function describeExit(terminated: JsonObject | undefined): string {
  if (terminated === undefined) return ''
  const {exitCode} = terminated
  const reason = readText(terminated, 'reason') || 'terminated'
  const how = typeof exitCode === 'number' ? `${reason}, exit code ${exitCode}` : reason
  return joinWords(how, lastWords(readText(terminated, 'message')))
}

function joinWords(reason: string | undefined, message: string | undefined): string {
  return [reason ?? '', message ?? ''].filter((part) => part !== '').join(': ')
}
