import * as z from 'zod'
import type {SourceTree} from '../ports/git-source.ts'
import {readArchive} from './archive-tree.ts'
import {gitHttpLimits} from './git-http-client.ts'

const commitSchema = z.object({tree: z.object({sha: z.string().regex(/^[0-9a-f]{40}$/)})})
const maxCommitBytes = 1024 * 1024

/**
 * Reads a commit through GitHub's REST API: the archive endpoint, and beside it the commit's tree id, by which the archive is
 * checked. `'unusable'` where the archive differs from the tree (export-ignore, export-subst, submodules) or GitHub does not answer as
 * it should: then git's own protocol is the way. Never rejects.
 */
export async function fetchGithubArchive(options: {
  /** The API's base URL, without a trailing slash. */
  api: string
  /** `owner/name` */
  path: string
  commit: string
  token: string | undefined
  cacheDir: string
}): Promise<SourceTree | 'unusable'> {
  const {api, commit, cacheDir} = options
  const repository = `${api}/repos/${options.path.split('/').map(encodeURIComponent).join('/')}`
  const stop = new AbortController()
  const expected = fetchTreeId(`${repository}/git/commits/${commit}`, options.token).catch(() => undefined)
  try {
    const archive = await fetchArchive(`${repository}/tarball/${commit}`, options.token, stop.signal)
    if (archive === undefined) return 'unusable'
    const {tree, rootId} = await readArchive(archive, {commit, cacheDir})
    if (rootId === (await expected)) return tree
    await tree.close()
    return 'unusable'
  } catch (error) {
    // Whatever is wrong with the archive, the fetch that follows says it better, or does without.
    stop.abort(error)
    return 'unusable'
  }
}

async function fetchTreeId(url: string, token: string | undefined): Promise<string | undefined> {
  const response = await fetch(url, {
    headers: headersOf(token),
    signal: AbortSignal.timeout(gitHttpLimits.listTimeoutMs),
  })
  const text = await response.text()
  if (!response.ok || text.length > maxCommitBytes) return undefined
  const parsed = commitSchema.safeParse(JSON.parse(text))
  return parsed.success ? parsed.data.tree.sha : undefined
}

async function fetchArchive(
  url: string,
  token: string | undefined,
  stop: AbortSignal,
): Promise<ReadableStream<Uint8Array> | undefined> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(gitHttpLimits.requestTimeoutMs)])
  const response = await fetch(url, {headers: headersOf(token), redirect: 'follow', signal})
  if (response.ok && response.body !== null) return response.body
  await response.body?.cancel()
  return undefined
}

function headersOf(token: string | undefined): Record<string, string> {
  return {
    accept: 'application/vnd.github+json',
    'user-agent': 'drawbridge',
    'x-github-api-version': '2022-11-28',
    ...(token === undefined ? {} : {authorization: `Bearer ${token}`}),
  }
}
