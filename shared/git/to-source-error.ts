import {normaliseRepositoryUrl} from '../model/repository-url.ts'
import {SourceError} from '../ports/source-error.ts'
import {RefusedError} from './source-fetch.ts'

/**
 * Runs a read of a repository; what it throws becomes a `SourceError` that names the repository and repeats neither a header
 * nor a credential. What is not understood is taken for UNAVAILABLE, so that it is tried again.
 */
export async function toSourceError<T>(repository: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    if (cause instanceof SourceError) throw cause
    const name = normaliseRepositoryUrl(repository)
    if (isRefusal(cause)) {
      const message = `${name} is not fetched: it, or where it redirects to, is not a public address, or not one that the bridge's configuration allows. Use a repository at a public address, or ask who runs the bridge`
      throw new SourceError('ADDRESS_NOT_ALLOWED', message)
    }
    const status = statusOf(cause)
    if (status === 401 || status === 403) {
      throw new SourceError('ACCESS_DENIED', `${name} refuses access (HTTP ${status}): check the git token`, {status})
    }
    if (status === 404 || status === 410) {
      throw new SourceError('NOT_FOUND', `${name} is not there, or the git token may not see it (HTTP ${status})`, {
        status,
      })
    }
    const what = status === undefined ? codeOf(cause) : `HTTP ${status}`
    throw new SourceError('UNAVAILABLE', `${name} could not be read: ${what}`, {}, {cause})
  }
}

function isRefusal(error: unknown): boolean {
  if (error instanceof RefusedError) return true
  if (error instanceof AggregateError && error.errors.some(isRefusal)) return true
  return error instanceof Error && error.cause !== undefined && isRefusal(error.cause)
}

/** The HTTP status in an error of isomorphic-git, which keeps it in `data`. */
function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('data' in error)) return undefined
  const {data} = error
  if (typeof data !== 'object' || data === null || !('statusCode' in data)) return undefined
  return typeof data.statusCode === 'number' ? data.statusCode : undefined
}

/** A word for what went wrong that cannot hold a URL: the system's code, or the error's name. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error'
  if ('code' in error && typeof error.code === 'string') return error.code
  if (error.cause instanceof Error) return codeOf(error.cause)
  return error.name
}
