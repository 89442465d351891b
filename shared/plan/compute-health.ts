import {childObject, type Json, type JsonObject} from '../model/manifest.ts'
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
  asNumber,
  describeCondition,
  failed,
  findCondition,
  inProgress,
  type JudgeKind,
  type ObjectHealth,
  readText,
} from './health/read-status.ts'
import type {HealthRules} from './health-rules/health-rule.ts'
import {wellKnownHealthRules} from './health-rules/well-known-rules.ts'
import {hideSecrets} from './hide-secrets.ts'

export type {ObjectHealth} from './health/read-status.ts'

const builtIn = new Map<string, JudgeKind>([
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

export interface HealthOptions {
  /**
   * What knows of kinds beyond the built-in ones, and comes before those.
   * @default wellKnownHealthRules; `layerHealthRules(ofTheUser, wellKnownHealthRules)` puts a user's rules on top.
   */
  rules?: HealthRules
  /** Matters only to a pod that can't be scheduled: in progress for its first 15 seconds, failed after. @default the pod counts as old */
  now?: Date
}

/**
 * Computes the health of one live object from the object alone: by kstatus's rules for the built-in kinds (kubernetes-sigs/cli-utils, pkg/kstatus), by the rules handed in
 * for others, and by what is common usage where there is none. Being deleted, and a spec that its controller has not seen yet, come before any rule. Never throws: what is
 * malformed counts as absent. What looks like a secret in the words of a controller is hidden. `NotFound` is never returned: an object that isn't there is the caller's to tell.
 */
export function computeHealth(
  object: JsonObject,
  {rules = wellKnownHealthRules, now}: HealthOptions = {},
): ObjectHealth {
  const found = judge(object, rules, now)
  return found.health === 'Current' ? found : {...found, reason: hideSecrets(found.reason)}
}

function judge(object: JsonObject, rules: HealthRules, now: Date | undefined): ObjectHealth {
  const kind = `${groupOf(readText(object, 'apiVersion'))}/${readText(object, 'kind')}`
  const general = judgeLifecycle(object, observed.has(kind))
  if (general !== undefined) return general
  const ruled = rules(kind)?.(object, now)
  if (ruled !== undefined) return ruled
  return judgeReconciling(object) ?? (builtIn.get(kind) ?? judgeGeneric)(object, now)
}

/** What holds for every kind, and before any rule: being deleted, not yet seen by its controller. */
function judgeLifecycle(object: JsonObject, mustBeObserved: boolean): ObjectHealth | undefined {
  const metadata = childObject(object, 'metadata')
  if (readText(metadata, 'deletionTimestamp') !== '') {
    const finalizers = Array.isArray(metadata?.finalizers) ? metadata.finalizers.join(', ') : ''
    return {
      health: 'Terminating',
      reason: finalizers === '' ? 'it is being deleted' : `it is being deleted; it waits for ${finalizers}`,
    }
  }
  const generation = asNumber(metadata?.generation)
  const seen = readObserved(childObject(object, 'status')?.observedGeneration)
  if (generation !== undefined) {
    if (seen !== undefined && seen !== generation) {
      return inProgress(`its controller has seen generation ${seen}, the object is at ${generation}`)
    }
    if (mustBeObserved && seen === undefined) return inProgress('its controller has not seen it yet')
  }
  return undefined
}

// Some write the number as a text; others (Argo Rollouts once did) a hash, which is no number or a far larger one.
function readObserved(value: Json | undefined): number | undefined {
  return typeof value === 'string' && /^\d{1,6}$/.test(value) ? Number(value) : asNumber(value)
}

/** kstatus's own two conditions, for every kind whose rule has not answered. */
function judgeReconciling(object: JsonObject): ObjectHealth | undefined {
  const stalled = findCondition(object, 'Stalled')
  if (stalled?.status === 'True') return failed(describeCondition(stalled))
  const reconciling = findCondition(object, 'Reconciling')
  return reconciling?.status === 'True' ? inProgress(describeCondition(reconciling)) : undefined
}
