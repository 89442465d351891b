import {childObject, type JsonObject} from '../../model/manifest.ts'
import {
  current,
  describeCondition,
  failed,
  findCondition,
  inProgress,
  type JudgeKind,
  type ObjectHealth,
  readNumber,
  readText,
} from './read-status.ts'

/** Deployment: every replica of the present template is there and available, none of an older one is left, and its controller says so. */
export const judgeDeployment: JudgeKind = (object) => {
  const {spec, status, wanted} = readReplicas(object)
  const progressing = findCondition(object, 'Progressing')
  if (progressing?.reason === 'ProgressDeadlineExceeded') {
    return failed(withReplicaFailure(object, `the rollout made no progress in time: ${describeCondition(progressing)}`))
  }
  const created = readNumber(status, 'replicas', 0)
  const updated = readNumber(status, 'updatedReplicas', 0)
  const available = readNumber(status, 'availableReplicas', 0)
  const waiting = (reason: string): ObjectHealth =>
    inProgress(withReplicaFailure(object, spec?.paused === true ? `${reason}; the rollout is paused` : reason))

  if (wanted > created) return waiting(`${created} of ${wanted} replicas created`)
  if (wanted > updated) return waiting(`${updated} of ${wanted} replicas updated to the present template`)
  if (created > wanted) return waiting(`${created - wanted} replicas more than wanted are not gone yet`)
  if (updated > available) return waiting(`${available} of ${updated} replicas available`)
  if (wanted > readNumber(status, 'readyReplicas', 0)) {
    return waiting(`${readNumber(status, 'readyReplicas', 0)} of ${wanted} replicas ready`)
  }
  // Without a deadline (absent, or the largest int32) the controller writes no Progressing condition.
  const deadline = readNumber(spec, 'progressDeadlineSeconds', 2 ** 31 - 1)
  const rolledOut = progressing?.status === 'True' && progressing.reason === 'NewReplicaSetAvailable'
  if (deadline < 2 ** 31 - 1 && !rolledOut) {
    return waiting(progressing === undefined ? 'its rollout has not begun' : describeCondition(progressing))
  }
  const availability = findCondition(object, 'Available')
  if (availability?.status !== 'True') {
    return waiting(availability === undefined ? 'not reported as available yet' : describeCondition(availability))
  }
  return current(`${available} of ${wanted} replicas available`)
}

/** ReplicaSet, and ReplicationController, which has the same status. */
export const judgeReplicaSet: JudgeKind = (object) => {
  const {status, wanted} = readReplicas(object)
  const failure = findCondition(object, 'ReplicaFailure')
  if (failure?.status === 'True') return inProgress(describeCondition(failure))
  const labelled = readNumber(status, 'fullyLabeledReplicas', 0)
  const available = readNumber(status, 'availableReplicas', 0)
  const ready = readNumber(status, 'readyReplicas', 0)
  const created = readNumber(status, 'replicas', 0)
  if (wanted > labelled) return inProgress(`${labelled} of ${wanted} replicas created with the template's labels`)
  if (wanted > available) return inProgress(`${available} of ${wanted} replicas available`)
  if (wanted > ready) return inProgress(`${ready} of ${wanted} replicas ready`)
  if (created > wanted) return inProgress(`${created - wanted} replicas more than wanted are not gone yet`)
  return current(`${available} of ${wanted} replicas available`)
}

/** StatefulSet; with `OnDelete` it is the user who replaces pods, so there is nothing to wait for. */
export const judgeStatefulSet: JudgeKind = (object) => {
  const {spec, status, wanted} = readReplicas(object)
  const strategy = childObject(spec, 'updateStrategy')
  if (readText(strategy, 'type') === 'OnDelete') return current('pods are updated when someone deletes them (OnDelete)')
  const created = readNumber(status, 'replicas', 0)
  const ready = readNumber(status, 'readyReplicas', 0)
  const updated = readNumber(status, 'updatedReplicas', 0)
  if (wanted > created) return inProgress(`${created} of ${wanted} replicas created`)
  if (wanted > ready) return inProgress(`${ready} of ${wanted} replicas ready`)
  if (created > wanted) return inProgress(`${created - wanted} replicas more than wanted are not gone yet`)

  const partition = readNumber(childObject(strategy, 'rollingUpdate'), 'partition', -1)
  if (partition >= 0) {
    const due = Math.max(0, wanted - partition)
    if (updated < due) return inProgress(`${updated} of ${due} replicas updated to the present template`)
    return current(`${ready} of ${wanted} replicas ready`)
  }
  const present = readNumber(status, 'currentReplicas', 0)
  if (wanted > present) return inProgress(`${present} of ${wanted} replicas at the current revision`)
  if (readText(status, 'currentRevision') !== readText(status, 'updateRevision')) {
    return inProgress('the rollout to the present template is not through yet')
  }
  return current(`${ready} of ${wanted} replicas ready`)
}

/** DaemonSet: a pod of the present template is available on every node that should have one. */
export const judgeDaemonSet: JudgeKind = (object) => {
  const strategy = childObject(childObject(object, 'spec'), 'updateStrategy')
  if (readText(strategy, 'type') === 'OnDelete') return current('pods are updated when someone deletes them (OnDelete)')
  const status = childObject(object, 'status')
  const wanted = readNumber(status, 'desiredNumberScheduled', -1)
  if (wanted < 0) return inProgress('its controller has not counted the nodes yet')
  const counts = [
    ['currentNumberScheduled', 'nodes run its pod'],
    ['updatedNumberScheduled', 'nodes run the present template'],
    ['numberAvailable', 'pods available'],
    ['numberReady', 'pods ready'],
  ] as const
  for (const [key, meaning] of counts) {
    const count = readNumber(status, key, 0)
    if (wanted > count) return inProgress(`${count} of ${wanted} ${meaning}`)
  }
  return current(`${wanted} of ${wanted} pods available`)
}

function readReplicas(object: JsonObject): {
  spec: JsonObject | undefined
  status: JsonObject | undefined
  wanted: number
} {
  const spec = childObject(object, 'spec')
  return {spec, status: childObject(object, 'status'), wanted: readNumber(spec, 'replicas', 1)}
}

// Why pods can't even be created (quota, admission, security) is told here only.
function withReplicaFailure(object: JsonObject, reason: string): string {
  const failure = findCondition(object, 'ReplicaFailure')
  return failure?.status === 'True' ? `${reason}; ${describeCondition(failure)}` : reason
}
