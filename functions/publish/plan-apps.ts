import {mapBounded} from '#shared/async/map-bounded.ts'
import type {BundleHeader} from '#shared/bundle/bundle-header.ts'
import type {DesiredApp, DesiredState, PresentApp} from '#shared/model/desired-state.ts'
import {limits} from '#shared/model/limits.ts'
import {isInRange} from '#shared/model/name-range.ts'
import type {Finding} from '#shared/model/outcome.ts'
import {nameOfEntry, type PublishStatement, rangeOf} from '#shared/model/publish-request.ts'
import {passStage} from '#shared/model/trace.ts'
import type {RepositoryPolicy} from '#shared/model/tracked-repository.ts'
import {checkServiceAccount} from '#shared/tracking/check-declared.ts'
import {checkBundle, checkClaim, isForeign, isSameApp, type ReadyApp} from './check-app.ts'
import {checkSourceOf} from './check-tracked.ts'
import type {PublishPorts} from './ports.ts'
import type {Refusal} from './refusal.ts'

/** How a cluster's desired state changes by one request. */
export interface AppsPlan {
  /** Everything that the cluster should run, and what it should no longer run; sorted by name. */
  apps: DesiredApp[]
  /** Those of `apps` that differ from what the cluster has. */
  changed: DesiredApp[]
  /** Bundles whose attestation must be stored first. */
  attestations: {app: PresentApp; header: BundleHeader}[]
  /** Why apps were refused. */
  findings: Finding[]
}

/** How long a removal is said aloud, so that a cluster that was away hears of it. */
const TOMBSTONE_MILLISECONDS = 30 * 24 * 3_600_000

/**
 * Merges what one declaration wants into what the cluster has. Apps of other declarations and names outside the statement's range
 * stay as they are, refused and failed ones keep their present entry, and an app in the range that is no longer declared becomes a
 * tombstone. Reads only the bundles that changed.
 */
export async function planApps(
  ports: Pick<PublishPorts, 'store' | 'clock'>,
  request: PublishStatement,
  desired: DesiredState | undefined,
  policy: RepositoryPolicy | undefined,
): Promise<AppsPlan> {
  const present = new Map((desired?.apps ?? []).map((app) => [app.name, app]))
  const next = new Map(keepTombstones(desired?.apps ?? [], ports.clock.now()).map((app) => [app.name, app]))
  const plan: AppsPlan = {apps: [], changed: [], attestations: [], findings: []}

  const ready = request.apps.flatMap((entry) => (entry.outcome === 'ready' ? [entry] : []))
  const different = ready.filter(({app}) => !isSameApp(app, present.get(app.name)))
  const verdicts = await mapBounded(different, 8, async (entry) => ({
    entry,
    verdict: await judgeApp(ports, request, entry, present.get(entry.app.name), policy),
  }))
  for (const entry of request.apps) {
    if (entry.outcome !== 'failed' || entry.problem === undefined) continue
    const message = `publish does not understand ${entry.problem}. Deploy the same version of all functions; the cluster keeps what it has of this app`
    plan.findings.push({code: 'NOT_UNDERSTOOD', message, app: entry.name, cluster: request.cluster})
  }
  // First, since what goes makes room.
  const declared = new Set(request.apps.map(nameOfEntry))
  const range = rangeOf(request)
  for (const app of present.values()) {
    if (!isInRange(app.name, range)) continue
    if (app.state === 'removed' || isForeign(app, request) || declared.has(app.name)) continue
    const tombstone = buryApp(app, request, ports.clock.now())
    next.set(app.name, tombstone)
    plan.changed.push(tombstone)
  }
  for (const {entry, verdict} of verdicts) {
    const {name} = entry.app
    if ('code' in verdict) {
      plan.findings.push({...verdict, app: name, cluster: request.cluster})
      continue
    }
    const crowded = findCrowded(next, entry.app)
    if (crowded !== undefined) {
      plan.findings.push({...crowded, app: name, cluster: request.cluster})
      continue
    }
    const app = {...entry.app, trace: passStage(entry.app.trace, 'signed', ports.clock.now())}
    next.set(name, app)
    plan.changed.push(app)
    plan.attestations.push({app, header: verdict.header})
  }

  plan.apps = [...next.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  return plan
}

/** Why an app's bundle does not fit what an agent can hold, beside the bundles of all others; one that is not larger than before is no reason to stop. */
function findCrowded(apps: ReadonlyMap<string, DesiredApp>, {name, bundle}: PresentApp): Refusal | undefined {
  let {size, objects} = bundle
  const before = apps.get(name)
  if (before?.state === 'present' && before.bundle.size >= size && before.bundle.objects >= objects) return undefined
  for (const other of apps.values()) {
    if (other.name === name || other.state !== 'present') continue
    size += other.bundle.size
    objects += other.bundle.objects
  }
  if (size <= limits.maxClusterBundleBytes && objects <= limits.maxClusterObjects) return undefined
  const message = `with it the cluster would have bundles of ${size} bytes and ${objects} objects; its agent holds at most ${limits.maxClusterBundleBytes} bytes and ${limits.maxClusterObjects} objects. The cluster keeps what it has of the app: declare fewer or smaller apps for it`
  return {code: 'CLUSTER_FULL', message}
}

type Verdict = {header: BundleHeader} | Refusal

async function judgeApp(
  ports: Pick<PublishPorts, 'store'>,
  request: PublishStatement,
  entry: ReadyApp,
  present: DesiredApp | undefined,
  policy: RepositoryPolicy | undefined,
): Promise<Verdict> {
  const {source, serviceAccount} = entry.app
  const refusal =
    checkClaim(request, entry, present) ??
    checkSourceOf(request, policy, source.repository) ??
    checkServiceAccount(policy, serviceAccount)
  if (refusal !== undefined) return refusal
  return await checkBundle(ports.store, request.cluster, entry, policy)
}

function buryApp(app: PresentApp, {commit, trace}: PublishStatement, now: Date): DesiredApp {
  return {
    state: 'removed',
    name: app.name,
    declaredIn: app.declaredIn,
    deletionPolicy: app.sync.deletionPolicy,
    commit,
    removedAt: now.toISOString(),
    trace: passStage(trace, 'signed', now),
  }
}

/** Everything but the removals that are so old that every cluster heard of them. */
export function keepTombstones(apps: readonly DesiredApp[], now: Date): DesiredApp[] {
  return apps.filter(
    (app) => app.state === 'present' || now.getTime() - Date.parse(app.removedAt) < TOMBSTONE_MILLISECONDS,
  )
}
