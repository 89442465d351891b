import {normaliseRepositoryUrl} from '#shared/model/repository-url.ts'

/** The one text for a repository's ref, however its URL is spelled. */
export function declarationKey({repository, ref}: {repository: string; ref: string}): string {
  return `${normaliseRepositoryUrl(repository)} ${ref}`
}
