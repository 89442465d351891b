import {parseRepositoryUrl} from '../model/repository-url.ts'
import type {Clock} from '../ports/clock.ts'
import {CommitStatusError} from '../ports/commit-status-error.ts'
import type {CommitStatus, CommitStatuses} from '../ports/commit-statuses.ts'
import {cutText} from './cut-text.ts'

const GITHUB_API = 'https://api.github.com'
const MAX_DESCRIPTION_CHARACTERS = 140
const MAX_CONTEXT_CHARACTERS = 255
const REQUEST_TIMEOUT_MILLISECONDS = 10_000
/** GitHub's advice where a rate limit names no time of its own. */
const DEFAULT_PAUSE_MILLISECONDS = 60_000

export interface GithubCommitStatusesOptions {
  /** Needs `statuses: write` on the repositories. */
  token: string
  /** GitHub's REST API. Default: https://api.github.com. */
  api?: string
  clock: Clock
}

/**
 * Sets commit statuses by GitHub's REST API (`POST /repos/{owner}/{repo}/statuses/{sha}`). Once GitHub says that its rate limit
 * is reached, no request is made until the time that it names. Rejects with `CommitStatusError`.
 */
export function createGithubCommitStatuses({
  token,
  api = GITHUB_API,
  clock,
}: GithubCommitStatusesOptions): CommitStatuses {
  let pausedUntil = 0
  const checkPause = (): void => {
    if (clock.now().getTime() >= pausedUntil) return
    const until = new Date(pausedUntil).toISOString()
    throw new CommitStatusError('RATE_LIMITED', `GitHub's rate limit is reached; it is asked again after ${until}`, {
      until,
    })
  }
  return {
    setCommitStatus: async (status) => {
      checkPause()
      const response = await post(
        `${api.replace(/\/+$/, '')}/repos/${repositoryPath(status)}/statuses/${status.commit}`,
        token,
        status,
      )
      if (response.ok) return
      const now = clock.now().getTime()
      const limitedUntil = readRateLimit(response, now)
      if (limitedUntil !== undefined) {
        pausedUntil = Math.max(pausedUntil, limitedUntil)
        checkPause()
      }
      throw await failure(response, status)
    },
  }
}

async function post(url: string, token: string, status: CommitStatus): Promise<Response> {
  const {state, description, context, targetUrl} = status
  try {
    return await fetch(url, {
      method: 'POST',
      headers: {
        accept: 'application/vnd.github+json',
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'user-agent': 'drawbridge',
        'x-github-api-version': '2022-11-28',
      },
      body: JSON.stringify({
        state,
        description: cutText(description, MAX_DESCRIPTION_CHARACTERS),
        context: cutText(context, MAX_CONTEXT_CHARACTERS),
        ...(targetUrl !== undefined && {target_url: targetUrl}),
      }),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MILLISECONDS),
    })
  } catch (cause) {
    throw new CommitStatusError('UNAVAILABLE', `GitHub could not be reached to show ${context}`, {context}, {cause})
  }
}

/** When to ask again (milliseconds since 1970), or undefined where the answer is not about a rate limit. */
function readRateLimit({status, headers}: Response, now: number): number | undefined {
  if (status !== 403 && status !== 429) return undefined
  const retryAfter = Number(headers.get('retry-after') ?? Number.NaN)
  if (Number.isFinite(retryAfter) && retryAfter >= 0) return now + retryAfter * 1_000
  const reset = Number(headers.get('x-ratelimit-reset') ?? Number.NaN)
  if (headers.get('x-ratelimit-remaining') === '0' && Number.isFinite(reset))
    return Math.max(reset * 1_000, now + 1_000)
  return status === 429 ? now + DEFAULT_PAUSE_MILLISECONDS : undefined
}

async function failure(response: Response, {repository, commit, context}: CommitStatus): Promise<CommitStatusError> {
  await response.body?.cancel()
  const details = {status: response.status, repository, commit, context}
  if (response.status >= 500) {
    return new CommitStatusError(
      'UNAVAILABLE',
      `GitHub answered ${response.status} when asked to show ${context}`,
      details,
    )
  }
  return new CommitStatusError(
    'REFUSED',
    `GitHub refuses to show ${context} on ${commit} of ${repository} (${response.status}); check that the token may write commit statuses there`,
    details,
  )
}

function repositoryPath({repository}: CommitStatus): string {
  const location = parseRepositoryUrl(repository)
  const [owner, name, ...rest] = location.kind === 'http' ? location.path.replace(/\.git$/, '').split('/') : []
  if (!owner || !name || rest.length > 0) {
    throw new CommitStatusError(
      'REFUSED',
      `${repository} does not name a repository on GitHub (https://HOST/OWNER/NAME)`,
    )
  }
  return `${encodeURIComponent(owner)}/${encodeURIComponent(name)}`
}
