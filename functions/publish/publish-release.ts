import {mapBounded} from '#shared/async/map-bounded.ts'
import {VerificationError} from '#shared/attest/verification-error.ts'
import {API_VERSION} from '#shared/model/api-version.ts'
import type {DesiredApp, DesiredState} from '#shared/model/desired-state.ts'
import type {JournalEvent} from '#shared/model/journal-event.ts'
import {keys} from '#shared/model/keys.ts'
import type {Finding, Outcome} from '#shared/model/outcome.ts'
import {type PublishStatement, rangeOf} from '#shared/model/publish-request.ts'
import {formatRevision} from '#shared/model/revision.ts'
import {passStage} from '#shared/model/trace.ts'
import {ObjectStoreError} from '#shared/ports/object-store-error.ts'
import {announceDesiredState} from './announce-desired-state.ts'
import {attestBundle} from './attest-bundle.ts'
import {findMovedHead} from './check-heads.ts'
import {checkSourceOf, checkTracked} from './check-tracked.ts'
import {type AppsPlan, planApps} from './plan-apps.ts'
import type {PublishConfig, PublishMeans} from './ports.ts'
import {isRolledBack, type PresentDesiredState, readDesiredState} from './read-desired-state.ts'
import {retryConflicts} from './retry-conflicts.ts'
import {isDueForRefresh, signDesiredState, swapDesiredState} from './write-desired-state.ts'

type Release =
  | {result: 'published'; desired: DesiredState; changed: DesiredApp[]; findings: Finding[]}
  | {result: 'unchanged'; desired: DesiredState | undefined; findings: Finding[]}
  | {result: 'superseded'; ref: string}
  | {result: 'refused'; findings: Finding[]}
  | {result: 'untracked'; message: string}

/**
 * Publishes what one declaration wants in one cluster, or in a range of its names, unless a newer push has superseded it: checks every changed bundle,
 * attests it, and swaps in the next signed version of the cluster's desired state. It may be stopped at any point and run again
 * (`isRedelivered`): the end is the same, and the cluster is notified. Rejects only where a later try can succeed.
 */
export async function publishRelease(
  ports: PublishMeans,
  config: PublishConfig,
  request: PublishStatement,
  {isRedelivered}: {isRedelivered: boolean},
): Promise<void> {
  const release = await retryConflicts(request.cluster, () => tryRelease(ports, config, request))
  switch (release.result) {
    case 'superseded':
      journal(ports, request, {event: 'skipped', code: 'SUPERSEDED', message: `${release.ref} has moved on`})
      return
    case 'untracked':
      // Nothing is told to its repository: whoever sent this chose the name.
      journal(ports, request, {event: 'refused', code: 'DECLARATION_NOT_TRACKED', message: release.message})
      return
    case 'refused':
      await reportFindings(ports, request, release.findings)
      return
    case 'unchanged': {
      const {desired, findings} = release
      // An earlier run may have been stopped after its swap and before it told anybody.
      const announced = isRedelivered && desired !== undefined && announceDesiredState(ports, desired, request.trace)
      await Promise.all([announced, reportFindings(ports, request, findings)])
      if (findings.length === 0) journal(ports, request, {event: 'skipped', code: 'UNCHANGED'})
      return
    }
    case 'published': {
      const {desired, changed, findings} = release
      const at = ports.clock.now()
      const {version, issuedAt} = desired
      for (const app of changed) {
        journal(ports, request, {event: 'signed', version, ...about(app), at: issuedAt})
        journal(ports, request, {event: 'published', version, ...about(app), at: at.toISOString()})
      }
      if (changed.length === 0) journal(ports, request, {event: 'published', version})
      const trace = passStage(desired.trace, 'published', at)
      await Promise.all([announceDesiredState(ports, desired, trace), reportFindings(ports, request, findings)])
    }
  }
}

async function tryRelease(
  ports: PublishMeans,
  config: PublishConfig,
  request: PublishStatement,
): Promise<Release | 'conflict'> {
  const {cluster} = request
  const tracked = await checkTracked(ports.git, config, request)
  if (tracked.result !== 'tracked') return tracked
  const {policy} = tracked
  const present = await readPresent(ports, cluster)
  if ('code' in present) return {result: 'refused', findings: [present]}
  const [moved, plan] = await Promise.all([
    findMovedHead(ports.git, {
      // What comes from elsewhere is refused with its app, and not asked for.
      heads: request.heads.filter(({repository}) => checkSourceOf(request, policy, repository) === undefined),
    }),
    planApps(ports, request, present.desired, policy),
  ])
  if (moved !== undefined) return {result: 'superseded', ref: moved.ref}
  const {findings} = plan
  if (plan.changed.length === 0 && !isDueForRefresh(present, ports.clock.now())) {
    return {result: 'unchanged', desired: present.desired, findings}
  }
  const desired = await signAndSwap(ports, config, request, present, plan)
  if (desired === 'conflict') return 'conflict'
  if (desired === 'too-large') return {result: 'refused', findings: [tooLarge(request, plan)]}
  if (isRolledBack(present)) {
    const message = `the store held version ${present.desired?.version} and the cluster has accepted ${present.lastVersion}; published as ${desired.version}`
    journal(ports, request, {event: 'refused', code: 'STORE_ROLLED_BACK', message})
  }
  return {result: 'published', desired, changed: plan.changed, findings}
}

async function signAndSwap(
  ports: PublishMeans,
  config: PublishConfig,
  request: PublishStatement,
  present: PresentDesiredState,
  plan: AppsPlan,
): Promise<DesiredState | 'conflict' | 'too-large'> {
  const {cluster, trace} = request
  const [signed] = await Promise.all([
    signDesiredState(ports, config, present, {cluster, apps: plan.apps, trace}),
    mapBounded(plan.attestations, 8, (attestation) => attestBundle(ports, {...attestation, cluster})),
  ])
  // Stored only once all is attested: a cluster that sees the desired state must find the proof of everything in it.
  return signed === 'too-large' ? 'too-large' : await swapDesiredState(ports, present, signed)
}

async function readPresent(ports: PublishMeans, cluster: string): Promise<PresentDesiredState | Finding> {
  try {
    return await readDesiredState(ports, cluster)
  } catch (error) {
    const isTooLarge = error instanceof ObjectStoreError && error.code === 'TOO_LARGE'
    if (!(error instanceof VerificationError) && !isTooLarge) throw error
    return {
      code: 'DESIRED_STATE_UNTRUSTED',
      message: `what is stored at ${keys.desired(cluster)} was not published by this bridge, so nothing is built upon it: ${error.message}. The cluster keeps what it runs. Restore the last good version of that object, then push or wait for the sweep`,
      cluster,
    }
  }
}

function tooLarge({cluster}: PublishStatement, {apps}: AppsPlan): Finding {
  return {
    code: 'DESIRED_STATE_TOO_LARGE',
    message: `the desired state of cluster ${cluster} (${apps.length} apps) is larger than clusters read; declare fewer apps for it`,
    cluster,
  }
}

async function reportFindings(ports: PublishMeans, request: PublishStatement, findings: Finding[]): Promise<void> {
  if (findings.length === 0) return
  for (const {app, code, message} of findings) {
    journal(ports, request, {event: 'refused', code, message, ...(app !== undefined && {app})})
  }
  const range = rangeOf(request)
  const outcome: Outcome = {
    apiVersion: API_VERSION,
    kind: 'Outcome',
    stage: 'publish',
    repository: request.declaredIn.repository,
    ref: request.declaredIn.ref,
    commit: request.commit,
    cluster: request.cluster,
    ...(range !== undefined && {range}),
    findings: findings.slice(0, 200).map((finding) => ({...finding, message: finding.message.slice(0, 16_384)})),
    trace: request.trace,
  }
  await ports.outcomes.send(JSON.stringify(outcome))
}

function about(app: DesiredApp): Partial<JournalEvent> {
  const revision = app.state === 'present' ? app.revision : formatRevision(app.declaredIn.ref, app.commit)
  return {app: app.name, revision, traceparent: app.trace.traceparent}
}

function journal(
  {journal, clock}: PublishMeans,
  {declaredIn, commit, cluster, trace}: PublishStatement,
  event: Pick<JournalEvent, 'event'> & Partial<JournalEvent>,
): void {
  journal.record({
    at: clock.now().toISOString(),
    repository: declaredIn.repository,
    ref: declaredIn.ref,
    commit,
    cluster,
    traceparent: trace.traceparent,
    ...event,
  })
}
