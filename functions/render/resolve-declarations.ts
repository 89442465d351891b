import {refSchema} from '#shared/model/names.ts'
import {fullRef} from '#shared/model/revision.ts'
import type {GitSource} from '#shared/ports/git-source.ts'
import {SourceError} from '#shared/ports/source-error.ts'
import type {Head} from './open-sources.ts'

/** Where a tracked repository's declaration stands now; `'absent'` where its ref does not exist (yet). Rejects with `SourceError`. */
export async function resolveDeclaration(
  git: GitSource,
  tracked: {url: string; ref?: string | undefined},
): Promise<Head | 'absent'> {
  const resolved = await git.resolveRef(tracked.url, tracked.ref === undefined ? 'HEAD' : fullRef(tracked.ref))
  if (resolved === 'absent') return 'absent'
  if (!refSchema.safeParse(resolved.ref).success) {
    throw new SourceError('NOT_FOUND', `HEAD of ${tracked.url} is no branch: name the branch to follow`, {})
  }
  return {repository: tracked.url, ref: resolved.ref, commit: resolved.commit}
}
