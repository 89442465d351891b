import {parseRepositoryUrl} from '../model/repository-url.ts'
import type {Clock} from '../ports/clock.ts'
import type {GitSource} from '../ports/git-source.ts'
import {SourceError} from '../ports/source-error.ts'
import {fetchGithubArchive} from './fetch-github-archive.ts'
import {createFolderCache} from './folder-cache.ts'
import {findToken, type GitToken} from './git-tokens.ts'
import {fetchHttpTree, resolveHttpRef} from './http-repository.ts'
import {openLocalRepository} from './local-repository.ts'
import {createSourceFetch, type SourceFetch} from './source-fetch.ts'
import {toSourceError} from './to-source-error.ts'

/** What the git source is built from. */
export interface GitSourceOptions {
  /** A folder for what is fetched; each tree has a folder of its own in it until `close`. */
  cacheDir: string
  /** Each is sent to the repositories that its prefix names and to no other. @default none */
  tokens?: readonly GitToken[]
  /** CIDRs beside public addresses that sources may be fetched from. @default none */
  privateNetworks?: readonly string[]
  /** @default a client that connects to public addresses and `privateNetworks` only */
  fetchSource?: SourceFetch
  /**
   * GitHub's REST API, where GitHub is another one than github.com: `https://github.example.com/api/v3`. Repositories on the
   * same host are then read by its archive endpoint, as github.com's are by api.github.com's.
   * @default https://api.github.com
   */
  githubApi?: string
  clock: Clock
}

const GITHUB_API = 'https://api.github.com'

/**
 * Creates the source that reads every kind of git repository: local ones in place, GitHub's by its archive endpoint (checked
 * against the commit's tree id; a fetch where they differ or it fails), others by a fetch of depth 1 over smart HTTP. No error
 * of its methods holds a credential. Rejections: `SourceError` UNSUPPORTED_URL, ADDRESS_NOT_ALLOWED, NOT_FOUND, ACCESS_DENIED, and, worth a retry,
 * UNAVAILABLE and COMMIT_GONE.
 */
export function createGitSource(options: GitSourceOptions): GitSource {
  const folders = createFolderCache()
  const locals = new Map<string, ReturnType<typeof openLocalRepository>>()
  const githubApi = (options.githubApi ?? GITHUB_API).replace(/\/+$/, '')
  const githubHost = options.githubApi === undefined ? 'github.com' : new URL(githubApi).host

  const openLocal = (path: string) => {
    const known = locals.get(path)
    if (known !== undefined) return known
    const opened = openLocalRepository(path, folders)
    locals.set(path, opened)
    opened.catch(() => locals.delete(path))
    return opened
  }
  const {tokens = [], fetchSource = createSourceFetch(options)} = options

  const locate = (repository: string) => {
    const location = parseRepositoryUrl(repository)
    switch (location.kind) {
      case 'local':
        return location
      case 'http': {
        const url = `${location.protocol}//${location.host}/${location.path}`
        const token = findToken(tokens, repository)
        const mayCarry = (other: string) => token !== undefined && findToken(tokens, other) === token
        return {...location, url, access: {fetchSource, token, mayCarry}}
      }
      case 'unsupported':
        throw new SourceError('UNSUPPORTED_URL', `the repository's URL ${location.reason}`)
    }
  }

  return {
    async resolveRef(repository, ref) {
      const location = locate(repository)
      return toSourceError(repository, async () =>
        location.kind === 'local'
          ? (await openLocal(location.path)).resolveRef(ref)
          : resolveHttpRef(location.url, location.access, ref),
      )
    },
    async fetchTree(repository, commit) {
      const location = locate(repository)
      return toSourceError(repository, async () => {
        if (location.kind === 'local') return (await openLocal(location.path)).fetchTree(commit)
        if (location.host === githubHost) {
          const path = location.path.replace(/\.git$/, '')
          const {token} = location.access
          const archive = await fetchGithubArchive({
            api: githubApi,
            path,
            commit,
            token,
            fetchSource,
            cacheDir: options.cacheDir,
          })
          if (archive !== 'unusable') return archive
        }
        const {url, access} = location
        return fetchHttpTree({url, access, commit, cacheDir: options.cacheDir, folders})
      })
    },
  }
}
