import {sameRepository} from '../model/repository-url.ts'
import {fullRef} from '../model/revision.ts'
import type {TrackedRepository} from '../model/tracked-repository.ts'
import type {GitSource} from '../ports/git-source.ts'

interface Declaration {
  repository: string
  ref: string
}

/** The entry of a declaration that is known to be tracked: the one that names its ref, else the one that follows the repository's HEAD. */
export function entryOf(
  repositories: readonly TrackedRepository[],
  {repository, ref}: Declaration,
): TrackedRepository | undefined {
  const same = repositories.filter(({url}) => sameRepository(url, repository))
  return (
    same.find((entry) => entry.ref !== undefined && fullRef(entry.ref) === ref) ??
    same.find((entry) => entry.ref === undefined)
  )
}

/**
 * Finds the entry that tracks a declaration; the git host is asked only where one follows HEAD, and never about a repository that is not
 * in the list. Rejects with `SourceError`.
 */
export async function findTracked(
  git: Pick<GitSource, 'resolveRef'>,
  repositories: readonly TrackedRepository[],
  declaration: Declaration,
): Promise<TrackedRepository | undefined> {
  const entry = entryOf(repositories, declaration)
  if (entry === undefined || entry.ref !== undefined) return entry
  const head = await git.resolveRef(entry.url, 'HEAD')
  return head !== 'absent' && head.ref === declaration.ref ? entry : undefined
}
