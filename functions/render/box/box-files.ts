import {RenderError} from '../render-error.ts'
import {isLfsPointer} from './foreign-files.ts'

/** What is at a path, symbolic links followed; paths are from the root of the repository, '' is the root. */
export type Stat = {type: 'absent'} | {type: 'folder'; path: string} | {type: 'file'; path: string; oid: string}

/** An entry of a folder, symbolic links followed: one that is absent is a link that leads to nothing. */
export interface FolderEntry {
  name: string
  stat: Stat | {type: 'submodule'}
}

/** Answers questions about the files of one commit, at once. Throws `RenderError` for what no render may go on after. */
export interface FileAnswers {
  stat(path: string): Stat
  /** The entries of a folder that is there, sorted by name in byte order. */
  list(path: string): FolderEntry[]
  /** The bytes of a file that is there. */
  read(path: string, oid: string): Uint8Array
}

/**
 * All that a render asked of the files, and what it was told: the list of its inputs. Keys are `stat PATH`, `list PATH`, `read PATH` and
 * `clock`; equal answers at another commit mean an equal render.
 */
export type Reads = Record<string, string>

/** The files of one commit as a render sees them: every question is written down. */
export interface BoxFiles {
  stat(path: string): Stat
  list(path: string): FolderEntry[] | undefined
  read(path: string): Uint8Array | 'absent' | 'folder'
  /** What was asked since the files were opened. */
  readonly reads: Reads
  /** The paths of the files that were read, in the order of their first reading. */
  readonly opened: string[]
  /** Writes down that the clock was looked at. */
  noteClock(clock: Date): void
}

/** Opens the files of a commit for one render. */
export function openBoxFiles(answers: FileAnswers): BoxFiles {
  const reads: Reads = {}
  const opened = new Set<string>()
  const stat = (path: string): Stat => {
    const found = answers.stat(path)
    reads[`stat ${path}`] = formatStat(found)
    return found
  }
  return {
    reads,
    stat,
    get opened() {
      return [...opened]
    },
    list(path) {
      if (stat(path).type !== 'folder') return undefined
      const entries = answers.list(path)
      reads[`list ${path}`] = formatList(entries)
      return entries
    },
    read(path) {
      const found = answers.stat(path)
      if (found.type !== 'file') {
        reads[`stat ${path}`] = formatStat(found)
        return found.type
      }
      reads[`read ${path}`] = found.oid
      const bytes = answers.read(path, found.oid)
      if (isLfsPointer(bytes)) {
        throw new RenderError(
          'LFS_POINTER',
          'it is a pointer of Git LFS, and its content is not in git: keep manifests out of LFS',
          {file: path},
        )
      }
      opened.add(path)
      return bytes
    },
    noteClock(clock) {
      reads.clock = clock.toISOString()
    },
  }
}

/** Writes what is at a path as a word for `Reads`. */
export function formatStat(stat: Stat): string {
  return stat.type === 'absent' ? '-' : `${stat.type} ${stat.path}`
}

/** Writes a folder's entries as a word for `Reads`. No name holds a slash, and none is empty: after two of them comes what it is. */
export function formatList(entries: readonly FolderEntry[]): string {
  return entries.map(({name, stat}) => `${name}${stat.type === 'file' ? '' : `//${stat.type}`}`).join('/')
}
