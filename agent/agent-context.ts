import type {TrustRoot} from '#shared/attest/trust-root.ts'
import type {AppEvent, ReportEvent} from '#shared/model/cluster-report.ts'
import type {DesiredState} from '#shared/model/desired-state.ts'
import type {ObjectRef} from '#shared/model/object-ref.ts'
import type {Clock} from '#shared/ports/clock.ts'
import type {Journal} from '#shared/ports/journal.ts'
import type {ObjectStore} from '#shared/ports/object-store.ts'
import type {QueueReceiver, QueueSender} from '#shared/ports/queue.ts'
import type {AppOrders} from './app-orders.ts'
import type {AppliedEntry, AppState, ReconcileScope} from './app-state.ts'
import type {Policy} from './check-policy.ts'
import type {AgentConfig} from './config.ts'
import type {HealthyStore} from './healthy-store.ts'
import type {InventoryStore} from './inventory-store.ts'
import type {Discovery} from './kube/discovery.ts'
import type {KubeClient} from './kube/kube-client.ts'
import type {ConcurrencyLimit} from './limit-concurrency.ts'
import type {LiveIndex} from './live-index.ts'
import type {Telemetry} from './telemetry.ts'

/** What a line of the log is about, as fields of their own. `object` is a `refKey`. */
export interface LogSubject {
  app?: string
  revision?: string
  object?: string
}

/** What the agent is handed from outside. */
export interface AgentPorts {
  kube: KubeClient
  store: ObjectStore
  /** The cluster's own queue: hints that the desired state changed. */
  queue: QueueReceiver
  statusQueue: QueueSender
  clock: Clock
  journal: Journal
  trustRoot: TrustRoot
  policy: Policy
  /** Adapts how many requests run at once to what the API server bears. */
  limit: ConcurrencyLimit
  telemetry: Telemetry
  /** A line for people who debug; never holds a Secret value. */
  log: (level: 'debug' | 'info' | 'warn', message: string, about?: LogSubject) => void
}

export interface DesiredCondition {
  version: number
  state: 'current' | 'stale' | 'none'
  reason?: string
  since: string
}

/** What the parts of one term of leadership share. */
export interface AgentContext {
  readonly ports: AgentPorts
  readonly config: AgentConfig
  /** Ends with the term: nothing may be written afterwards. */
  readonly signal: AbortSignal
  readonly live: LiveIndex
  readonly discovery: Discovery
  readonly inventories: InventoryStore
  readonly healthy: HealthyStore
  /** Bundles loaded at once. */
  readonly loads: ConcurrencyLimit
  /** Of these, what is large: one after the other. */
  readonly bulk: ConcurrencyLimit
  readonly apps: Map<string, AppState>
  /** Which app's inventory holds an object. */
  readonly owners: Map<string, AppState>
  readonly events: ReportEvent[]
  /** What annotations in the cluster ask for, by app. */
  readonly orders: Map<string, AppOrders>
  /** The apps of which it was told that they are suspended. */
  readonly toldSuspended: Set<string>
  desired: DesiredState | undefined
  /** Resolves when the cluster remembers what was accepted last: no object may be written before. */
  acceptance: Promise<void>
  /** To be asked before something is healed by what this agent knows. Rejects, and ends the term, where another agent knows better. */
  requireLead(): Promise<void>
  condition: DesiredCondition
  kubernetes: string
  /** Reconciles an app as soon as its running reconcile, if any, has ended. */
  reconcile(app: AppState, scope: ReconcileScope): void
  /** The condition of an app is another than before. */
  conditionChanged(app: AppState): void
  /** The report is to be sent anew. */
  changed(): void
  /** An event was added to the report. */
  announce(event: ReportEvent): void
}

/** Something to tell of an app, in the journal and in the report's events. */
export interface Telling {
  event: AppEvent | 'pulled'
  at: Date
  message?: string
  object?: ObjectRef
  code?: string
}

/** The fields of a log line that is about an app, or one of its objects. */
export function aboutApp({name, target}: Pick<AppState, 'name' | 'target'>, object?: string): LogSubject {
  return {
    app: name,
    ...(target?.state === 'present' ? {revision: target.revision} : {}),
    ...(object === undefined ? {} : {object}),
  }
}

/** Puts an entry into an app's inventory. What is only noted before an apply does not make the app the owner of what another one applied. */
export function keepEntry(ctx: Pick<AgentContext, 'owners'>, app: AppState, key: string, entry: AppliedEntry): void {
  app.inventory.set(key, entry)
  app.unnoted.add(key)
  app.unsaved = true
  noteOwner(ctx, app, key)
}

/** Makes an app the owner of an entry of its inventory, unless another one is known to have applied it and this one is not. */
export function noteOwner({owners}: Pick<AgentContext, 'owners'>, app: AppState, key: string): void {
  const present = owners.get(key)
  const isSure = app.inventory.get(key)?.uid !== undefined
  if (present === undefined || isSure || present.inventory.get(key)?.uid === undefined) owners.set(key, app)
}

/** Takes an entry from an app's inventory. */
export function dropEntry(ctx: Pick<AgentContext, 'apps' | 'owners'>, app: AppState, key: string): void {
  app.inventory.delete(key)
  app.unnoted.delete(key)
  app.unsaved = true
  if (ctx.owners.get(key) !== app) return
  ctx.owners.delete(key)
  for (const other of ctx.apps.values()) if (other.inventory.has(key)) noteOwner(ctx, other, key)
}
