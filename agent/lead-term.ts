import {setTimeout as sleep} from 'node:timers/promises'
import {parseExactJson} from '#shared/bundle/exact-json.ts'
import {type ClusterReport, clusterReportSchema, type ReportEvent} from '#shared/model/cluster-report.ts'
import {notificationSchema} from '#shared/model/desired-state.ts'
import {describeError} from '#shared/model/drawbridge-error.ts'
import {keys} from '#shared/model/keys.ts'
import {limits} from '#shared/model/limits.ts'
import {refKey} from '#shared/model/object-ref.ts'
import {createAcceptedStore} from './accepted-state.ts'
import type {AgentContext, AgentPorts} from './agent-context.ts'
import {createAppState} from './app-state.ts'
import {refreshWaits} from './await-dependencies.ts'
import {type AgentIdentity, buildReport} from './build-report.ts'
import {type CarryOver, carryOver, takeOver} from './carry-over.ts'
import type {AgentConfig} from './config.ts'
import {createDesiredFetcher, type DesiredFetcher} from './fetch-desired.ts'
import {handleDrift} from './heal-drift.ts'
import {createHealthyStore} from './healthy-store.ts'
import {createInventoryStore} from './inventory-store.ts'
import {createDiscovery} from './kube/discovery.ts'
import {createConcurrencyLimit} from './limit-concurrency.ts'
import {createLiveIndex} from './live-index.ts'
import {noteEnd} from './note-end.ts'
import {declares} from './plan-objects.ts'
import {createReportPoster} from './post-report.ts'
import {createEventRecorder} from './record-events.ts'
import {createLookRequests, type LookRequests} from './request-look.ts'
import {dropRequests} from './request-reconcile.ts'
import {restoreInventory} from './restore-inventory.ts'
import {runApp} from './run-app.ts'
import {createAppBoard} from './show-apps.ts'
import {datedUntil} from './tell-event.ts'
import {tidyUp} from './tidy-up.ts'
import {judgeApp, judgeObject} from './track-health.ts'
import {unblockMemory} from './unblock-memory.ts'
import {verifySpread} from './verify-spread.ts'

const LOADS_AT_ONCE = 16
/** What may hang when a term ends must not keep the next one from beginning: together less than main waits for. */
const MAX_END_MS = 500
const MAX_FINISH_MS = 2_500
const MAX_POST_MS = 1_000
const PREVIOUS_REPORT_LIMIT_MS = 5_000
const LONG_POLL_SECONDS = 20

/**
 * Does the work of one term of leadership: learns what the cluster remembers, then follows the desired state and the cluster until
 * `termSignal` ends, or another agent turns out to lead as well. Then nothing new is begun, what was begun is finished within a bound, and
 * the report is sent. `carried` holds what no inventory tells of, from one such term to the next.
 */
export async function leadTerm(
  ports: AgentPorts,
  config: AgentConfig,
  identity: AgentIdentity,
  termSignal: AbortSignal,
  carried: CarryOver = new Map(),
): Promise<void> {
  const fenced = new AbortController()
  const signal = AbortSignal.any([termSignal, fenced.signal])
  const onFenced = (name: string) => {
    ports.log('warn', `another agent wrote ${name} though this one holds the Lease; this one begins again`)
    fenced.abort()
  }
  const onRefused = (error: unknown) => unblockMemory(ctx, error)
  const state = {lastTry: signal, onFenced, onRefused, writer: identity.instance}
  const ctx: AgentContext = createContext(ports, config, signal, {
    inventories: createInventoryStore(ports.kube, config.namespace, state),
    healthy: createHealthyStore(ports.kube, config.namespace, state),
  })
  const looks = createLookRequests()
  const board = createAppBoard(ctx, looks.ask)
  const memory = createAcceptedStore(ports.kube, config.namespace, state)
  const [accepted, inventories, healthy, previous, version] = await Promise.all([
    memory.load(),
    ctx.inventories.loadAll(),
    ctx.healthy.loadAll(),
    readPreviousReport(ports, config.cluster, signal),
    ports.kube.serverVersion(),
    board.start(),
  ])
  ctx.kubernetes = version
  ctx.events.push(...datedUntil(ports.clock.now(), previous?.events ?? []))
  // Its event is in the same report; what the App object shows may be ahead of that.
  for (const {name, suspended} of previous?.apps ?? []) {
    if (suspended === true) ctx.toldSuspended.add(name)
    else ctx.toldSuspended.delete(name)
  }
  for (const [name, inventory] of inventories) {
    const app = createAppState(name, ports.clock.now())
    ctx.apps.set(name, app)
    const record = healthy.get(name)
    app.healthy = record?.healthy
    app.isHealthyKept = record !== undefined
    app.rolledBack = record?.rolledBack
    const before = previous?.apps.find((report) => report.name === name)
    app.revision = before?.revision
    app.trace = before?.trace
    app.healthyRevision = before?.ready === 'True' ? before.revision : toldHealthy(ctx.events, name)
    // What was told as drifted is told again only once it was as desired.
    for (const {ref, what, since, manager} of before?.drifted ?? [])
      app.drifted.set(refKey(ref), {ref, what, since, ...(manager === undefined ? {} : {manager})})
    restoreInventory(ctx, app, inventory)
  }
  takeOver(ctx, carried)
  const poster = createReportPoster(ports, () => buildReport(ctx, identity))
  ctx.changed = () => {
    poster.changed()
    board.changed()
  }
  const recorder = createEventRecorder(ctx, identity.instance, (app) => board.uidOf(app))
  ctx.announce = (event) => {
    recorder.record(event)
    ports.telemetry.told(event)
  }
  ports.telemetry.observe(ctx)
  const fetcher = createDesiredFetcher(ctx, memory, accepted, previous?.desired.reason)
  ctx.requireLead = fetcher.requireNewest
  try {
    const work = Promise.all([followDesired(ctx, fetcher, looks), verifySpread(ctx, fetcher), tidyUp(ctx)])
    await Promise.race([work, endOf(signal).then(() => sleep(MAX_END_MS, undefined, {ref: false}))])
  } finally {
    ports.telemetry.observe(undefined)
    await finishTerm(ctx)
    if (fenced.signal.aborted) carryOver(ctx, carried)
    const shown = board.close().then(() => recorder.close())
    await Promise.race([Promise.all([poster.close(), shown]), sleep(MAX_POST_MS, undefined, {ref: false})])
  }
}

function createContext(
  ports: AgentPorts,
  config: AgentConfig,
  signal: AbortSignal,
  stores: Pick<AgentContext, 'inventories' | 'healthy'>,
): AgentContext {
  const ctx: AgentContext = {
    ports,
    config,
    signal,
    live: createLiveIndex({
      clock: ports.clock,
      kube: ports.kube,
      signal,
      rulesOf: (name) => ctx.apps.get(name)?.healthRules,
      isWanted: (key) => ctx.owners.has(key) || isDeclared(ctx, key),
      onChange: (key) => lookAt(ctx, key),
      onTrouble: (type, error) => ports.log('info', `watch of ${type.plural}: ${describeError(error)}; it is resumed`),
    }),
    discovery: createDiscovery(ports.kube),
    ...stores,
    loads: createConcurrencyLimit(LOADS_AT_ONCE),
    bulk: createConcurrencyLimit(1),
    apps: new Map(),
    owners: new Map(),
    events: [],
    orders: new Map(),
    toldSuspended: new Set(),
    desired: undefined,
    acceptance: Promise.resolve(),
    requireLead: async () => undefined,
    condition: {version: 0, state: 'none', since: ports.clock.now().toISOString()},
    kubernetes: '',
    reconcile: (app, scope) => runApp(ctx, app, scope),
    conditionChanged: (app) => refreshWaits(ctx, app),
    changed: () => undefined,
    announce: () => undefined,
  }
  return ctx
}

function isDeclared({apps}: AgentContext, key: string): boolean {
  for (const {bundle} of apps.values()) if (bundle !== undefined && declares(bundle, key)) return true
  return false
}

/** The revision that was told as healthy last, unless something else came of the app since. */
function toldHealthy(events: readonly ReportEvent[], name: string): string | undefined {
  const last = events.findLast(
    ({app, event}) => app === name && !['suspended', 'resumed', 'drifted', 'healed', 'pruned'].includes(event),
  )
  return last?.event === 'healthy' ? last.revision : undefined
}

/** Something was seen of an object: its app's health and its drift are judged anew. */
function lookAt(ctx: AgentContext, key: string): void {
  const marked = ctx.apps.get(ctx.live.get(key)?.app ?? '')
  const app = marked?.inventory.has(key) === true ? marked : ctx.owners.get(key)
  if (app === undefined) return
  noteEnd(ctx, app, key)
  const before = app.unhealthy.get(key)
  judgeObject(ctx, app, key)
  const after = app.unhealthy.get(key)
  if (before?.health !== after?.health || before?.reason !== after?.reason) judgeApp(ctx, app)
  handleDrift(ctx, app, key)
}

/** Fetches the desired state on an interval, and at once when the queue hints at a newer one. */
async function followDesired(ctx: AgentContext, fetcher: DesiredFetcher, looks: LookRequests): Promise<void> {
  const hints = followHints(ctx, () => void looks.ask())
  while (!ctx.signal.aborted) {
    const end = looks.begin()
    await fetcher.fetch()
    end()
    if (!ctx.signal.aborted) ctx.ports.telemetry.phase('leading')
    const pause = new AbortController()
    const over = AbortSignal.any([ctx.signal, pause.signal])
    const interval = sleep(ctx.config.pollIntervalSeconds * 1000, undefined, {signal: over}).catch(() => undefined)
    await Promise.race([interval, looks.asked()])
    pause.abort()
  }
  await hints
}

async function followHints(ctx: AgentContext, onHint: () => void): Promise<void> {
  const {queue, log} = ctx.ports
  let failures = 0
  while (!ctx.signal.aborted) {
    try {
      const messages = await queue.receive({waitSeconds: LONG_POLL_SECONDS, maxMessages: 10, signal: ctx.signal})
      failures = 0
      if (messages.some(({body}) => isNewer(ctx, body))) onHint()
      for (const message of messages) {
        queue.delete(message).catch((error: unknown) => log('info', `cannot delete a hint: ${describeError(error)}`))
      }
    } catch (error) {
      if (ctx.signal.aborted) return
      log(failures === 0 ? 'warn' : 'debug', `cannot receive hints, polling goes on: ${describeError(error)}`)
      failures++
      await sleep(Math.min(1_000 * 2 ** failures, 30_000), undefined, {signal: ctx.signal}).catch(() => undefined)
    }
  }
}

/** A hint is only believed in that it is worth a look; one of a version that is known already is not. */
function isNewer(ctx: AgentContext, body: string): boolean {
  try {
    const hint = notificationSchema.safeParse(JSON.parse(body))
    const published = hint.data?.trace.stages.published
    if (published !== undefined) {
      const {clock, telemetry} = ctx.ports
      telemetry.hintReceived((clock.now().getTime() - Date.parse(published)) / 1000)
    }
    return !hint.success || hint.data.version > ctx.condition.version
  } catch {
    return true
  }
}

async function endOf(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, {once: true}))
}

/** Ends what runs: what was begun is finished, within a bound. */
async function finishTerm(ctx: AgentContext): Promise<void> {
  for (const app of ctx.apps.values()) {
    app.abort?.abort()
    app.loaded()
    dropRequests(app)
    clearTimeout(app.deadline)
  }
  const running = [...ctx.apps.values()].flatMap(({running}) => (running === undefined ? [] : [running]))
  await Promise.race([Promise.allSettled(running), sleep(MAX_FINISH_MS, undefined, {ref: false})])
}

/** Events go on where the last agent's ended; a report that is gone or unreadable costs history, nothing else. */
async function readPreviousReport(
  ports: AgentPorts,
  cluster: string,
  signal: AbortSignal,
): Promise<ClusterReport | undefined> {
  try {
    const found = await ports.store.get(keys.report(cluster), {
      maxBytes: limits.maxReportBytes,
      signal: AbortSignal.any([signal, AbortSignal.timeout(PREVIOUS_REPORT_LIMIT_MS)]),
    })
    if (found === 'absent' || found === 'not-modified') return undefined
    const parsed = clusterReportSchema.safeParse(parseExactJson(Buffer.from(found.bytes).toString('utf8')))
    return parsed.success ? parsed.data : undefined
  } catch (error) {
    ports.log('info', `the last report cannot be read: ${describeError(error)}`)
    return undefined
  }
}
