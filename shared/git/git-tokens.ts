import {normaliseRepositoryUrl, parseRepositoryUrl} from '../model/repository-url.ts'

/** A token of a git host, and the beginning of the repositories that it is for: `https://github.com/acme` is `acme`'s, and not `acme-labs`'s. */
export interface GitToken {
  prefix: string
  token: string
}

/**
 * The token for a repository: that of the longest prefix that names it, where it can be sent unseen by the network. Never sent to another
 * repository.
 */
export function findToken(tokens: readonly GitToken[], repository: string): string | undefined {
  const location = parseRepositoryUrl(repository)
  if (location.kind !== 'http' || !isPrivate(location)) return undefined
  const url = normaliseRepositoryUrl(repository)
  const matching = tokens.flatMap(({prefix, token}) => {
    const normal = normalisePrefix(prefix)
    const isNamed = normal !== undefined && (url === normal || url.startsWith(`${normal}/`))
    return isNamed ? [{length: normal.length, token}] : []
  })
  return matching.sort((a, b) => b.length - a.length)[0]?.token
}

/** The one spelling of a prefix, without a trailing slash; undefined where it is none. */
export function normalisePrefix(prefix: string): string | undefined {
  const url = URL.parse(prefix)
  if (url === null || !/^https?:$/.test(url.protocol) || !isPrivate(url)) return undefined
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') return undefined
  if (url.pathname === '/') return `${url.protocol}//${url.host}`
  return parseRepositoryUrl(prefix).kind === 'http' ? normaliseRepositoryUrl(prefix) : undefined
}

// Whoever writes a drawbridge.yaml chooses the URL, and must not make the bridge show its token to the network.
function isPrivate({protocol, host}: {protocol: string; host: string}): boolean {
  return protocol === 'https:' || /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/.test(host)
}
