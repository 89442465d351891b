import type {Health} from '#shared/model/cluster-report.ts'
import type {DesiredApp, PresentApp} from '#shared/model/desired-state.ts'
import type {FieldChange} from '#shared/model/field-change.ts'
import type {ObjectRef} from '#shared/model/object-ref.ts'
import type {HealthCheckExpr} from '#shared/model/sync-options.ts'
import type {Trace} from '#shared/model/trace.ts'
import type {HealthRules} from '#shared/plan/health-rules/health-rule.ts'
import type {InventoryEntry} from '#shared/plan/inventory.ts'
import type {InventoryError} from '#shared/plan/inventory-error.ts'
import type {SyncPhase} from '#shared/plan/read-hook.ts'
import type {HeldCount} from './count-held.ts'
import type {FirstInstall} from './first-install.ts'
import type {HealthyBundle, RolledBack} from './healthy-store.ts'
import type {Claims} from './judge-claims.ts'
import type {HealRecord} from './pace-heals.ts'
import type {PlannedBundle} from './plan-objects.ts'

/** An inventory's entry, with what need not outlive the process. */
export interface AppliedEntry extends InventoryEntry {
  /** When our fields were written, as the object's managedFields say; undefined before it was seen. */
  appliedAt?: string
}

/** An object that is not as desired, as reports show it. `what` holds field paths only; the values, masked for Secrets, are in `fields`. */
export interface Drift {
  ref: ObjectRef
  what: string
  fields?: FieldChange[]
  manager?: string
  /** RFC 3339 */
  since: string
}

export interface AppCondition {
  ready: 'True' | 'False' | 'Unknown'
  /** Flux's reason words where one fits. */
  reason: string
  message: string
  /** RFC 3339: since when `ready` is what it is. */
  since: string
}

/** A bundle that was verified and made ready to be applied. */
export interface LoadedBundle extends PlannedBundle {
  app: PresentApp
  /** Digest of its objects alone: a bundle with another header may hold the same. */
  content: string
}

/** What a reconcile is for: all that is desired, or, where the last one failed, only what had been applied already. */
export type ReconcileScope = 'all' | 'upkeep'

/** All that the agent knows of one app. What must outlive the process is in the cluster: the inventory above all. */
export interface AppState {
  readonly name: string
  /** What is to be brought about; undefined for one that the accepted desired state does not name. */
  target: DesiredApp | undefined
  /** What the accepted desired state says; `target` differs from it while it is rolled back. */
  published: DesiredApp | undefined
  /** The last bundle that was healthy. */
  healthy: HealthyBundle | undefined
  /** It is, or is being, remembered in the cluster: where the app asks for rollback. */
  isHealthyKept: boolean
  rolledBack: RolledBack | undefined
  /** The last write of the two, so that they do not overtake each other. */
  remembering: Promise<void>
  /** The last verified bundle: what drift is healed to. */
  bundle: LoadedBundle | undefined
  /** What runs of an app that is suspended, where something newer was loaded since: what its drift is told by. */
  left: LoadedBundle | undefined
  /** What the last verified bundle declares that was then refused. */
  claims: Claims | undefined
  inventory: Map<string, AppliedEntry>
  brokenInventory: InventoryError | undefined
  /** Kept with the inventory. */
  firstInstall: FirstInstall
  /** `namespace/name` that it was applied as last, undefined for the agent itself; kept with the inventory. */
  serviceAccount: string | undefined
  /** The inventory in the cluster may differ from `inventory`. */
  unsaved: boolean
  /** The write of the inventory that is under way, or was last; and the one that follows it. */
  saving: Promise<void>
  nextSave: Promise<void> | undefined
  /** Entries that were changed since the inventory was last written to the cluster. */
  unnoted: Set<string>
  /** Objects with a request under way: what is seen of them is our own doing. */
  busy: Set<string>
  /** Between the first and the last change of a reconcile: drift is looked at afterwards, or while it waits. */
  applying: boolean
  /** Within that, while hooks or the health of what was applied are waited for. */
  awaiting: boolean
  /** Applied, but the cluster does not remember that yet: not told as healthy before. */
  settling: boolean
  /** Ends the reconcile that runs now. */
  abort: AbortController | undefined
  running: Promise<void> | undefined
  /** Somebody asks for all of it to be as desired now, whatever the policy for drift. */
  asked: boolean
  /** What someone wants as soon as what runs has ended. */
  wanted: ReconcileScope | 'nothing'
  /** What follows on the last reconcile: nothing; another try; or nothing before something newer is published. */
  outlook: 'through' | 'tried-again' | 'given-up'
  /** Set while a reconcile that failed waits for its next try. */
  retry: NodeJS.Timeout | undefined
  /** Set while heals, prunes or the inventory wait for their next try. */
  upkeep: NodeJS.Timeout | undefined
  /** How often its revision failed by itself, for `sync.retry.limit`. */
  failures: number
  /** How often it was tried again for whatever reason, and how often its upkeep was: their pauses grow with these. */
  retries: number
  upkeeps: number
  /** It changes only when the apps that it depends on are ready, and asks now whether they are, or was told that they are not. */
  dependent: boolean
  /** Set while it waits for the apps that it depends on: what it waits for, and what was told of that. */
  dependencyWait:
    | {target: PresentApp; cause: string; lasts: boolean; told: Set<string>; timer: NodeJS.Timeout}
    | undefined
  /** Resolves when the target's bundle was loaded or refused. */
  loading: Promise<void>
  loaded: () => void
  /** The revision that is applied in full. */
  revision: string | undefined
  /** The revision whose bundle was told as verified. */
  verifiedRevision: string | undefined
  /** The revision of the last event that told of health. */
  healthyRevision: string | undefined
  /** What was told of its failures since it was through last, so that each is told once. */
  toldProblems: Set<string>
  /** What kept an object from being pruned when it was counted last, by its key. */
  held: Map<string, HeldCount>
  /** What was not pruned though the app is applied, and whether that is a failure, or meant to be so. */
  notice: {message: string; failed: boolean} | undefined
  toldNotice: string | undefined
  /** Hooks that their delete policies take away and that could not be deleted, by phase: what to tell of it. */
  uncleared: Map<SyncPhase, string>
  /** What of it kept the agent from writing its memory, which was therefore left out of that. */
  exempted: string | undefined
  /** The apps that may take over what was not pruned, by name. */
  awaited: Set<string>
  condition: AppCondition
  trace: Trace | undefined
  /** The objects of a bundle were looked at, so that `unhealthy` tells of all that it declares. */
  judged: boolean
  unhealthy: Map<string, {ref: ObjectRef; health: Health; reason: string}>
  /** What its pods say of an unhealthy object, beside the reason `of` its own status: no longer true once that changes. */
  explained: Map<string, {of: string; words: string}>
  /** Rules of the app's own for the health of its objects. */
  healthRules: HealthRules | undefined
  /** The expressions that `healthRules` was made of. */
  healthExprs: readonly HealthCheckExpr[]
  /** Runs while a failure that may pass by itself is given time for that. */
  grace: NodeJS.Timeout | undefined
  /** Says why its health failed, as it is now; undefined where that is not what it failed by. */
  describeFailure: (() => string) | undefined
  /** Set while health is waited for. */
  deadline: NodeJS.Timeout | undefined
  /** The wait for its health: to be begun at the end of the next reconcile; going on, with a deadline; or at its end, good or bad. */
  wait: 'due' | 'going-on' | 'over'
  drifted: Map<string, Drift>
  /** How the last heals of an object went. */
  heals: Map<string, HealRecord>
  healing: Set<string>
  /** Objects of which something was seen while they were looked at or healed: they are looked at again. */
  seenMeanwhile: Set<string>
}

/** An app that nothing is known of yet. */
export function createAppState(name: string, now: Date): AppState {
  return {
    name,
    target: undefined,
    published: undefined,
    healthy: undefined,
    isHealthyKept: false,
    rolledBack: undefined,
    remembering: Promise.resolve(),
    bundle: undefined,
    left: undefined,
    claims: undefined,
    inventory: new Map(),
    brokenInventory: undefined,
    firstInstall: 'open',
    serviceAccount: undefined,
    unsaved: false,
    saving: Promise.resolve(),
    nextSave: undefined,
    unnoted: new Set(),
    busy: new Set(),
    applying: false,
    awaiting: false,
    settling: false,
    abort: undefined,
    running: undefined,
    asked: false,
    wanted: 'nothing',
    outlook: 'through',
    retry: undefined,
    upkeep: undefined,
    failures: 0,
    retries: 0,
    upkeeps: 0,
    dependent: false,
    dependencyWait: undefined,
    loading: Promise.resolve(),
    loaded: () => undefined,
    revision: undefined,
    verifiedRevision: undefined,
    healthyRevision: undefined,
    toldProblems: new Set(),
    held: new Map(),
    notice: undefined,
    toldNotice: undefined,
    uncleared: new Map(),
    exempted: undefined,
    awaited: new Set(),
    condition: {ready: 'Unknown', reason: 'Progressing', message: 'not looked at yet', since: now.toISOString()},
    trace: undefined,
    judged: false,
    unhealthy: new Map(),
    explained: new Map(),
    healthRules: undefined,
    healthExprs: [],
    grace: undefined,
    describeFailure: undefined,
    deadline: undefined,
    wait: 'due',
    drifted: new Map(),
    heals: new Map(),
    healing: new Set(),
    seenMeanwhile: new Set(),
  }
}

/** The verified bundle of what the desired state says now; undefined while it is loaded, or where it was refused. */
export function currentBundle(app: AppState): LoadedBundle | undefined {
  const {target, bundle} = app
  return target?.state === 'present' && bundle?.app.bundle.digest === target.bundle.digest ? bundle : undefined
}

/** The user that an app's objects are applied as: its ServiceAccount, or undefined for the agent itself. */
export function impersonatedUser(app: {serviceAccount?: string | undefined}): {impersonate?: string} {
  if (app.serviceAccount === undefined) return {}
  const [namespace, name, ...rest] = app.serviceAccount.split('/')
  // Fail closed: a name that cannot be impersonated must never mean "as the agent itself".
  if (!namespace || !name || rest.length > 0)
    throw new Error(`serviceAccount "${app.serviceAccount}" must be namespace/name`)
  return {impersonate: `system:serviceaccount:${namespace}:${name}`}
}
