import type {SourceTree} from '../ports/git-source.ts'

/** placeholder, replaced below */
export async function fetchGithubArchive(_options: {
  api: string
  path: string
  commit: string
  token: string | undefined
  cacheDir: string
}): Promise<SourceTree | 'unusable'> {
  return 'unusable'
}
