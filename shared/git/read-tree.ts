import {limits} from '../model/limits.ts'
import type {SourceTree, TreeEntry} from '../ports/git-source.ts'
import {SourceError} from '../ports/source-error.ts'
import type {FolderCache} from './folder-cache.ts'
import {type GitObject, readLooseObject} from './loose-object.ts'
import {MAX_BASE_BYTES, type PackCache, readPackedObject} from './packed-object.ts'
import {type FolderItem, parseTreeObject} from './parse-tree-object.ts'

/** Where a commit's objects are, and what is kept of them between reads. */
export interface ObjectDatabase {
  gitdir: string
  packs: PackCache
  folders: FolderCache
  /** Objects that the index of a fetched pack leaves out, each too large to be read. @default false */
  leavesOut?: boolean
}

const maxCommitBytes = 1024 * 1024

/**
 * Opens the tree of a commit in an object database. Folders are read once; `close` runs `release`. Rejects with `SourceError`
 * COMMIT_GONE where the commit is not there.
 */
export async function openTree(
  database: ObjectDatabase,
  commit: string,
  release: () => Promise<void> = async () => undefined,
): Promise<SourceTree> {
  const {tree, committedAt} = await readCommit(database, commit)
  const root: TreeEntry = {path: '', type: 'folder', oid: tree, executable: false}
  const folders = new Map<string, Promise<Map<string, TreeEntry>>>()

  const readFolder = ({oid, path}: TreeEntry): Promise<Map<string, TreeEntry>> => {
    const known = folders.get(path)
    if (known !== undefined) return known
    const entries = readEntries(database, oid, path)
    folders.set(path, entries)
    return entries
  }

  const entry = async (path: string): Promise<TreeEntry | undefined> => {
    let current: TreeEntry | undefined = root
    for (const part of path === '' ? [] : path.split('/')) {
      if (current?.type !== 'folder') return undefined
      current = (await readFolder(current)).get(part)
    }
    return current
  }

  return {
    commit,
    committedAt,
    entry,
    async list(folder) {
      const found = await entry(folder)
      return found?.type === 'folder' ? sortEntries([...(await readFolder(found)).values()]) : []
    },
    async read(path, maxBytes) {
      const found = await entry(path)
      if (found === undefined || (found.type !== 'file' && found.type !== 'symlink')) {
        throw new SourceError('NOT_FOUND', `${path} is not a file at commit ${commit}`, {path, commit})
      }
      const object = await readObject(database, found.oid, maxBytes)
      if ('tooLarge' in object) throw tooLarge(path, object.tooLarge, maxBytes)
      return object.content
    },
    close: release,
  }
}

async function readCommit(database: ObjectDatabase, commit: string): Promise<{tree: string; committedAt: Date}> {
  try {
    const object = await readObject(database, commit, maxCommitBytes)
    const text = 'content' in object ? Buffer.from(object.content).toString('latin1') : ''
    const tree = /^tree ([0-9a-f]{40})\n/.exec(text)?.[1]
    if (tree === undefined) throw new SourceError('NOT_FOUND', `${commit} is not a commit`, {commit})
    const seconds = /\ncommitter [^\n]* (\d{1,12}) [-+]\d{4}\n/.exec(text)?.[1]
    return {tree, committedAt: new Date(Number(seconds ?? 0) * 1000)}
  } catch (cause) {
    if (!isMissing(cause)) throw cause
    throw new SourceError('COMMIT_GONE', `commit ${commit} is not in the repository (any more)`, {commit}, {cause})
  }
}

async function readEntries(database: ObjectDatabase, oid: string, folder: string): Promise<Map<string, TreeEntry>> {
  let items = database.folders.get(oid)
  if (items === undefined) {
    const object = await readObject(database, oid, limits.maxFolderBytes)
    // Taken for empty, all that is in it would be removed from the clusters.
    if ('tooLarge' in object) throw tooLarge(`folder ${folder || '.'}`, object.tooLarge, limits.maxFolderBytes)
    items = parseTreeObject(object.content)
    refuseUncleanNames(items, folder)
    database.folders.set(oid, items)
  }
  const prefix = folder === '' ? '' : `${folder}/`
  return new Map(
    items.map(({name, type, oid: id, executable}) => [name, {path: `${prefix}${name}`, type, oid: id, executable}]),
  )
}

/** Git's own checks of names (fsck) are off at most servers, and a folder called `..` would lead a copy of the tree out of its place. */
function refuseUncleanNames(items: readonly FolderItem[], folder: string): void {
  const unclean = items.find(({name}) => name === '' || name === '.' || name === '..' || name.includes('/'))
  if (unclean === undefined) return
  throw new SourceError(
    'PATH_LEAVES_REPOSITORY',
    `${folder || 'the root'} holds an entry called ${JSON.stringify(unclean.name)}, which no git client makes: rewrite that commit`,
    {folder},
  )
}

/** Reads an object, wherever it is. Rejects with what `isMissing` tells where it is nowhere. */
export async function readObject(
  database: ObjectDatabase,
  oid: string,
  maxBytes: number,
): Promise<GitObject | {tooLarge: number}> {
  const loose = await readLooseObject(database.gitdir, oid, maxBytes)
  if (loose !== 'absent') return loose
  const packed = await readPackedObject(database.gitdir, database.packs, oid, maxBytes)
  if (packed !== 'absent') return packed
  // It may have been packed, and its own file removed, between the two looks; or the other way round.
  const again = await readLooseObject(database.gitdir, oid, maxBytes)
  if (again !== 'absent') return again
  if (database.leavesOut === true) return {tooLarge: MAX_BASE_BYTES}
  throw Object.assign(new Error(`object ${oid} is not in the repository`), {code: 'NotFoundError'})
}

/** Sorts entries by path in byte order. */
export function sortEntries(entries: TreeEntry[]): TreeEntry[] {
  return entries.sort((a, b) => compareBytes(a.path, b.path))
}

function compareBytes(a: string, b: string): number {
  // Code units sort as bytes do, but for surrogates: those are compared as the bytes they become.
  if (/[\ud800-\udfff]/.test(a + b)) return Buffer.compare(Buffer.from(a), Buffer.from(b))
  return a < b ? -1 : a > b ? 1 : 0
}

/** The error of a file over its limit. */
export function tooLarge(path: string, size: number, maxBytes: number): SourceError {
  return new SourceError('FILE_TOO_LARGE', `${path} has ${size} bytes; at most ${maxBytes} are read`, {path, size})
}

/** Tells whether an error says that an object is not there. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'NotFoundError'
}
