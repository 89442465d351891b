import {mapBounded} from '#shared/async/map-bounded.ts'
import type {PublishStatement} from '#shared/model/publish-request.ts'
import type {GitSource} from '#shared/ports/git-source.ts'

/**
 * Tells whether every ref that a request was rendered from still points to the commit it was rendered at. Must be asked after
 * the desired state was read: whoever then publishes over it lost to no newer push. Rejects with `SourceError`.
 */
export async function findMovedHead(
  git: GitSource,
  {heads}: Pick<PublishStatement, 'heads'>,
): Promise<PublishStatement['heads'][number] | undefined> {
  const unique = [...new Map(heads.map((head) => [`${head.repository} ${head.ref} ${head.commit}`, head])).values()]
  const isCurrent = await mapBounded(unique, 8, async ({repository, ref, commit}) => {
    const now = await git.resolveRef(repository, ref)
    return now !== 'absent' && now.commit === commit
  })
  return unique.find((_, index) => isCurrent[index] === false)
}
