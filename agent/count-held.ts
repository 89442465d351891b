import {describeError} from '#shared/model/drawbridge-error.ts'
import {childObject, isJsonObject} from '#shared/model/manifest.ts'
import {type ObjectRef, refKey} from '#shared/model/object-ref.ts'
import {countsAsHeld, type Held} from '#shared/plan/guard-prune.ts'
import type {AgentPorts} from './agent-context.ts'
import type {KubeClient, ResourceType} from './kube/kube-client.ts'
import {isKubeError, KubeError} from './kube/kube-error.ts'
import {metaText} from './kube/kube-object.ts'

const FIRST_PAUSE_MS = 1_000
const MAX_PAUSE_MS = 3_600_000

/** What an object held when it was last counted, and when to count again, by a monotonic clock. */
export interface HeldCount {
  held: Held
  until: number
  pauseMs: number
}

/**
 * The same as `countHeld`, but asks no more often than it pays: to count takes a list of every kind, so what still holds something is
 * counted again after a pause that doubles up to an hour. Never tells 0 from memory.
 */
export async function recountHeld(
  ports: Pick<AgentPorts, 'kube' | 'log'>,
  counts: Map<string, HeldCount>,
  type: ResourceType,
  ref: ObjectRef,
  ours: ReadonlySet<string>,
): Promise<Held> {
  const key = refKey(ref)
  const known = counts.get(key)
  if (known !== undefined && performance.now() < known.until) return known.held
  const held = await countHeld(ports, type, ref, ours)
  const pauseMs = Math.min(MAX_PAUSE_MS, known === undefined ? FIRST_PAUSE_MS : 2 * known.pauseMs)
  if (held === 0) counts.delete(key)
  else counts.set(key, {held, until: performance.now() + pauseMs, pauseMs})
  return held
}

/**
 * Counts what would be lost with an object beyond what this app deletes itself: a Namespace's content, a definition's custom
 * resources, a claim's data; 0 for every other kind, or why that cannot be told. `ours` holds the keys of what the same prune deletes.
 */
export async function countHeld(
  ports: Pick<AgentPorts, 'kube' | 'log'>,
  type: ResourceType,
  ref: ObjectRef,
  ours: ReadonlySet<string>,
): Promise<Held> {
  const {kube} = ports
  const kind = ref.group === '' ? ref.kind : `${ref.kind}.${ref.group}`
  if (!['Namespace', 'PersistentVolumeClaim', 'CustomResourceDefinition.apiextensions.k8s.io'].includes(kind)) return 0
  try {
    if (kind === 'Namespace') return await countInNamespace(kube, ref.name, ours)
    const object = await kube.get(type, ref, 'whole')
    if (object === 'absent') return 0
    if (kind === 'PersistentVolumeClaim') return childObject(object, 'status')?.phase === 'Bound' ? 1 : 0
    const instances = definedType(childObject(object, 'spec'))
    return instances === undefined ? {unknown: 'it is malformed'} : await countOfType(kube, instances, undefined, ours)
  } catch (error) {
    ports.log('warn', `cannot tell what ${kind} ${ref.name} holds: ${describeError(error)}`, {object: refKey(ref)})
    return {unknown: describeError(error)}
  }
}

async function countInNamespace(kube: KubeClient, namespace: string, ours: ReadonlySet<string>): Promise<number> {
  let held = 0
  const counted = new Set<string>()
  for (const apiVersion of await kube.listApiVersions()) {
    const types = await listServed(kube, apiVersion)
    if (types === 'absent') continue
    for (const type of types) {
      const name = `${type.group}/${type.plural}`
      if (!type.namespaced || type.listable === false || counted.has(name)) continue
      counted.add(name)
      held += await countOfType(kube, type, namespace, ours)
    }
  }
  return held
}

/** An API that another server than Kubernetes' own provides may be down alone: who reads of it must know which, and what helps. */
async function listServed(kube: KubeClient, apiVersion: string): Promise<ResourceType[] | 'absent'> {
  try {
    return await kube.listTypes(apiVersion)
  } catch (error) {
    if (!isKubeError(error, 'UNAVAILABLE')) throw error
    const [group, version] = apiVersion.split('/')
    const remedy = version === undefined ? '' : `; repair that API, or delete APIService ${version}.${group}`
    throw new KubeError(error.code, `${error.message}${remedy}`, error.details, {cause: error})
  }
}

async function countOfType(
  kube: KubeClient,
  type: ResourceType,
  namespace: string | undefined,
  ours: ReadonlySet<string>,
): Promise<number> {
  const where = {detail: 'metadata', ...(namespace === undefined ? {} : {namespace})} as const
  const {items} = await kube.list(type, where, (item) => {
    const ref = {group: type.group, kind: type.kind, namespace: metaText(item, 'namespace'), name: item.metadata.name}
    return !ours.has(refKey(ref)) && countsAsHeld(ref, item.metadata.ownerReferences) ? true : undefined
  })
  return items.length
}

function definedType(spec: ReturnType<typeof childObject>): ResourceType | undefined {
  const names = childObject(spec, 'names')
  const versions = Array.isArray(spec?.versions) ? spec.versions : []
  const served = versions.find((version) => isJsonObject(version) && version.served === true)
  if (!isJsonObject(served) || typeof served.name !== 'string') return undefined
  if (typeof spec?.group !== 'string' || typeof names?.plural !== 'string' || typeof names.kind !== 'string')
    return undefined
  return {
    group: spec.group,
    version: served.name,
    kind: names.kind,
    plural: names.plural,
    namespaced: spec.scope === 'Namespaced',
  }
}
