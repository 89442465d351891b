import {childObject, type JsonObject} from '../model/manifest.ts'
import {groupOf} from '../model/object-ref.ts'
import {
  judgeApiService,
  judgeCustomResourceDefinition,
  judgeHorizontalPodAutoscaler,
  judgeNamespace,
  judgePodDisruptionBudget,
} from './health/judge-cluster-services.ts'
import {judgeGeneric} from './health/judge-generic.ts'
import {judgeCronJob, judgeJob} from './health/judge-jobs.ts'
import {judgePod} from './health/judge-pods.ts'
import {judgeIngress, judgePersistentVolumeClaim, judgeService} from './health/judge-storage-and-network.ts'
import {judgeDaemonSet, judgeDeployment, judgeReplicaSet, judgeStatefulSet} from './health/judge-workloads.ts'
import {
  describeCondition,
  failed,
  findCondition,
  type HealthRule,
  inProgress,
  type ObjectHealth,
  readText,
} from './health/read-status.ts'

export type {ObjectHealth} from './health/read-status.ts'

const rules = new Map<string, HealthRule>([
  ['apps/Deployment', judgeDeployment],
  ['apps/ReplicaSet', judgeReplicaSet],
  ['/ReplicationController', judgeReplicaSet],
  ['apps/StatefulSet', judgeStatefulSet],
  ['apps/DaemonSet', judgeDaemonSet],
  ['/Pod', judgePod],
  ['batch/Job', judgeJob],
  ['batch/CronJob', judgeCronJob],
  ['/PersistentVolumeClaim', judgePersistentVolumeClaim],
  ['/Service', judgeService],
  ['networking.k8s.io/Ingress', judgeIngress],
  ['/Namespace', judgeNamespace],
  ['policy/PodDisruptionBudget', judgePodDisruptionBudget],
  ['autoscaling/HorizontalPodAutoscaler', judgeHorizontalPodAutoscaler],
  ['apiextensions.k8s.io/CustomResourceDefinition', judgeCustomResourceDefinition],
  ['apiregistration.k8s.io/APIService', judgeApiService],
])

// Their controllers always write observedGeneration: without it the counts in the status are not about this object yet.
const observed = new Set(['apps/Deployment', 'apps/ReplicaSet', 'apps/StatefulSet', 'apps/DaemonSet'])

/**
 * Computes the health of one live object from the object alone, by kstatus's rules (kubernetes-sigs/cli-utils, pkg/kstatus). Never throws: what is
 * malformed counts as absent. `now` matters only to a pod that can't be scheduled (in progress for its first 15 seconds, failed after);
 * without it the pod counts as old. `NotFound` is never returned: an object that isn't there is the caller's to tell.
 */
export function computeHealth(object: JsonObject, now?: Date): ObjectHealth {
  const kind = `${groupOf(readText(object, 'apiVersion'))}/${readText(object, 'kind')}`
  const general = judgeLifecycle(object, observed.has(kind))
  if (general !== undefined) return general
  const rule = rules.get(kind)
  return rule === undefined ? judgeGeneric(object) : rule(object, now)
}

/** What holds for every kind: being deleted, not yet seen by its controller, stalled, reconciling. */
function judgeLifecycle(object: JsonObject, mustBeObserved: boolean): ObjectHealth | undefined {
  const metadata = childObject(object, 'metadata')
  if (readText(metadata, 'deletionTimestamp') !== '') {
    const finalizers = Array.isArray(metadata?.finalizers) ? metadata.finalizers.join(', ') : ''
    return {
      health: 'Terminating',
      reason: finalizers === '' ? 'it is being deleted' : `it is being deleted; it waits for ${finalizers}`,
    }
  }
  const generation = metadata?.generation
  const seen = childObject(object, 'status')?.observedGeneration
  if (typeof generation === 'number') {
    if (typeof seen === 'number' && seen !== generation) {
      return inProgress(`its controller has seen generation ${seen}, the object is at ${generation}`)
    }
    if (mustBeObserved && typeof seen !== 'number') return inProgress('its controller has not seen it yet')
  }
  const stalled = findCondition(object, 'Stalled')
  if (stalled?.status === 'True') return failed(describeCondition(stalled))
  const reconciling = findCondition(object, 'Reconciling')
  return reconciling?.status === 'True' ? inProgress(describeCondition(reconciling)) : undefined
}
