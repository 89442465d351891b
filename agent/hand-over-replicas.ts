import {stringifyExact} from '#shared/bundle/exact-json.ts'
import {childObject, isJsonObject, type Json} from '#shared/model/manifest.ts'
import {groupOf, type ObjectRef, refKey} from '#shared/model/object-ref.ts'
import type {KubeClient, ResourceType} from './kube/kube-client.ts'
import type {KubeObject} from './kube/kube-object.ts'
import {FIELD_MANAGER, HANDOVER_MANAGER} from './marks.ts'
import {type PlannedBundle, type PlannedObject, parseBody} from './plan-objects.ts'

const scalerKinds = new Set(['autoscaling/HorizontalPodAutoscaler', 'keda.sh/ScaledObject'])
const targets = new WeakMap<PlannedBundle, ReadonlyMap<string, ObjectRef>>()

/**
 * Keeps the number of replicas where it is no longer declared, since a scaler of the same bundle is to decide it: given up by its only
 * owner the server would set it to 1. Another field manager holds it until the scaler changes it. Rejects with `KubeError`.
 */
export async function handOverReplicas(
  kube: Pick<KubeClient, 'get' | 'apply'>,
  bundle: PlannedBundle,
  object: PlannedObject,
  type: ResourceType,
  impersonate: string | undefined,
): Promise<void> {
  const {ref} = object
  if (scalerOf(bundle, object) === undefined) return
  const live = await kube.get(type, ref, 'whole')
  const replicas = live === 'absent' ? undefined : replicasToKeep(live)
  if (replicas === undefined) return
  const {name, namespace} = ref
  const body = {apiVersion: object.apiVersion, kind: ref.kind, metadata: {name, namespace}, spec: {replicas}}
  await kube.apply(type, ref, stringifyExact(body), {
    fieldManager: HANDOVER_MANAGER,
    force: true,
    detail: 'metadata',
    ...(impersonate === undefined ? {} : {impersonate}),
  })
}

/** The scaler of the same bundle that is to decide an object's replicas; undefined where there is none, or the object declares them. */
export function scalerOf(bundle: PlannedBundle, object: PlannedObject): ObjectRef | undefined {
  const scaler = scaledBy(bundle).get(object.key)
  return scaler === undefined || childObject(parseBody(object), 'spec')?.replicas !== undefined ? undefined : scaler
}

/** The number that would be lost with our ownership of it. */
export function replicasToKeep(live: KubeObject): number | undefined {
  const replicas = childObject(live, 'spec')?.replicas
  return typeof replicas === 'number' && ownsReplicas(live.metadata.managedFields) ? replicas : undefined
}

/** What scalers of a bundle scale, by its key. */
function scaledBy(bundle: PlannedBundle): ReadonlyMap<string, ObjectRef> {
  const known = targets.get(bundle)
  if (known !== undefined) return known
  const scalers = [...bundle.objects.values()].filter(({ref}) => scalerKinds.has(`${ref.group}/${ref.kind}`))
  const pairs = scalers.flatMap((scaler): [string, ObjectRef][] => {
    const target = childObject(childObject(parseBody(scaler), 'spec'), 'scaleTargetRef')
    const {apiVersion = 'apps/v1', kind = 'Deployment', name} = target ?? {}
    if (typeof apiVersion !== 'string' || typeof kind !== 'string' || typeof name !== 'string') return []
    return [[refKey({group: groupOf(apiVersion), kind, namespace: scaler.ref.namespace, name}), scaler.ref]]
  })
  const found = new Map(pairs)
  targets.set(bundle, found)
  return found
}

function ownsReplicas(managedFields: Json | undefined): boolean {
  const entries = Array.isArray(managedFields) ? managedFields.filter(isJsonObject) : []
  const own = entries.find(({manager, operation}) => manager === FIELD_MANAGER && operation === 'Apply')
  return childObject(childObject(own, 'fieldsV1'), 'f:spec')?.['f:replicas'] !== undefined
}
