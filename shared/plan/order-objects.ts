import type {Manifest} from '../model/manifest.ts'
import {type ObjectRef, refOf} from '../model/object-ref.ts'
import {builtInScope} from './scope.ts'

/**
 * The stages of an apply, in order. One must be through before the next begins, and CustomResourceDefinitions must be
 * established and served: `definitions` make other objects possible, `environment` is what workloads need to be there,
 * `extensions` are custom resources, `interceptors` (webhook configurations, admission policies, aggregated APIs) can stop every later request.
 */
export const APPLY_STAGES = ['definitions', 'environment', 'workloads', 'extensions', 'interceptors'] as const
export type ApplyStage = (typeof APPLY_STAGES)[number]

// The order within a stage is the order in which requests are begun. Role bindings come a stage after roles: the API server
// refuses a binding whose role it can't find.
const kindOrder: Record<ApplyStage, string[]> = {
  definitions: [
    'CustomResourceDefinition',
    'Namespace',
    'PriorityLevelConfiguration',
    'PriorityClass',
    'RuntimeClass',
    'StorageClass',
    'VolumeAttributesClass',
    'IngressClass',
    'DeviceClass',
    'CSIDriver',
    'ClusterTrustBundle',
    'ServiceCIDR',
    'ClusterRole',
  ],
  environment: [
    'ResourceQuota',
    'LimitRange',
    'ServiceAccount',
    'Role',
    'ClusterRoleBinding',
    'Secret',
    'ConfigMap',
    'PersistentVolume',
    'PersistentVolumeClaim',
    'ResourceClaimTemplate',
    'ResourceClaim',
    'NetworkPolicy',
    'FlowSchema',
    'Service',
    'Endpoints',
    'EndpointSlice',
  ],
  workloads: [
    'RoleBinding',
    'PodTemplate',
    'DaemonSet',
    'StatefulSet',
    'Deployment',
    'ReplicaSet',
    'ReplicationController',
    'Pod',
    'Job',
    'CronJob',
    'PodDisruptionBudget',
    'HorizontalPodAutoscaler',
    'Ingress',
  ],
  extensions: [],
  interceptors: [
    'APIService',
    'MutatingAdmissionPolicy',
    'MutatingAdmissionPolicyBinding',
    'MutatingWebhookConfiguration',
    'ValidatingAdmissionPolicy',
    'ValidatingAdmissionPolicyBinding',
    'ValidatingWebhookConfiguration',
  ],
}

const places = new Map<string, {stage: ApplyStage; rank: number}>(
  APPLY_STAGES.flatMap((stage) =>
    kindOrder[stage].map((kind, rank): [string, {stage: ApplyStage; rank: number}] => [kind, {stage, rank}]),
  ),
)

/** Tells in which stage an object is applied. A built-in kind without a place of its own counts as a workload. */
export function applyStageOf(ref: Pick<ObjectRef, 'group' | 'kind'>): ApplyStage {
  return placeOf(ref).stage
}

/**
 * Splits manifests into the stages of an apply, in the order of `APPLY_STAGES`; stages without an object are left out.
 * Within a stage objects are sorted by kind and otherwise keep their order, and may be applied all at once.
 */
export function orderObjects(manifests: Manifest[]): Manifest[][] {
  return toStages(manifests, refOf)
}

/**
 * Splits what is to be deleted into stages: the exact reverse of the apply. Interceptors go first (they could refuse the other deletions), then
 * custom resources while their controllers still run, definitions last. Objects of one stage may be deleted all at once.
 */
export function pruneOrder(refs: ObjectRef[]): ObjectRef[][] {
  return toStages(refs, (ref) => ref)
    .map((stage) => stage.toReversed())
    .toReversed()
}

function toStages<T>(items: T[], identify: (item: T) => ObjectRef): T[][] {
  const placed = items.map((item) => ({item, ...placeOf(identify(item))}))
  return APPLY_STAGES.map((stage) =>
    placed
      .filter((entry) => entry.stage === stage)
      .sort((a, b) => a.rank - b.rank)
      .map(({item}) => item),
  ).filter((stage) => stage.length > 0)
}

function placeOf({group, kind}: Pick<ObjectRef, 'group' | 'kind'>): {stage: ApplyStage; rank: number} {
  if (builtInScope(group, kind) === 'unknown') {
    // A custom class (GatewayClass, ClusterSecretStoreClass, …) is named by other custom resources: before them, but after its own definition.
    return kind.endsWith('Class') ? {stage: 'environment', rank: -1} : {stage: 'extensions', rank: 0}
  }
  return places.get(kind) ?? {stage: 'workloads', rank: Number.MAX_SAFE_INTEGER}
}
