import {setTimeout as sleep} from 'node:timers/promises'
import {describeError} from '#shared/model/drawbridge-error.ts'
import {childObject, isJsonObject, type JsonObject} from '#shared/model/manifest.ts'
import {countReasons, explainPod} from '#shared/plan/health/explain-pods.ts'
import {hideSecrets} from '#shared/plan/hide-secrets.ts'
import type {AgentContext} from './agent-context.ts'
import {type AppState, impersonatedUser, type LoadedBundle} from './app-state.ts'
import type {ResourceType} from './kube/kube-client.ts'
import type {PlannedObject} from './plan-objects.ts'
import {readAs} from './read-as.ts'

const MAX_EXPLAINED = 5
const LIMIT_MS = 5_000
const MAX_EVENT_LENGTH = 400

const workloads = new Set([
  'apps/Deployment',
  'apps/StatefulSet',
  'apps/DaemonSet',
  'apps/ReplicaSet',
  '/ReplicationController',
  'batch/Job',
])
const podType: ResourceType = {group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true}
const eventType: ResourceType = {group: '', version: 'v1', kind: 'Event', plural: 'events', namespaced: true}

/**
 * Notes in `explained` what the pods of an app's unhealthy workloads (the first 5) say, and why there are none. Asks the server only
 * now, as the app's identity, for at most 5 seconds; what it does not answer is left out.
 */
export async function explainUnhealthy(ctx: AgentContext, app: AppState): Promise<void> {
  const keys = [...app.unhealthy.keys()].filter((key) => {
    const object = app.bundle?.objects.get(key)
    return object !== undefined && workloads.has(`${object.ref.group}/${object.ref.kind}`)
  })
  const over = new AbortController()
  const explained = Promise.all(keys.slice(0, MAX_EXPLAINED).map((key) => explainOne(ctx, app, key)))
  await Promise.race([explained, sleep(LIMIT_MS, undefined, {signal: over.signal}).catch(() => undefined)])
  over.abort()
}

async function explainOne(ctx: AgentContext, app: AppState, key: string): Promise<void> {
  const object = app.bundle?.objects.get(key)
  const known = ctx.live.get(key)
  if (app.bundle === undefined || object?.type === undefined || known?.app !== app.name) return
  try {
    const words = await wordsOf(ctx, app, app.bundle, object, object.type)
    if (words !== '') app.explained.set(key, {of: known.healthReason, words})
  } catch (error) {
    ctx.ports.log('debug', `cannot tell why ${key} is not healthy: ${describeError(error)}`)
  }
}

async function wordsOf(
  ctx: AgentContext,
  app: AppState,
  bundle: LoadedBundle,
  {ref}: PlannedObject,
  type: ResourceType,
): Promise<string> {
  const {kube} = ctx.ports
  const user = impersonatedUser(bundle.app)
  const live = await readAs(ctx, app, bundle.app, type, ref, 'whole')
  if (live === 'absent') return ''
  const {namespace} = ref
  const labelSelector = formatSelector(childObject(live, 'spec')?.selector)
  const reasons =
    labelSelector === ''
      ? []
      : (await kube.list(podType, {detail: 'whole', namespace, labelSelector, ...user}, explainPod)).items
  const said = countReasons(reasons)
  if (said !== '') return said
  // No pod at all, or too few: what the controller was told when it tried to make one (quota, admission).
  const fieldSelector = `involvedObject.uid=${live.metadata.uid},type=Warning`
  let latest: JsonObject | undefined
  await kube.list(eventType, {detail: 'whole', namespace, fieldSelector, ...user}, (event) => {
    if (event.reason === 'FailedCreate' && (latest === undefined || compareTimes(event, latest) > 0)) latest = event
    return undefined
  })
  return typeof latest?.message === 'string'
    ? `FailedCreate: ${hideSecrets(latest.message).slice(0, MAX_EVENT_LENGTH)}`
    : ''
}

/** A label selector as the API takes it; '' for one that selects nothing. */
function formatSelector(selector: unknown): string {
  if (!isJsonObject(selector)) return ''
  // A ReplicationController's selector is the labels themselves.
  const structured = 'matchLabels' in selector || 'matchExpressions' in selector
  const labels = structured ? (childObject(selector, 'matchLabels') ?? {}) : selector
  const expressions = Array.isArray(selector.matchExpressions) ? selector.matchExpressions.filter(isJsonObject) : []
  return [
    ...Object.entries(labels).map(([label, value]) => `${label}=${value}`),
    ...expressions.flatMap(({key, operator, values}) => {
      const list = Array.isArray(values) ? `(${values.join(',')})` : '()'
      if (operator === 'In' || operator === 'NotIn') return [`${key} ${operator === 'In' ? 'in' : 'notin'} ${list}`]
      return operator === 'Exists' ? [`${key}`] : operator === 'DoesNotExist' ? [`!${key}`] : []
    }),
  ].join(',')
}

function compareTimes(a: JsonObject, b: JsonObject): number {
  const timeOf = ({lastTimestamp, eventTime}: JsonObject) => String(lastTimestamp ?? eventTime ?? '')
  return timeOf(a) < timeOf(b) ? -1 : 1
}
