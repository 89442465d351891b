import {childObject} from '../../model/manifest.ts'
import {
  current,
  describeCondition,
  failed,
  findCondition,
  inProgress,
  type JudgeKind,
  readConditions,
  readNumber,
  readText,
} from './read-status.ts'

/** CustomResourceDefinition: established, so that its kind is served. */
export const judgeCustomResourceDefinition: JudgeKind = (object) => {
  const names = findCondition(object, 'NamesAccepted')
  if (names?.status === 'False') return failed(`its names are not accepted: ${describeCondition(names)}`)
  const established = findCondition(object, 'Established')
  if (established?.status === 'True') return current('the definition is established')
  return inProgress(
    established === undefined ? 'the definition is not established yet' : describeCondition(established),
  )
}

/** APIService: the aggregated API answers. */
export const judgeApiService: JudgeKind = (object) => {
  const available = findCondition(object, 'Available')
  if (available?.status === 'True') return current('the API is available')
  return inProgress(available === undefined ? 'the API is not available yet' : describeCondition(available))
}

/** Namespace: there, unless it is going away. */
export const judgeNamespace: JudgeKind = (object) => {
  if (readText(childObject(object, 'status'), 'phase') !== 'Terminating') return current('the namespace is active')
  const stuck = readConditions(object).filter((condition) => condition.status === 'True')
  const why = stuck.map(describeCondition).join('; ')
  return {health: 'Terminating', reason: why === '' ? 'the namespace is being emptied' : why}
}

/** PodDisruptionBudget: Current once its controller has seen it (which `status.observedGeneration` tells). */
export const judgePodDisruptionBudget: JudgeKind = (object) => {
  const status = childObject(object, 'status')
  if (status === undefined) return inProgress('its controller has not seen it yet')
  return current(
    `${readNumber(status, 'disruptionsAllowed', 0)} disruptions allowed, ${readNumber(status, 'currentHealthy', 0)} pods healthy`,
  )
}

/** HorizontalPodAutoscaler: able to read its target and its metrics; scaling that is off because the target has no replicas is right. */
export const judgeHorizontalPodAutoscaler: JudgeKind = (object) => {
  for (const type of ['AbleToScale', 'ScalingActive']) {
    const condition = findCondition(object, type)
    if (condition?.status === 'False' && condition.reason !== 'ScalingDisabled')
      return inProgress(describeCondition(condition))
  }
  const status = childObject(object, 'status')
  return current(
    `${readNumber(status, 'currentReplicas', 0)} replicas, ${readNumber(status, 'desiredReplicas', 0)} wanted`,
  )
}
