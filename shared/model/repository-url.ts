import {isAbsolute, normalize} from 'node:path'
import {fileURLToPath, pathToFileURL} from 'node:url'

/** A repository's URL taken apart: what can be read, or why it can't. */
export type RepositoryLocation =
  | {kind: 'local'; path: string}
  | {kind: 'http'; protocol: 'http:' | 'https:'; host: string; path: string}
  | {kind: 'unsupported'; reason: string}

/**
 * Takes a repository's URL apart. Understood are absolute paths and `file://` (local), `http://`, `https://`, and the two ssh
 * forms (`ssh://git@host/o/r`, `git@host:o/r`), which name the same repository as https does and are read that way. `host` is in
 * lower case and carries a port that is not the protocol's own; `path` of http has no leading slash and is as written otherwise.
 * A URL that holds a credential is refused: it would end up in documents and logs. `reason` never repeats the URL.
 */
export function parseRepositoryUrl(url: string): RepositoryLocation {
  const text = url.trim()
  if (text === '' || /[\s\0\\]/.test(text)) return unsupported('is empty, or holds white space or a backslash')
  if (isAbsolute(text)) return {kind: 'local', path: localPath(text)}
  const scp = /^(?:[\w.-]+@)?([\w.-]+):(?!\/\/)(.+)$/.exec(text)
  if (scp?.[1] !== undefined && scp[2] !== undefined) {
    return parseRepositoryUrl(`https://${scp[1]}/${scp[2].replace(/^\/+/, '')}`)
  }
  const parsed = URL.parse(text)
  if (parsed === null) return unsupported('is neither a URL nor an absolute path')
  switch (parsed.protocol) {
    case 'file:':
      if (parsed.host !== '') return unsupported('is a file URL that names another host')
      return parseFileUrl(parsed)
    case 'ssh:':
      if (parsed.password !== '') return unsupported(CREDENTIAL)
      return remote('https:', parsed.hostname, parsed.pathname)
    case 'http:':
    case 'https:':
      if (parsed.username !== '' || parsed.password !== '') return unsupported(CREDENTIAL)
      if (parsed.search !== '' || parsed.hash !== '') return unsupported('has a query or a fragment')
      return remote(parsed.protocol, parsed.host, parsed.pathname)
    default:
      return unsupported(`has the protocol ${parsed.protocol}//, and only https, http, ssh and file are understood`)
  }
}

const CREDENTIAL = 'holds a credential; give the token by the configured secret instead'

/**
 * The one spelling of a repository's URL, by which it is compared: no `.git`, no trailing slash, host in lower case (GitHub's path too), ssh
 * as https. A key, not something to fetch from. What is not understood is returned as it is.
 */
export function normaliseRepositoryUrl(url: string): string {
  const location = parseRepositoryUrl(url)
  switch (location.kind) {
    case 'local':
      return pathToFileURL(trimGit(location.path) || '/').href
    case 'http': {
      const path = trimGit(location.path)
      return `${location.protocol}//${location.host}/${location.host === 'github.com' ? path.toLowerCase() : path}`
    }
    case 'unsupported':
      return url
  }
}

/** Tells whether two URLs name the same repository, however they are spelled. */
export function sameRepository(a: string, b: string): boolean {
  return a === b || normaliseRepositoryUrl(a) === normaliseRepositoryUrl(b)
}

function parseFileUrl(url: URL): RepositoryLocation {
  try {
    return {kind: 'local', path: localPath(fileURLToPath(url))}
  } catch (error) {
    // An encoded slash, or bytes that are no UTF-8.
    if (error instanceof TypeError || error instanceof URIError) return unsupported('is a malformed file URL')
    throw error
  }
}

function remote(protocol: 'http:' | 'https:', host: string, path: string): RepositoryLocation {
  const trimmed = path.replace(/^\/+|\/+$/g, '')
  if (trimmed === '') return unsupported('names a host but no repository')
  // A server may take them for path separators, so that it would be another repository than what is compared.
  if (/%(2e|2f|5c|00)/i.test(trimmed)) return unsupported('holds an encoded dot, slash, backslash or zero')
  return {kind: 'http', protocol, host: host.toLowerCase(), path: trimmed}
}

function localPath(path: string): string {
  const clean = normalize(path)
  return clean.length > 1 ? clean.replace(/\/+$/, '') : clean
}

function trimGit(path: string): string {
  let end = path.length
  for (;;) {
    if (path[end - 1] === '/') end -= 1
    else if (path.endsWith('.git', end)) end -= '.git'.length
    else return path.slice(0, end)
  }
}

function unsupported(reason: string): RepositoryLocation {
  return {kind: 'unsupported', reason}
}
