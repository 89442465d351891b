import {childObject, isJsonObject, type JsonObject} from '#shared/model/manifest.ts'
import {formatRef} from '#shared/model/object-ref.ts'
import type {AppOrders} from './app-orders.ts'
import type {AppState} from './app-state.ts'
import {isStanding} from './reason-words.ts'
import {healthOf} from './track-health.ts'

const MAX_SHOWN = 10
const MAX_HISTORY = 5
const MAX_MESSAGE_LENGTH = 4_096

export interface DescribeOptions {
  /** The status that the App object has now; times of what did not change are taken from it. */
  before: JsonObject | undefined
  generation: number
  orders: AppOrders | undefined
  /** The annotation that asks for a reconcile, once what is published was looked at for it. */
  answered: string | undefined
  now: Date
}

interface Condition {
  type: string
  status: string
  reason: string
  message: string
}

/** Makes the status of an app's App object. The same state makes the same status, whenever it is made. */
export function describeApp(app: AppState, {before, generation, orders, answered, now}: DescribeOptions): JsonObject {
  const target = app.target?.state === 'present' ? app.target : undefined
  const at = wholeSeconds(now)
  const health = healthOf(app)
  const handled = (app.running === undefined ? answered : undefined) ?? before?.lastHandledReconcileAt
  const suspended = orders?.suspended === true
  return {
    observedGeneration: generation,
    conditions: conditionsOf(app, health).map((condition) => ({
      ...condition,
      message: condition.message.slice(0, MAX_MESSAGE_LENGTH),
      observedGeneration: generation,
      lastTransitionTime: transitionOf(condition, before) ?? at,
    })),
    ...(app.revision === undefined ? {} : {lastAppliedRevision: app.revision}),
    ...(target === undefined ? {} : {lastAttemptedRevision: target.revision, bundle: target.bundle.digest}),
    ...(typeof handled === 'string' ? {lastHandledReconcileAt: handled} : {}),
    health,
    ...(suspended ? {suspended} : {}),
    inventory: {count: app.inventory.size},
    drift: app.drifted.size,
    drifted: [...app.drifted.values()].slice(0, MAX_SHOWN).map(({ref, what, manager, since}) => ({
      object: formatRef(ref),
      what,
      ...(manager === undefined ? {} : {manager}),
      since: wholeSeconds(new Date(since)),
    })),
    unhealthy: [...app.unhealthy.values()]
      .slice(0, MAX_SHOWN)
      .map(({ref, health: objectHealth, reason}) => ({object: formatRef(ref), health: objectHealth, reason})),
    history: historyOf(app, before, at),
  }
}

/** Tells whether an app is on its way to something, so that what it is now will soon be different. */
export function isUnsettled(app: AppState): boolean {
  return app.condition.ready === 'Unknown' && (app.running !== undefined || app.wait === 'going-on')
}

function conditionsOf(app: AppState, health: ReturnType<typeof healthOf>): Condition[] {
  const {ready, reason, message} = app.condition
  const conditions: Condition[] = [{type: 'Ready', status: ready, reason, message}]
  // kstatus waits for what is Reconciling, and calls failed what is Stalled: nothing the agent does by itself is going to mend it.
  const retried = ready === 'False' && isTriedAgain(app)
  if (ready === 'Unknown' && reason !== 'Orphaned') {
    conditions.push({type: 'Reconciling', status: 'True', reason: 'Progressing', message})
  } else if (retried) {
    conditions.push({type: 'Reconciling', status: 'True', reason: 'ProgressingWithRetry', message})
  }
  if (ready === 'False' && !retried) conditions.push({type: 'Stalled', status: 'True', reason, message})
  const [first] = app.unhealthy.values()
  const worst = first === undefined ? '' : `: ${formatRef(first.ref)}: ${first.reason}`
  const objects = app.bundle?.objects.size ?? app.inventory.size
  const known = health !== 'Unknown' || app.unhealthy.size > 0
  const counted = `${objects - app.unhealthy.size} of ${objects} object(s) are healthy${worst}`
  const described = known ? counted : `the health of ${objects} object(s) is not known yet`
  conditions.push(
    health === 'Current'
      ? {type: 'Healthy', status: 'True', reason: 'Succeeded', message: described}
      : health === 'InProgress' || health === 'Unknown'
        ? {
            type: 'Healthy',
            status: 'Unknown',
            reason: health === 'Unknown' ? health : 'Progressing',
            message: described,
          }
        : {type: 'Healthy', status: 'False', reason: 'HealthCheckFailed', message: described},
  )
  return conditions
}

function isTriedAgain({outlook, condition: {reason}}: AppState): boolean {
  if (reason === 'PruneFailed') return true
  return outlook === 'tried-again' && !isStanding(reason)
}

function transitionOf({type, status}: Condition, before: JsonObject | undefined): string | undefined {
  const conditions = Array.isArray(before?.conditions) ? before.conditions : []
  const same = conditions.find((known) => isJsonObject(known) && known.type === type && known.status === status)
  const since = isJsonObject(same) ? same.lastTransitionTime : undefined
  return typeof since === 'string' ? since : undefined
}

/** One entry per revision that was brought to an end, the newest first. */
function historyOf(app: AppState, before: JsonObject | undefined, at: string): JsonObject[] {
  const known = (Array.isArray(before?.history) ? before.history : []).filter(isJsonObject)
  const {target, condition} = app
  if (target?.state !== 'present' || condition.ready === 'Unknown') return known
  const digest = target.bundle.digest
  const entry = {revision: target.revision, digest, lastReconciled: at, lastReconciledStatus: condition.reason}
  const [newest, ...older] = known
  if (newest?.revision !== target.revision || newest.digest !== digest) {
    return [{...entry, firstReconciled: at}, ...known].slice(0, MAX_HISTORY)
  }
  return newest.lastReconciledStatus === condition.reason ? known : [{...newest, ...entry}, ...older]
}

/** As Kubernetes writes times. */
function wholeSeconds(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z')
}

/** The status of an object as it was read. */
export function statusOf(object: JsonObject): JsonObject | undefined {
  return childObject(object, 'status')
}
