import {setTimeout as sleep} from 'node:timers/promises'
import {mapBounded} from '#shared/async/map-bounded.ts'
import {canonicalJson} from '#shared/bundle/canonical-json.ts'
import {describeError} from '#shared/model/drawbridge-error.ts'
import type {JsonObject} from '#shared/model/manifest.ts'
import {type AgentContext, aboutApp} from './agent-context.ts'
import {appDefinition, appType, DEFINITION_ANNOTATION, definitionDigest, definitionType} from './app-definition.ts'
import {readOrders} from './app-orders.ts'
import type {AppState} from './app-state.ts'
import {describeApp, isUnsettled, statusOf} from './describe-app.ts'
import {followType} from './kube/follow-type.ts'
import {apiVersionOf} from './kube/kube-client.ts'
import {isKubeError} from './kube/kube-error.ts'
import {annotationsOf, type KubeObject} from './kube/kube-object.ts'
import {STATE_MANAGER} from './marks.ts'
import {requestReconcile} from './request-reconcile.ts'

/** Shows each app as an App object in the agent's namespace, and hears what its annotations ask for. */
export interface AppBoard {
  /** Installs the definition where that is allowed, and learns what is asked for before any app is reconciled. */
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
const LEAST_INTERVAL_MS = 250
const RETRY_MS = 5_000
const MAX_SERVED_PAUSE_MS = 60_000
const WRITES_AT_ONCE = 4

/** Creates the board. Where the definition is absent and must not be installed nothing is shown, and nothing else suffers. */
export function createAppBoard(ctx: AgentContext, onRequest: () => void): AppBoard {
  const {kube, log, clock} = ctx.ports
  const {namespace} = ctx.config
  const known = new Map<string, {uid: string; generation: number; status: JsonObject | undefined}>()
  const unsettledSince = new Map<string, number>()
  let served = false
  let closed = false
  let dirty = false
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> | undefined
  let pauseMs = LEAST_INTERVAL_MS
  let lastAt = Number.NEGATIVE_INFINITY
  let told = ''

  async function installDefinition(): Promise<void> {
    const target = {namespace: '', name: appDefinition.metadata.name}
    try {
      const present = await kube.get(definitionType, target, 'metadata')
      if (present !== 'absent' && annotationsOf(present)[DEFINITION_ANNOTATION] === definitionDigest) return
      await kube.apply(definitionType, target, JSON.stringify(appDefinition), {
        fieldManager: STATE_MANAGER,
        force: true,
        detail: 'metadata',
      })
    } catch (error) {
      if (!isKubeError(error)) throw error
      log(
        'info',
        `the definition ${target.name} cannot be kept; apps are shown where it is installed: ${describeError(error)}`,
      )
    }
  }

  async function tryFollow(): Promise<boolean> {
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
      return true
    } catch (error) {
      if (isKubeError(error, 'NOT_FOUND', 'FORBIDDEN')) return false
      throw error
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
    const app = ctx.apps.get(name)
    if (app === undefined) return
    changed()
    const suspends = (before?.suspended ?? false) !== orders.suspended
    const asks = orders.requestedAt !== before?.requestedAt && orders.requestedAt !== status?.lastHandledReconcileAt
    if (suspends) {
      log('info', `app ${name} is ${orders.suspended ? 'suspended' : 'resumed'} by its annotation`, aboutApp(app))
      app.abort?.abort()
    }
    if (asks) {
      app.asked = true
      onRequest()
    }
    const approves = orders.prune !== undefined && orders.prune !== before?.prune
    if (approves)
      log('info', `app ${name} may prune more than its limit at ${orders.prune}, by its annotation`, aboutApp(app))
    if (suspends || asks || approves) requestReconcile(ctx, app, 'now')
  }

  function forget(name: string): void {
    known.delete(name)
    const suspended = ctx.orders.get(name)?.suspended === true
    ctx.orders.delete(name)
    const app = ctx.apps.get(name)
    if (app === undefined) return
    changed()
    if (suspended) requestReconcile(ctx, app, 'now')
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
    const shown = [...ctx.apps.values()].filter(
      ({target, inventory}) => target?.state === 'present' || inventory.size > 0,
    )
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
    if (closed || !isUnsettled(app)) {
      unsettledSince.delete(app.name)
      return false
    }
    const since = unsettledSince.get(app.name) ?? performance.now()
    unsettledSince.set(app.name, since)
    if (performance.now() - since >= UNSETTLED_MS) return false
    dirty = true
    return true
  }

  function describe(app: AppState): {name: string; status: JsonObject}[] {
    const present = known.get(app.name)
    const status = describeApp(app, {
      before: present?.status,
      generation: present?.generation ?? 1,
      orders: ctx.orders.get(app.name),
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
      const metadata = {...target, labels: {'app.kubernetes.io/managed-by': 'drawbridge'}}
      await kube.apply(appType, target, JSON.stringify({...identity, metadata}), options)
    }
    const body = JSON.stringify({...identity, metadata: target, status})
    const answer = await kube.apply(appType, target, body, {...options, subresource: 'status'})
    const {uid, generation} = answer.metadata
    known.set(name, {uid, generation: typeof generation === 'number' ? generation : 1, status: statusOf(answer)})
  }

  async function remove(name: string, uid: string): Promise<void> {
    await kube.delete(appType, {namespace, name}, {uid, propagation: 'Background', lastTry: ctx.signal})
    known.delete(name)
    ctx.orders.delete(name)
  }

  return {
    async start() {
      await installDefinition()
      if (!(await tryFollow())) void followOnceServed()
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
