import {childObject, type JsonObject} from '../../model/manifest.ts'
import {
  current,
  describeCondition,
  failed,
  findCondition,
  inProgress,
  type JudgeKind,
  readList,
  readNumber,
  readText,
} from './read-status.ts'

// kstatus: the scheduler gets this long before "unschedulable" is taken at its word.
const scheduleWindowMilliseconds = 15_000

/** Pod; one that ended is Current, however it ended: nothing more will come of it. */
export const judgePod: JudgeKind = (object, now) => {
  const status = childObject(object, 'status')
  const phase = readText(status, 'phase')
  if (phase === 'Succeeded') return current('the pod has completed')
  if (phase === 'Failed') {
    const why = [readText(status, 'reason'), readText(status, 'message')].filter((part) => part !== '').join(': ')
    return current(`the pod has ended with a failure${why === '' ? '' : `: ${why}`}`)
  }
  if (phase === 'Running' && findCondition(object, 'Ready')?.status === 'True') return current('the pod is ready')

  const containers = [...readList(status, 'initContainerStatuses'), ...readList(status, 'containerStatuses')]
  const looping = containers.filter((container) => waitingReason(container) === 'CrashLoopBackOff')
  if (looping.length > 0) return failed(looping.map(describeCrashLoop).join('; '))

  const scheduled = findCondition(object, 'PodScheduled')
  if (phase === 'Pending' && scheduled?.status === 'False' && scheduled.reason === 'Unschedulable') {
    const until = windowEnd(object)
    if (now === undefined || until === undefined || now >= until) return failed(describeCondition(scheduled))
    return {...inProgress('waiting for a node'), until}
  }
  const blocked = containers.flatMap(describeWaiting)
  if (blocked.length > 0) return inProgress(blocked.join('; '))
  if (phase === 'Running') {
    const unready = containers.filter(
      (container) => container.ready === false && !childObject(childObject(container, 'state'), 'terminated'),
    )
    const names = unready.map((container) => readText(container, 'name')).join(', ')
    return inProgress(names === '' ? 'the pod runs but is not ready' : `the pod runs but is not ready: ${names}`)
  }
  if (phase === 'Pending') return inProgress('the pod is pending: its containers are not started yet')
  if (phase === '') return inProgress('nothing has picked the pod up yet')
  return {health: 'Unknown', reason: `the pod's phase is ${phase}: its node may be lost`}
}

function describeCrashLoop(container: JsonObject): string {
  const last = childObject(childObject(container, 'lastState'), 'terminated')
  const ended = last === undefined ? '' : `; it last ended with exit code ${readNumber(last, 'exitCode', 0)}`
  const why = readText(last, 'reason')
  const restarts = readNumber(container, 'restartCount', 0)
  return `container ${readText(container, 'name')} is in a crash loop (${restarts} restarts${ended}${why === '' ? '' : ` (${why})`})`
}

// Plain "ContainerCreating" and "PodInitializing" say nothing that the phase doesn't.
function describeWaiting(container: JsonObject): string[] {
  const reason = waitingReason(container)
  if (reason === '' || reason === 'ContainerCreating' || reason === 'PodInitializing') return []
  const message = readText(childObject(childObject(container, 'state'), 'waiting'), 'message')
  return [`container ${readText(container, 'name')}: ${reason}${message === '' ? '' : `: ${message}`}`]
}

function waitingReason(container: JsonObject): string {
  return readText(childObject(childObject(container, 'state'), 'waiting'), 'reason')
}

function windowEnd(object: JsonObject): Date | undefined {
  const created = Date.parse(readText(childObject(object, 'metadata'), 'creationTimestamp'))
  return Number.isNaN(created) ? undefined : new Date(created + scheduleWindowMilliseconds)
}
