import {matchesGlob} from 'node:path'

/** What a pattern is tried on: the path from the app's folder. */
export interface Candidate {
  path: string
  isFolder: boolean
}

/** A pattern of `yaml.include` or `yaml.exclude`, read as gitignore reads a line. */
export interface FilePattern {
  /** As it was written. */
  text: string
  /** Tells whether it is about a file or folder itself; about what is in a folder see `matchesWithin`. */
  matches(candidate: Candidate): boolean
}

/**
 * Reads a pattern: one without a slash is about names at any depth, one with a slash about the path from the app's folder, whether
 * it begins with `/`, `./` or neither; one that ends with a slash is about folders only.
 */
export function parsePattern(text: string): FilePattern {
  const isFolderOnly = text.endsWith('/')
  const bare = isFolderOnly ? text.replace(/\/{1,256}$/, '') : text
  const glob = bare.replace(/^(?:\.?\/){1,256}/, '')
  const isAnywhere = glob === bare && !bare.includes('/')
  return {
    text,
    matches: ({path, isFolder}) => {
      if (isFolderOnly && !isFolder) return false
      return matchesGlob(isAnywhere ? path.slice(path.lastIndexOf('/') + 1) : path, glob)
    },
  }
}

/** Tells whether a pattern is about a file or, where it is about folders only, about one that the file is in. */
export function matchesWithin(pattern: FilePattern, path: string): boolean {
  if (!pattern.text.endsWith('/')) return pattern.matches({path, isFolder: false})
  const parts = path.split('/')
  return parts.some((_, index) => index > 0 && pattern.matches({path: parts.slice(0, index).join('/'), isFolder: true}))
}
