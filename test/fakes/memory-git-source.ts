import type {GitSource} from '#shared/ports/git-source.ts'
import {SourceError} from '#shared/ports/source-error.ts'

export interface MemoryGitSource extends GitSource {
  /** Moves a ref; `undefined` deletes it. */
  moveRef(repository: string, ref: string, commit: string | undefined): void
}

/** A git source that knows where refs point and holds no files. */
export function createMemoryGitSource(): MemoryGitSource {
  const heads = new Map<string, string>()
  return {
    moveRef: (repository, ref, commit) => {
      if (commit === undefined) heads.delete(`${repository} ${ref}`)
      else heads.set(`${repository} ${ref}`, commit)
    },
    resolveRef: async (repository, ref) => {
      const commit = heads.get(`${repository} ${ref}`)
      return commit === undefined ? 'absent' : {ref, commit}
    },
    fetchTree: async () => {
      throw new SourceError('NOT_FOUND', 'this source holds no files')
    },
  }
}
