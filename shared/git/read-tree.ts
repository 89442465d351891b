import git from 'isomorphic-git'
import {limits} from '../model/limits.ts'
import type {SourceTree, TreeEntry} from '../ports/git-source.ts'
import {SourceError} from '../ports/source-error.ts'
import {looseObjectSize} from './loose-object.ts'
import {nodeFs} from './node-fs.ts'

/** Where a commit's objects are, and what is kept of them between reads. */
export interface ObjectDatabase {
  gitdir: string
  /** isomorphic-git's cache of pack indexes. */
  cache: object
}

/**
 * Opens the tree of a commit in an object database. Folders are read once; `close` runs `release`. Rejects with `SourceError`
 * COMMIT_GONE where the commit is not there.
 */
export async function openTree(
  database: ObjectDatabase,
  commit: string,
  release: () => Promise<void> = async () => undefined,
): Promise<SourceTree> {
  const root = await readRoot(database, commit)
  const folders = new Map<string, Promise<TreeEntry[]>>()

  const readFolder = (oid: string, path: string): Promise<TreeEntry[]> => {
    const known = folders.get(path)
    if (known !== undefined) return known
    const entries = readEntries(database, oid, path)
    folders.set(path, entries)
    return entries
  }

  const entry = async (path: string): Promise<TreeEntry | undefined> => {
    let current: TreeEntry = {path: '', type: 'folder', oid: root, executable: false}
    for (const part of path === '' ? [] : path.split('/')) {
      if (current.type !== 'folder') return undefined
      const full = current.path === '' ? part : `${current.path}/${part}`
      const next = (await readFolder(current.oid, current.path)).find((candidate) => candidate.path === full)
      if (next === undefined) return undefined
      current = next
    }
    return current
  }

  return {
    commit,
    entry,
    async list(folder) {
      const found = await entry(folder)
      return found?.type === 'folder' ? [...(await readFolder(found.oid, found.path))] : []
    },
    async read(path, maxBytes) {
      const found = await entry(path)
      if (found === undefined || (found.type !== 'file' && found.type !== 'symlink')) {
        throw new SourceError('NOT_FOUND', `${path} is not a file at commit ${commit}`, {path, commit})
      }
      const size = await looseObjectSize(database.gitdir, found.oid)
      if (size !== undefined && size > maxBytes) throw tooLarge(path, size, maxBytes)
      const {blob} = await git.readBlob({fs: nodeFs, ...database, oid: found.oid})
      if (blob.byteLength > maxBytes) throw tooLarge(path, blob.byteLength, maxBytes)
      return blob
    },
    close: release,
  }
}

async function readRoot(database: ObjectDatabase, commit: string): Promise<string> {
  try {
    const {commit: body} = await git.readCommit({fs: nodeFs, ...database, oid: commit})
    return body.tree
  } catch (cause) {
    if (isMissing(cause)) {
      throw new SourceError('COMMIT_GONE', `commit ${commit} is not in the repository (any more)`, {commit}, {cause})
    }
    throw cause
  }
}

async function readEntries(database: ObjectDatabase, oid: string, folder: string): Promise<TreeEntry[]> {
  const {tree} = await git.readTree({fs: nodeFs, ...database, oid})
  if (tree.length > limits.maxAppInputFiles) {
    throw new SourceError('FILE_TOO_LARGE', `folder ${folder} holds ${tree.length} entries`, {folder})
  }
  const entries = tree.map((item): TreeEntry => {
    const path = folder === '' ? item.path : `${folder}/${item.path}`
    return {path, type: typeOf(item.mode), oid: item.oid, executable: item.mode === '100755'}
  })
  return sortEntries(entries)
}

/** Sorts entries by path in byte order. */
export function sortEntries(entries: TreeEntry[]): TreeEntry[] {
  return entries.sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)))
}

function typeOf(mode: string): TreeEntry['type'] {
  switch (mode) {
    case '040000':
    case '40000':
      return 'folder'
    case '120000':
      return 'symlink'
    case '160000':
      return 'submodule'
    default:
      return 'file'
  }
}

/** The error of a file over its limit. */
export function tooLarge(path: string, size: number, maxBytes: number): SourceError {
  return new SourceError('FILE_TOO_LARGE', `${path} has ${size} bytes; at most ${maxBytes} are read`, {path, size})
}

/** Tells whether isomorphic-git says that something is not there. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'NotFoundError'
}
