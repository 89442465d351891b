import type {Finding} from '#shared/model/outcome.ts'
import type {PublishStatement} from '#shared/model/publish-request.ts'
import {parseRepositoryUrl} from '#shared/model/repository-url.ts'
import type {PolicyRefusal, RepositoryPolicy} from '#shared/model/tracked-repository.ts'
import type {GitSource} from '#shared/ports/git-source.ts'
import {checkCluster, checkSource} from '#shared/tracking/check-declared.ts'
import {findTracked} from '#shared/tracking/find-tracked.ts'
import type {PublishConfig} from './ports.ts'

/** Whether a statement may be looked at. `untracked`: its declaration is not in the configuration. */
export type TrackedVerdict =
  | {result: 'tracked'; policy: RepositoryPolicy | undefined}
  | {result: 'untracked'; message: string}
  | {result: 'refused'; findings: Finding[]}

/**
 * Checks whose statement it is and which cluster it is about, before the git host is asked about any name that is in it: whoever can write
 * to the queue must not choose what is fetched. Rejects with `SourceError`.
 */
export async function checkTracked(
  git: GitSource,
  {repositories}: PublishConfig,
  {declaredIn, cluster}: Pick<PublishStatement, 'declaredIn' | 'cluster'>,
): Promise<TrackedVerdict> {
  const tracked = await findTracked(git, repositories, declaredIn)
  if (tracked === undefined) {
    const message = `nobody configured ${declaredIn.repository} at ${declaredIn.ref}: nothing is signed for it, and what clusters have of it stays as it is`
    return {result: 'untracked', message}
  }
  const {policy} = tracked
  const refusal = checkCluster(policy, cluster)
  return refusal === undefined ? {result: 'tracked', policy} : {result: 'refused', findings: [{...refusal, cluster}]}
}

/** Tells why an app of a declaration may not come from a repository. */
export function checkSourceOf(
  {declaredIn}: Pick<PublishStatement, 'declaredIn'>,
  policy: RepositoryPolicy | undefined,
  repository: string,
): PolicyRefusal | undefined {
  const isLocal = (url: string) => parseRepositoryUrl(url).kind === 'local'
  if (isLocal(repository) && !isLocal(declaredIn.repository)) {
    const message = "its source is a path on the bridge's machine, which only a repository there may name"
    return {code: 'SOURCE_NOT_ALLOWED', message}
  }
  return checkSource(policy, {repository, declaredIn: declaredIn.repository})
}
