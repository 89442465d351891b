import {describeError} from '#shared/model/drawbridge-error.ts'
import {computeHealth} from '#shared/plan/compute-health.ts'
import {layerHealthRules} from '#shared/plan/health-rules/compile-health-rules.ts'
import type {HealthRules} from '#shared/plan/health-rules/health-rule.ts'
import {wellKnownHealthRules} from '#shared/plan/health-rules/well-known-rules.ts'
import {apiVersionOf, type Detail, type ResourceType} from './kube/kube-client.ts'
import {type KubeObject, labelOf} from './kube/kube-object.ts'
import type {LiveObject} from './live-index.ts'
import {APP_LABEL} from './marks.ts'
import {shortenText} from './shorten-text.ts'

/** Kinds without a status of their own: known by metadata alone, and Current as soon as they are there. */
const metadataKinds = new Set(
  (
    'ConfigMap Secret ServiceAccount Endpoints LimitRange PodTemplate Role.rbac.authorization.k8s.io RoleBinding.rbac.authorization.k8s.io ' +
    'ClusterRole.rbac.authorization.k8s.io ClusterRoleBinding.rbac.authorization.k8s.io NetworkPolicy.networking.k8s.io ' +
    'IngressClass.networking.k8s.io PriorityClass.scheduling.k8s.io StorageClass.storage.k8s.io RuntimeClass.node.k8s.io ' +
    'CSIDriver.storage.k8s.io EndpointSlice.discovery.k8s.io Lease.coordination.k8s.io ' +
    'ValidatingWebhookConfiguration.admissionregistration.k8s.io MutatingWebhookConfiguration.admissionregistration.k8s.io ' +
    'ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io MutatingAdmissionPolicyBinding.admissionregistration.k8s.io'
  ).split(' '),
)

/** How much of a type's objects must be seen: health is computed as they pass by, so no object is kept or read again for it. */
export function detailOf(ref: {group: string; kind: string}): Detail {
  return metadataKinds.has(ref.group === '' ? ref.kind : `${ref.kind}.${ref.group}`) ? 'metadata' : 'whole'
}

/** What judging an object takes. */
export interface Judging {
  rulesOf(app: string): HealthRules | undefined
  now(): Date
  /** Judges an object once more at a time, unless it changes before. */
  again(type: ResourceType, object: KubeObject, until: Date): void
}

/** What is known of an object's health from what was seen of it just now, and from what was known before. */
export function judgeLive(
  type: ResourceType,
  object: KubeObject,
  detail: Detail,
  terminating: boolean,
  known: LiveObject | undefined,
  judging: Judging,
): Pick<LiveObject, 'health' | 'healthReason' | 'healthPending'> {
  if (terminating) return {health: 'Terminating', healthReason: 'is being deleted', healthPending: false}
  if (detailOf(type) === 'metadata') return {health: 'Current', healthReason: 'is there', healthPending: false}
  if (detail === 'whole') {
    return {...healthOf(type, object, judging), healthPending: false}
  }
  // An answer to our own write: its status comes with the watch. Where the spec did not change, what was known still holds.
  if (known !== undefined && known.generation === object.metadata.generation && known.uid === object.metadata.uid) {
    return {health: known.health, healthReason: known.healthReason, healthPending: true}
  }
  return {health: 'InProgress', healthReason: 'was just applied', healthPending: true}
}

/** An object that the rules cannot be applied to must not stop the others of its kind from being seen. */
function healthOf(
  type: ResourceType,
  object: KubeObject,
  {rulesOf, now, again}: Judging,
): Pick<LiveObject, 'health' | 'healthReason'> {
  try {
    const own = rulesOf(labelOf(object, APP_LABEL) ?? '')
    const rules = own === undefined ? wellKnownHealthRules : layerHealthRules(own, wellKnownHealthRules)
    const named = {...object, apiVersion: apiVersionOf(type), kind: type.kind}
    const {health, reason, until} = computeHealth(named, {rules, now: now()})
    if (until !== undefined) again(type, object, until)
    return {health, healthReason: shortenText(reason)}
  } catch (error) {
    return {health: 'Unknown', healthReason: `its health cannot be computed: ${describeError(error)}`}
  }
}
