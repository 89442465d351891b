import {childObject, type JsonObject} from '../../model/manifest.ts'
import {inProgress, type ObjectHealth, readNumber} from './read-status.ts'

/** Judges by counts that custom workloads copy from the built-in ones: undefined where all are as wanted or nothing is counted. */
export function judgeCounts(object: JsonObject): ObjectHealth | undefined {
  const status = childObject(object, 'status')
  if (status?.ready === false || status?.readyToUse === false) return inProgress('its status says that it is not ready')
  const wanted = readNumber(childObject(object, 'spec'), 'replicas', readNumber(status, 'replicas', 0))
  for (const [field, meaning] of [
    ['readyReplicas', 'ready'],
    ['availableReplicas', 'available'],
    ['updatedReplicas', 'updated to the present template'],
  ] as const) {
    const count = status?.[field]
    if (typeof count === 'number' && count < wanted) return inProgress(`${count} of ${wanted} replicas ${meaning}`)
  }
  return undefined
}
