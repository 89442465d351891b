import {stringifyExact} from '#shared/bundle/exact-json.ts'
import {childObject, isJsonObject, type JsonObject} from '#shared/model/manifest.ts'
import {formatRef, type ObjectRef} from '#shared/model/object-ref.ts'
import type {KubeClient, ResourceType} from './kube/kube-client.ts'
import {isKubeError} from './kube/kube-error.ts'
import type {KubeObject} from './kube/kube-object.ts'
import {EXEMPTION_MANAGER} from './marks.ts'
import {matchesMemory, memoryTypes} from './match-memory.ts'
import {type PlannedObject, parseBody} from './plan-objects.ts'

/** The match condition that leaves the agent's memory out of a webhook or policy. */
const CONDITION = 'memory.drawbridge.dev'
const group = 'admissionregistration.k8s.io'
const plurals: Readonly<Record<string, string>> = {
  ValidatingWebhookConfiguration: 'validatingwebhookconfigurations',
  MutatingWebhookConfiguration: 'mutatingwebhookconfigurations',
  ValidatingAdmissionPolicy: 'validatingadmissionpolicies',
}

/** The type of what can refuse the agent's writes and has match conditions; undefined of all else. */
export function interceptorType({group: of, kind}: ObjectRef): ResourceType | undefined {
  const plural = of === group ? plurals[kind] : undefined
  return plural === undefined ? undefined : {group, version: 'v1', kind, plural, namespaced: false}
}

/**
 * What kept the agent from a write: a webhook or policy, by its name; or, where there was no answer in time, any webhook that may be asked of such
 * writes. Then `labels` are those of the agent's namespace.
 */
export type Obstacle = {webhook: string} | {policy: string} | {labels: JsonObject}

/**
 * Leaves the agent's memory out of a webhook configuration or policy that is, or has, the obstacle, as another field manager than the app's.
 * `'unchanged'`: it is not that, or leaves the memory out already. Rejects with `KubeError`.
 */
export async function exemptMemory(
  kube: Pick<KubeClient, 'apply'>,
  type: ResourceType,
  live: KubeObject,
  {obstacle, namespace, impersonate}: {obstacle: Obstacle; namespace: string; impersonate?: string},
): Promise<'exempted' | 'unchanged'> {
  const {name} = live.metadata
  const all = webhooksOf(live)
  const policy = 'policy' in obstacle && obstacle.policy === name ? childObject(live, 'spec') : undefined
  const found = all?.filter((webhook) => isObstacle(webhook, obstacle)) ?? (policy === undefined ? [] : [policy])
  if (found.every(({matchConditions}) => exemptionIn(matchConditions).length > 0)) return 'unchanged'
  const matchConditions = [{name: CONDITION, expression: expressionOf(namespace)}]
  const body =
    all === undefined
      ? {spec: {matchConditions}}
      : {webhooks: all.map(({name}) => ({name: String(name), matchConditions}))}
  await applyExemption(kube, type, name, body, impersonate)
  return 'exempted'
}

function isObstacle(webhook: JsonObject, obstacle: Obstacle): boolean {
  if ('labels' in obstacle) return matchesMemory(webhook, obstacle.labels)
  return 'webhook' in obstacle && webhook.name === obstacle.webhook
}

/** Takes the exemption from webhooks that are no longer declared: what would be left of them is not valid. Rejects with `KubeError`. */
export async function trimExemption(
  kube: Pick<KubeClient, 'get' | 'apply'>,
  object: PlannedObject,
  impersonate: string | undefined,
): Promise<void> {
  const type = interceptorType(object.ref)
  if (type === undefined) return
  const {kept, dropped} = await compareExempt(kube, type, object.ref, parseBody(object))
  if (dropped === 0) return
  await applyExemption(kube, type, object.ref.name, {webhooks: kept}, impersonate)
}

/**
 * Tells whether a dry run was refused for what `trimExemption` takes away before the apply itself. `declared` is what was sent. Its own faults
 * are then told by the apply.
 */
export async function isTrimmedLater(
  kube: Pick<KubeClient, 'get'>,
  ref: ObjectRef,
  declared: JsonObject,
  error: unknown,
): Promise<boolean> {
  const type = interceptorType(ref)
  if (type === undefined || !isKubeError(error, 'INVALID')) return false
  return (await compareExempt(kube, type, ref, declared)).dropped > 0
}

/** Which exempt webhooks of a configuration would be declared still, and how many would not. */
async function compareExempt(
  kube: Pick<KubeClient, 'get'>,
  type: ResourceType,
  ref: ObjectRef,
  declared: JsonObject,
): Promise<{kept: ExemptWebhook[]; dropped: number}> {
  const live = await kube.get(type, ref, 'whole')
  const exempt = live === 'absent' ? [] : exemptWebhooks(live)
  const names = new Set(webhooksOf(declared)?.map(({name}) => name))
  const kept = exempt.filter(({name}) => names.has(name))
  return {kept, dropped: exempt.length - kept.length}
}

/** Tells whether the memory is left out of it, and it would be asked of that otherwise. `labels` are those of the agent's namespace. */
export function isExempt(live: KubeObject, labels: JsonObject): boolean {
  const spec = childObject(live, 'spec')
  const webhooks = (webhooksOf(live) ?? []).filter((webhook) => matchesMemory(webhook, labels))
  const policies =
    spec !== undefined && matchesMemory(childObject(spec, 'matchConstraints') ?? {}, labels) ? [spec] : []
  return [...webhooks, ...policies].some(({matchConditions}) => exemptionIn(matchConditions).length > 0)
}

/** Says what was done, and what is to do. */
export function describeExemption(ref: ObjectRef, namespace: string): string {
  return `${formatRef(ref)} kept the agent from writing what it must remember, so the agent's own objects in ${namespace} were left out of it (match condition ${CONDITION}). Leave that namespace out in git by namespaceSelector`
}

async function applyExemption(
  kube: Pick<KubeClient, 'apply'>,
  type: ResourceType,
  name: string,
  body: JsonObject,
  impersonate: string | undefined,
): Promise<void> {
  const object = {apiVersion: `${group}/v1`, kind: type.kind, metadata: {name}, ...body}
  await kube.apply(type, {namespace: '', name}, stringifyExact(object), {
    fieldManager: EXEMPTION_MANAGER,
    force: true,
    detail: 'metadata',
    ...(impersonate === undefined ? {} : {impersonate}),
  })
}

/** False of a write of the agent's memory alone. What is not in a namespace has no `request.namespace`. */
function expressionOf(namespace: string): string {
  const kinds = memoryTypes.map(({group, plural}) => `${group}/${plural}`)
  return `!has(request.namespace) || request.namespace != ${JSON.stringify(namespace)} || !((request.resource.group + "/" + request.resource.resource) in ${JSON.stringify(kinds)})`
}

/** Undefined of a policy. */
function webhooksOf({webhooks}: JsonObject): JsonObject[] | undefined {
  return Array.isArray(webhooks) ? webhooks.filter(isJsonObject) : undefined
}

interface ExemptWebhook extends JsonObject {
  name: string
  matchConditions: JsonObject[]
}

function exemptWebhooks(live: KubeObject): ExemptWebhook[] {
  return (webhooksOf(live) ?? [])
    .map(({name, matchConditions}) => ({name: String(name), matchConditions: exemptionIn(matchConditions)}))
    .filter(({matchConditions}) => matchConditions.length > 0)
}

function exemptionIn(conditions: unknown): JsonObject[] {
  return Array.isArray(conditions) ? conditions.filter(isJsonObject).filter(({name}) => name === CONDITION) : []
}
