import type {AppReport, ClusterReport} from '#shared/model/cluster-report.ts'
import type {DesiredState, PresentApp} from '#shared/model/desired-state.ts'
import {nameFailures} from './name-failures.ts'

/** How one commit fares in one cluster. */
export interface CommitState {
  repository: string
  commit: string
  state: 'pending' | 'success' | 'failure'
  description: string
}

type AppState = {name: string; state: CommitState['state']; why: string; since: string}

/**
 * Tells for every commit that a cluster should run how it fares there: failure as soon as one of its apps failed, success once
 * all of them are healthy at exactly that revision, pending until then. Pure.
 */
export function computeCommitStatuses(
  desired: DesiredState | undefined,
  report: ClusterReport | undefined,
): CommitState[] {
  const present = (desired?.apps ?? []).filter((app) => app.state === 'present')
  const byCommit = Map.groupBy(present, commitKey)
  const reports = new Map((report?.apps ?? []).map((app) => [app.name, app]))
  return [...byCommit.values()].flatMap((apps) => {
    const [first] = apps
    if (first === undefined) return []
    const states = apps.map((app) => judgeApp(app, reports.get(app.name), report))
    return [{repository: first.source.repository, commit: first.source.commit, ...summarise(states)}]
  })
}

/** Names a commit in `ClusterStatus.commitStatuses`. */
export function commitKey({source}: Pick<PresentApp, 'source'>): string {
  return `${source.repository} ${source.commit}`
}

function judgeApp(app: PresentApp, reported: AppReport | undefined, report: ClusterReport | undefined): AppState {
  const {name} = app
  const waiting: AppState = {name, state: 'pending', why: `${name}: ${waitingFor(report)}`, since: ''}
  if (reported === undefined) return waiting
  if (reported.suspended === true && reported.revision !== app.revision) {
    const where = report === undefined ? '' : ` in ${report.cluster}`
    return {...waiting, why: `${app.name} is suspended${where}`}
  }
  const isAttempted = reported.attemptedRevision === app.revision || reported.revision === app.revision
  const isThisBundle = reported.bundle === undefined || reported.bundle === app.bundle.digest
  if (!isAttempted || !isThisBundle) return waiting
  const why = `${app.name}: ${reported.message === '' ? reported.reason : reported.message}`
  const known = {name, why, since: reported.since}
  if (reported.ready === 'False') return {...known, state: 'failure'}
  const isHealthy = reported.ready === 'True' && reported.revision === app.revision && reported.health === 'Current'
  return {...known, state: isHealthy ? 'success' : 'pending'}
}

function waitingFor(report: ClusterReport | undefined): string {
  if (report === undefined) return 'waiting for the cluster to report'
  if (report.desired.state === 'stale') return `the cluster keeps what it runs (${report.desired.reason ?? 'stale'})`
  return 'waiting for the cluster'
}

function summarise(states: readonly AppState[]): Pick<CommitState, 'state' | 'description'> {
  // The newest cause first: an older one was told when it came.
  const failed = states.filter(({state}) => state === 'failure').sort((a, b) => compare(b.since, a.since))
  if (failed.length > 0) {
    return {state: 'failure', description: nameFailures(failed.map(({name, why}) => ({app: name, words: why})))}
  }
  const healthy = states.filter(({state}) => state === 'success').length
  const pending = states.find(({state}) => state === 'pending')
  if (pending === undefined)
    return {state: 'success', description: `${healthy} ${healthy === 1 ? 'app' : 'apps'} healthy`}
  return {state: 'pending', description: `${healthy} of ${states.length} healthy; ${pending.why}`}
}

function compare(a: string, b: string): number {
  const [x, y] = [Date.parse(a), Date.parse(b)]
  return x === y || Number.isNaN(x - y) ? 0 : x - y
}
