import {mapBounded} from '#shared/async/map-bounded.ts'
import type {ClusterStatus} from '#shared/model/cluster-status.ts'
import {describeError} from '#shared/model/drawbridge-error.ts'
import {CommitStatusError} from '#shared/ports/commit-status-error.ts'
import type {CommitState} from './compute-commit-statuses.ts'
import type {StatusPorts} from './ports.ts'

type Known = ClusterStatus['commitStatuses']

const MAX_REMEMBERED = 200

/**
 * The statuses that the git host does not show yet: another state, or another cause of a failure. Those that `disputed` names are not taken
 * as shown whatever is remembered.
 */
export function selectDue(
  states: readonly CommitState[],
  {commitStatuses, shownFailures = {}}: Pick<ClusterStatus, 'commitStatuses' | 'shownFailures'>,
  disputed: ReadonlySet<string>,
): CommitState[] {
  return states.filter((state) => {
    const key = keyOf(state)
    if (disputed.has(key) || commitStatuses[key] !== state.state) return true
    // Nothing is known of what an older version showed; it stays until something changes.
    const words = shownFailures[key]
    return state.state === 'failure' && words !== undefined && words !== state.description
  })
}

/** Commits that were last shown as pending and that the cluster is no longer asked to run. */
export function selectSuperseded(states: readonly CommitState[], known: Known): CommitState[] {
  const wanted = new Set(states.map(keyOf))
  return Object.entries(known).flatMap(([key, state]) => {
    if (state !== 'pending' || wanted.has(key)) return []
    const [repository = '', commit = ''] = splitKey(key)
    return [{repository, commit, state, description: 'superseded by a newer commit before it was healthy'}]
  })
}

/**
 * Shows statuses on the git host, a few at a time, and returns which it now shows and the first error of those that can be tried
 * again. What a host refuses for good is journaled and counts as shown.
 */
export async function setCommitStatuses(
  {commitStatuses, journal, clock}: StatusPorts,
  cluster: string,
  states: readonly CommitState[],
): Promise<{shown: CommitState[]; error?: unknown}> {
  const results = await mapBounded(states, 4, async (state) => {
    try {
      await commitStatuses.setCommitStatus({...state, context: `drawbridge/${cluster}`})
    } catch (error) {
      if (!(error instanceof CommitStatusError) || error.code !== 'REFUSED') return {state, error}
      const {repository, commit} = state
      const message = describeError(error)
      journal.record({
        event: 'failed',
        at: clock.now().toISOString(),
        repository,
        commit,
        cluster,
        code: error.code,
        message,
      })
    }
    return {state}
  })
  const failed = results.find((result) => 'error' in result)
  const shown = results.filter((result) => !('error' in result)).map(({state}) => state)
  return failed === undefined ? {shown} : {shown, error: failed.error}
}

/** What is known to be shown after `shown` was; only the latest 200 are remembered, and nothing of `forgotten`. */
export function remember(
  {commitStatuses, shownFailures = {}}: Pick<ClusterStatus, 'commitStatuses' | 'shownFailures'>,
  shown: readonly CommitState[],
  forgotten: readonly CommitState[],
): Required<Pick<ClusterStatus, 'commitStatuses' | 'shownFailures'>> {
  const next = new Map(Object.entries(commitStatuses))
  const words = new Map(Object.entries(shownFailures))
  for (const state of shown) {
    const key = keyOf(state)
    next.delete(key)
    next.set(key, state.state)
    words.delete(key)
    if (state.state === 'failure') words.set(key, state.description)
  }
  for (const state of forgotten) next.delete(keyOf(state))
  const latest = [...next].slice(-MAX_REMEMBERED)
  const kept = new Set(latest.map(([key]) => key))
  return {
    commitStatuses: Object.fromEntries(latest),
    shownFailures: Object.fromEntries([...words].filter(([key]) => kept.has(key))),
  }
}

/** Names a commit in `ClusterStatus.commitStatuses`. */
export function keyOf({repository, commit}: Pick<CommitState, 'repository' | 'commit'>): string {
  return `${repository} ${commit}`
}

function splitKey(key: string): [string, string] {
  const space = key.lastIndexOf(' ')
  return [key.slice(0, space), key.slice(space + 1)]
}
