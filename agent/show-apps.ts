import {setTimeout as sleep} from 'node:timers/promises'
import {mapBounded} from '#shared/async/map-bounded.ts'
import {canonicalJson} from '#shared/bundle/canonical-json.ts'
import {stringifyExact} from '#shared/bundle/exact-json.ts'
import {describeError} from '#shared/model/drawbridge-error.ts'
import type {JsonObject} from '#shared/model/manifest.ts'
import {type AgentContext, aboutApp} from './agent-context.ts'
import {appType} from './app-definition.ts'
import {isSuspended, readOrders, SUSPEND_ANNOTATION} from './app-orders.ts'
import type {AppState} from './app-state.ts'
import {describeApp, isUnsettled, statusOf} from './describe-app.ts'
import {installDefinition, mayHideApps} from './install-definition.ts'
import {followType} from './kube/follow-type.ts'
import {apiVersionOf} from './kube/kube-client.ts'
import {isKubeError, type KubeError} from './kube/kube-error.ts'
import type {KubeObject} from './kube/kube-object.ts'
import {STATE_MANAGER} from './marks.ts'
import {requestReconcile} from './request-reconcile.ts'
import {tellSuspension} from './tell-suspension.ts'

/** Shows each app as an App object in the agent's namespace, and hears what its annotations ask for. */
export interface AppBoard {
  /** Installs the definition where that is allowed, and learns what is asked for before any app is reconciled, however long that takes. */
  start(): Promise<void>
  /** Something changed: what differs is written soon. */
  changed(): void
  /** The uid of an app's App object, where it is known. */
  uidOf(app: string): string | undefined
  /** Writes what is not written yet, and stops. */
  close(): Promise<void>
}

const SETTLE_MS = 50
const UNSETTLED_MS = 1_000
/** Not longer: an agent that dies and starts time and again must not leave shown for ever what is true no more. */
const UNCONFIRMED_MS = 15_000
const LEAST_INTERVAL_MS = 250
const RETRY_MS = 5_000
const MAX_SERVED_PAUSE_MS = 60_000
const WRITES_AT_ONCE = 4
const MAX_VALUE_LENGTH = 100
/** How long an API server may take to serve a kind that it has just been told of. */
const SERVED_SOON_MS = 10_000

/**
 * Creates the board. Where the definition is absent and must not be installed nothing is shown, and nothing else suffers. `look` looks for a
 * newer desired state, and resolves when that has ended.
 */
export function createAppBoard(ctx: AgentContext, look: () => Promise<void>): AppBoard {
  const {kube, log, clock} = ctx.ports
  const {namespace} = ctx.config
  const known = new Map<string, {uid: string; generation: number; status: JsonObject | undefined}>()
  /** What asked for a reconcile last and was looked into, by app. */
  const answered = new Map<string, string>()
  const unsettledSince = new Map<string, number>()
  let served = false
  let closed = false
  let dirty = false
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> | undefined
  let pauseMs = LEAST_INTERVAL_MS
  let lastAt = Number.NEGATIVE_INFINITY
  let told = ''

  async function tryFollow(): Promise<'followed' | KubeError> {
    try {
      await followType(kube, appType, {
        detail: 'whole',
        namespace,
        signal: ctx.signal,
        onList(items) {
          const listed = new Set(items.map((item) => item.metadata.name))
          for (const name of known.keys()) if (!listed.has(name)) forget(name)
          for (const item of items) take(item)
        },
        onEvent({type, object}) {
          if (type === 'changed') take(object)
          else forget(object.metadata.name)
        },
        onTrouble: (error) => log('info', `watch of App objects: ${describeError(error)}; it is resumed`),
      })
      served = true
      changed()
      return 'followed'
    } catch (error) {
      if (isKubeError(error, 'NOT_FOUND', 'FORBIDDEN')) return error
      throw error
    }
  }

  /** No app is reconciled before it is known whether it is suspended, unless none can be. */
  async function followBeforeAll(): Promise<void> {
    let words = ''
    const begun = performance.now()
    for (let waitMs = 100; !ctx.signal.aborted; waitMs = Math.min(waitMs * 2, RETRY_MS)) {
      const outcome = await tryFollow()
      if (outcome === 'followed') return
      const hidden = await mayHideApps(kube)
      if (hidden === 'none') return void followOnceServed()
      const message = `nothing is reconciled before it is known which apps are suspended: ${hidden}: ${describeError(outcome)}`
      const isSoon = isKubeError(outcome, 'NOT_FOUND') && performance.now() - begun < SERVED_SOON_MS
      const level = isSoon ? 'debug' : 'warn'
      if (`${level} ${message}` !== words) log(level, message)
      words = `${level} ${message}`
      await sleep(waitMs, undefined, {signal: ctx.signal}).catch(() => undefined)
    }
  }

  async function followOnceServed(): Promise<void> {
    for (let waitMs = 100; !ctx.signal.aborted && !served; waitMs = Math.min(waitMs * 2, MAX_SERVED_PAUSE_MS)) {
      await sleep(waitMs, undefined, {signal: ctx.signal}).catch(() => undefined)
      if (ctx.signal.aborted) return
      await tryFollow().catch((error: unknown) => log('info', `cannot list App objects: ${describeError(error)}`))
    }
  }

  function take(object: KubeObject): void {
    const {name, uid, generation} = object.metadata
    const status = statusOf(object)
    known.set(name, {uid, generation: typeof generation === 'number' ? generation : 1, status})
    const before = ctx.orders.get(name)
    const orders = readOrders(object)
    ctx.orders.set(name, orders)
    if (orders.misread !== undefined && orders.misread !== before?.misread) {
      const value = JSON.stringify(orders.misread.slice(0, MAX_VALUE_LENGTH))
      log(
        'warn',
        `app ${name} is not suspended: its annotation ${SUSPEND_ANNOTATION} is ${value}, neither "true" nor "false"`,
      )
    }
    const {requestedAt} = orders
    const asks = requestedAt !== before?.requestedAt && requestedAt !== status?.lastHandledReconcileAt
    if (requestedAt !== undefined && asks) void answer(name, requestedAt)
    const app = ctx.apps.get(name)
    if (app === undefined) {
      if (before === undefined && status?.suspended === true) ctx.toldSuspended.add(name)
      return
    }
    changed()
    const suspends = (before?.suspended ?? false) !== orders.suspended
    if (suspends) {
      tellSuspension(ctx, app)
      app.abort?.abort()
    }
    const approves = orders.prune !== undefined && orders.prune !== before?.prune
    if (approves)
      log('info', `app ${name} may prune more than its limit at ${orders.prune}, by its annotation`, aboutApp(app))
    if (suspends || approves) requestReconcile(ctx, app, 'now')
  }

  /** Who asks for a reconcile wants what is published by now: it is answered by a look at that, and the reconcile that follows. */
  async function answer(name: string, requestedAt: string): Promise<void> {
    await look()
    if (ctx.signal.aborted || ctx.orders.get(name)?.requestedAt !== requestedAt) return
    answered.set(name, requestedAt)
    changed()
    const app = ctx.apps.get(name)
    if (app === undefined) return
    app.asked = true
    requestReconcile(ctx, app, 'now')
  }

  /** To delete what shows an app is not to resume it: it is shown anew, and as suspended as before. */
  function forget(name: string): void {
    known.delete(name)
    answered.delete(name)
    const app = ctx.apps.get(name)
    const staysSuspended = isSuspended(ctx, {name}) && (app === undefined ? ctx.desired === undefined : isShown(app))
    if (staysSuspended) ctx.orders.set(name, {suspended: true})
    else {
      ctx.orders.delete(name)
      ctx.toldSuspended.delete(name)
    }
    if (app !== undefined) changed()
  }

  function changed(): void {
    dirty = true
    if (!served || closed || timer !== undefined || writing !== undefined) return
    schedule(Math.max(SETTLE_MS, lastAt + pauseMs - performance.now()))
  }

  function schedule(delayMs: number): void {
    timer = setTimeout(() => {
      timer = undefined
      writing = write().finally(() => {
        writing = undefined
        if (dirty && !closed && timer === undefined) schedule(pauseMs)
      })
    }, delayMs)
  }

  async function write(): Promise<void> {
    dirty = false
    lastAt = performance.now()
    const shown = [...ctx.apps.values()].filter(isShown)
    const pending = shown.filter((app) => !isYoung(app)).flatMap((app) => describe(app))
    // Comparing very many apps must not become what the agent does all day.
    pauseMs = Math.max(LEAST_INTERVAL_MS, (performance.now() - lastAt) * 20)
    const names = new Set(shown.map(({name}) => name))
    const gone = ctx.desired === undefined ? [] : [...known].filter(([name]) => !names.has(name))
    await mapBounded([...pending, ...gone], WRITES_AT_ONCE, async (change) => {
      try {
        if (Array.isArray(change)) await remove(change[0], change[1].uid)
        else await writeStatus(change)
        told = ''
      } catch (error) {
        const name = Array.isArray(change) ? change[0] : change.name
        if (isKubeError(error, 'NOT_FOUND')) known.delete(name)
        const message = `cannot write App ${namespace}/${name}: ${describeError(error)}`
        if (told === '') log('info', message)
        told = message
        pauseMs = RETRY_MS
        dirty = true
      }
    })
  }

  /** What is on its way is not shown before it has been so for a while: most often it is through by then. */
  function isYoung(app: AppState): boolean {
    const unconfirmed = isUnsettled(app) && isUnconfirmed(app)
    if (!isUnsettled(app) || (closed && !unconfirmed)) {
      unsettledSince.delete(app.name)
      return false
    }
    const since = unsettledSince.get(app.name) ?? performance.now()
    unsettledSince.set(app.name, since)
    if (performance.now() - since >= (unconfirmed ? UNCONFIRMED_MS : UNSETTLED_MS)) return false
    dirty = true
    return true
  }

  /** An agent that has just started does not know yet what the last one showed of the same bundle: that stands until it knows better. */
  function isUnconfirmed({name, target, revision}: AppState): boolean {
    const shown = known.get(name)?.status?.bundle
    return revision === undefined && target?.state === 'present' && shown === target.bundle.digest
  }

  function describe(app: AppState): {name: string; status: JsonObject}[] {
    const present = known.get(app.name)
    const status = describeApp(app, {
      before: present?.status,
      generation: present?.generation ?? 1,
      orders: ctx.orders.get(app.name),
      // What a stop cuts short is asked for again of the next agent.
      answered: ctx.signal.aborted ? undefined : answered.get(app.name),
      now: clock.now(),
    })
    const same = present?.status !== undefined && canonicalJson(present.status) === canonicalJson(status)
    return same ? [] : [{name: app.name, status}]
  }

  async function writeStatus({name, status}: {name: string; status: JsonObject}): Promise<void> {
    const target = {namespace, name}
    const options = {fieldManager: STATE_MANAGER, force: true, detail: 'whole', lastTry: ctx.signal} as const
    const identity = {apiVersion: apiVersionOf(appType), kind: appType.kind}
    if (!known.has(name)) {
      const annotations = isSuspended(ctx, {name}) ? {[SUSPEND_ANNOTATION]: 'true'} : {}
      const metadata = {...target, labels: {'app.kubernetes.io/managed-by': 'drawbridge'}, annotations}
      await kube.create(appType, {...identity, metadata})
    }
    const body = stringifyExact({...identity, metadata: target, status})
    const answer = await kube.apply(appType, target, body, {...options, subresource: 'status'})
    const {uid, generation} = answer.metadata
    known.set(name, {uid, generation: typeof generation === 'number' ? generation : 1, status: statusOf(answer)})
  }

  async function remove(name: string, uid: string): Promise<void> {
    await kube.delete(appType, {namespace, name}, {uid, propagation: 'Background', lastTry: ctx.signal})
    known.delete(name)
    ctx.orders.delete(name)
    ctx.toldSuspended.delete(name)
  }

  return {
    async start() {
      await installDefinition(ctx.ports)
      await followBeforeAll()
    },
    changed,
    uidOf: (app) => known.get(app)?.uid,
    async close() {
      closed = true
      clearTimeout(timer)
      await writing
      if (served && (dirty || timer !== undefined)) await write()
    },
  }
}

function isShown({target, inventory}: AppState): boolean {
  return target?.state === 'present' || inventory.size > 0
}
