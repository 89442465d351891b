import {readFile, stat} from 'node:fs/promises'
import {join, resolve} from 'node:path'
import type {SourceTree} from '../ports/git-source.ts'
import {SourceError} from '../ports/source-error.ts'
import type {FolderCache} from './folder-cache.ts'
import {isAbsent} from './loose-object.ts'
import {createPackCache} from './packed-object.ts'
import {type ObjectDatabase, openTree, readObject} from './read-tree.ts'

/** A tag is some lines of text; what is larger is none. */
const maxTagBytes = 1024 * 1024

/** A repository on this machine's disk, read in place. */
export interface LocalRepository {
  resolveRef(ref: string): Promise<{ref: string; commit: string} | 'absent'>
  fetchTree(commit: string): Promise<SourceTree>
}

/** Opens a bare repository, or the one of a work tree (its `.git` folder, or the file that a linked work tree has). Rejects with `SourceError` NOT_FOUND, UNSUPPORTED_URL. */
export async function openLocalRepository(path: string, folders: FolderCache): Promise<LocalRepository> {
  const own = await findGitDir(path)
  const common = (await readText(join(own, 'commondir')))?.trim()
  await refuseUnknownFormat(path, common === undefined ? own : resolve(own, common))
  const database: ObjectDatabase = {
    gitdir: common === undefined ? own : resolve(own, common),
    packs: createPackCache(),
    folders,
  }
  return {
    async resolveRef(ref) {
      const full = ref === 'HEAD' ? await readHead(own) : ref
      if (full === undefined) return 'absent'
      if (isObjectId(full)) return {ref: 'HEAD', commit: full}
      const oid = await readRef(database.gitdir, full)
      if (oid === undefined) return 'absent'
      return {ref: full, commit: full.startsWith('refs/heads/') ? oid : await peelTag(database, oid)}
    },
    fetchTree: (commit) => openTree(database, commit),
  }
}

/** Forms of a repository in which every ref and object would seem to be absent. */
async function refuseUnknownFormat(path: string, gitdir: string): Promise<void> {
  const config = (await readText(join(gitdir, 'config'))) ?? ''
  const format = /^\s*(?:objectformat\s*=\s*(?!sha1\b)|refstorage\s*=\s*(?!files\b))(\S+)/im.exec(config)?.[1]
  const alternates = (await readText(join(gitdir, 'objects', 'info', 'alternates')))?.trim()
  const unreadable = format ?? (alternates ? "another repository's objects (objects/info/alternates)" : undefined)
  if (unreadable === undefined) return
  throw new SourceError(
    'UNSUPPORTED_URL',
    `the git repository at ${path} uses ${unreadable}, which cannot be read: use one with sha1 ids, refs in files and objects of its own`,
    {path},
  )
}

async function findGitDir(path: string): Promise<string> {
  const nested = join(path, '.git')
  for (const candidate of [nested, path]) {
    if (candidate === nested) {
      const link = await readText(nested)
      const target = link === undefined ? undefined : /^gitdir: (.+)$/m.exec(link)?.[1]
      if (target !== undefined) return resolve(path, target.trim())
    }
    if (await isFolder(join(candidate, 'objects'))) return candidate
  }
  throw new SourceError('NOT_FOUND', `there is no git repository at ${path}`, {path})
}

/** The full ref that HEAD names, whether it exists or not, or a commit where HEAD is detached. */
async function readHead(own: string): Promise<string | undefined> {
  const head = (await readText(join(own, 'HEAD')))?.trim()
  return head?.startsWith('ref: ') ? head.slice('ref: '.length) : head
}

/** The object id of a ref: its own file, else its line in packed-refs. Read anew each time, since a push may come at any moment. */
async function readRef(gitdir: string, ref: string, depth = 0): Promise<string | undefined> {
  if (ref.split('/').some((part) => part === '' || part === '.' || part === '..')) return undefined
  const loose = (await readText(join(gitdir, ref)))?.trim()
  if (loose?.startsWith('ref: ')) return depth > 4 ? undefined : readRef(gitdir, loose.slice('ref: '.length), depth + 1)
  if (loose !== undefined && isObjectId(loose)) return loose
  const packed = await readText(join(gitdir, 'packed-refs'))
  const line = packed?.split('\n').find((each) => each.slice(41) === ref)
  const oid = line?.slice(0, 40)
  return oid !== undefined && isObjectId(oid) ? oid : undefined
}

function isObjectId(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text)
}

/** The commit that an annotated tag points to; any other object id as it is. */
async function peelTag(database: ObjectDatabase, oid: string): Promise<string> {
  let current = oid
  for (let depth = 0; depth < 8; depth++) {
    const object = await readObject(database, current, maxTagBytes)
    if (!('content' in object) || object.type !== 'tag') return current
    const named = /^object ([0-9a-f]{40})\n/.exec(Buffer.from(object.content).toString('latin1'))?.[1]
    if (named === undefined) throw new SourceError('NOT_FOUND', `tag ${current} names no object`, {oid})
    current = named
  }
  throw new SourceError('NOT_FOUND', `tag ${oid} nests more than 8 tags`, {oid})
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isAbsent(error) || (error instanceof Error && 'code' in error && error.code === 'EISDIR')) return undefined
    throw error
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    if (isAbsent(error)) return false
    throw error
  }
}
