import {stringifyExact} from '#shared/bundle/exact-json.ts'
import {childObject, isJsonObject, type Json} from '#shared/model/manifest.ts'
import {groupOf, refKey} from '#shared/model/object-ref.ts'
import type {LoadedBundle} from './app-state.ts'
import type {KubeClient, ResourceType} from './kube/kube-client.ts'
import {FIELD_MANAGER, HANDOVER_MANAGER} from './marks.ts'
import {type PlannedObject, parseBody} from './plan-objects.ts'

const scalerKinds = new Set(['autoscaling/HorizontalPodAutoscaler', 'keda.sh/ScaledObject'])
const targets = new WeakMap<LoadedBundle, ReadonlySet<string>>()

/**
 * Keeps the number of replicas where it is no longer declared, since a scaler of the same bundle is to decide it: given up by its only
 * owner the server would set it to 1. Another field manager holds it until the scaler changes it. Rejects with `KubeError`.
 */
export async function handOverReplicas(
  kube: Pick<KubeClient, 'get' | 'apply'>,
  bundle: LoadedBundle,
  object: PlannedObject,
  type: ResourceType,
  impersonate: string | undefined,
): Promise<void> {
  const {ref} = object
  if (!scaledBy(bundle).has(object.key) || childObject(parseBody(object), 'spec')?.replicas !== undefined) return
  const live = await kube.get(type, ref, 'whole')
  if (live === 'absent' || !ownsReplicas(live.metadata.managedFields)) return
  const replicas = childObject(live, 'spec')?.replicas
  if (typeof replicas !== 'number') return
  const {name, namespace} = ref
  const body = {apiVersion: object.apiVersion, kind: ref.kind, metadata: {name, namespace}, spec: {replicas}}
  await kube.apply(type, ref, stringifyExact(body), {
    fieldManager: HANDOVER_MANAGER,
    force: true,
    detail: 'metadata',
    ...(impersonate === undefined ? {} : {impersonate}),
  })
}

/** The keys of the objects that scalers of a bundle scale. */
function scaledBy(bundle: LoadedBundle): ReadonlySet<string> {
  const known = targets.get(bundle)
  if (known !== undefined) return known
  const scalers = [...bundle.objects.values()].filter(({ref}) => scalerKinds.has(`${ref.group}/${ref.kind}`))
  const keys = scalers.flatMap((scaler) => {
    const target = childObject(childObject(parseBody(scaler), 'spec'), 'scaleTargetRef')
    const {apiVersion = 'apps/v1', kind = 'Deployment', name} = target ?? {}
    if (typeof apiVersion !== 'string' || typeof kind !== 'string' || typeof name !== 'string') return []
    return [refKey({group: groupOf(apiVersion), kind, namespace: scaler.ref.namespace, name})]
  })
  const found = new Set(keys)
  targets.set(bundle, found)
  return found
}

function ownsReplicas(managedFields: Json | undefined): boolean {
  const entries = Array.isArray(managedFields) ? managedFields.filter(isJsonObject) : []
  const own = entries.find(({manager, operation}) => manager === FIELD_MANAGER && operation === 'Apply')
  return childObject(childObject(own, 'fieldsV1'), 'f:spec')?.['f:replicas'] !== undefined
}
