import {childObject, isJsonObject} from '../../model/manifest.ts'
import {current, inProgress, type JudgeKind, readList, readText} from './read-status.ts'

/** PersistentVolumeClaim: bound. */
export const judgePersistentVolumeClaim: JudgeKind = (object) => {
  const phase = readText(childObject(object, 'status'), 'phase')
  if (phase === 'Bound') return current('the claim is bound')
  const storageClass = readText(childObject(object, 'spec'), 'storageClassName')
  const of = storageClass === '' ? 'no storage class' : `storage class ${storageClass}`
  return inProgress(`the claim is not bound (${phase === '' ? 'not seen yet' : phase}, ${of})`)
}

/** Service: usable as soon as it is there; of type LoadBalancer, as soon as it has its cluster IP (as kstatus has it: an outer address is not waited for). */
export const judgeService: JudgeKind = (object) => {
  const spec = childObject(object, 'spec')
  if (readText(spec, 'type') !== 'LoadBalancer') return current('the service is there')
  if (readText(spec, 'clusterIP') === '') return inProgress('the load balancer service has no cluster IP yet')
  return current(describeAddresses(object))
}

/** Ingress: Current, with its address where it has one (not every controller writes it). */
export const judgeIngress: JudgeKind = (object) => current(describeAddresses(object))

function describeAddresses(object: Parameters<JudgeKind>[0]): string {
  const balancer = childObject(childObject(object, 'status'), 'loadBalancer')
  const addresses = readList(balancer, 'ingress').filter(isJsonObject)
  const first = addresses
    .map((entry) => readText(entry, 'hostname') || readText(entry, 'ip'))
    .find((text) => text !== '')
  return first === undefined ? 'no outer address yet' : `reachable at ${first}`
}
