import {describeError} from '#shared/model/drawbridge-error.ts'

const words: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a folder',
  ENOTDIR: 'part of its path is not a folder',
  ELOOP: 'its links have no end',
}

/** Tells why a file could not be opened, without repeating its name or the system's code, which the caller's sentence has. */
export function describeFileError(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return words[code] ?? describeError(error)
}
