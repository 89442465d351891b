import {Readable} from 'node:stream'
import * as z from 'zod'
import type {SourceTree} from '../ports/git-source.ts'
import {readArchive} from './archive-tree.ts'
import {gitHttpLimits} from './git-http-client.ts'
import type {SourceFetch, SourceResponse} from './source-fetch.ts'

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
  fetchSource: SourceFetch
  cacheDir: string
}): Promise<SourceTree | 'unusable'> {
  const {api, commit, cacheDir} = options
  const repository = `${api}/repos/${options.path.split('/').map(encodeURIComponent).join('/')}`
  const stop = new AbortController()
  const below = `${new URL(repository).pathname}/`
  const ask: Ask = (url, signal) =>
    options.fetchSource(url, {
      headers,
      authorization: options.token === undefined ? undefined : `Bearer ${options.token}`,
      mayCarry: ({pathname}) => pathname.startsWith(below),
      signal,
    })
  const expected = fetchTreeId(ask, `${repository}/git/commits/${commit}`).catch(() => undefined)
  try {
    const archive = await fetchArchive(ask, `${repository}/tarball/${commit}`, stop.signal)
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

type Ask = (url: string, signal: AbortSignal) => Promise<SourceResponse>

async function fetchTreeId(ask: Ask, url: string): Promise<string | undefined> {
  const {status, body} = await ask(url, AbortSignal.timeout(gitHttpLimits.listTimeoutMs))
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of body) {
    parts.push(part)
    bytes += part.byteLength
    if (bytes > maxCommitBytes) return undefined
  }
  if (status !== 200) return undefined
  const parsed = commitSchema.safeParse(JSON.parse(Buffer.concat(parts).toString('utf8')))
  return parsed.success ? parsed.data.tree.sha : undefined
}

async function fetchArchive(ask: Ask, url: string, stop: AbortSignal): Promise<ReadableStream<Uint8Array> | undefined> {
  const {status, body} = await ask(url, AbortSignal.any([stop, AbortSignal.timeout(gitHttpLimits.requestTimeoutMs)]))
  if (status === 200) return Readable.toWeb(body) as ReadableStream<Uint8Array>
  body.destroy()
  return undefined
}

const headers = {
  accept: 'application/vnd.github+json',
  'user-agent': 'drawbridge',
  'x-github-api-version': '2022-11-28',
}
