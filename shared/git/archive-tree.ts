import {createHash} from 'node:crypto'
import {type FileHandle, mkdir, mkdtemp, open, rm} from 'node:fs/promises'
import {join} from 'node:path'
import {Readable} from 'node:stream'
import {createGunzip} from 'node:zlib'
import {extract} from 'tar-stream'
import {limits} from '../model/limits.ts'
import type {SourceTree, TreeEntry} from '../ports/git-source.ts'
import {SourceError} from '../ports/source-error.ts'
import {blobId, treeId} from './object-id.ts'
import {sortEntries, tooLarge} from './read-tree.ts'

/** How large an archive may be: as it comes, and unpacked. */
const archiveLimits = {maxPackedBytes: 512 * 1024 * 1024, maxUnpackedBytes: 2 * 1024 * 1024 * 1024, maxEntries: 500_000}

interface ArchiveFile {
  type: 'file' | 'symlink'
  oid: string
  executable: boolean
  size: number
  /** Where its bytes are in the spool; undefined for one too large to be kept. */
  offset: number | undefined
}

/**
 * Reads a gzip'd tar archive of one commit, as git hosts make them (all below one folder), into a spool file below `cacheDir`, which
 * the tree's `close` removes. Object ids are computed from the content. `rootId` is that of the whole: equal to the commit's
 * tree id only where the archive leaves nothing out (export-ignore, submodules) and changes nothing (export-subst).
 */
export async function readArchive(
  archive: ReadableStream<Uint8Array>,
  options: {commit: string; cacheDir: string},
): Promise<{tree: SourceTree; rootId: string}> {
  await mkdir(options.cacheDir, {recursive: true})
  const folder = await mkdtemp(join(options.cacheDir, 'archive-'))
  const spool = await open(join(folder, 'spool'), 'w+')
  const release = once(async () => {
    await spool.close()
    await rm(folder, {recursive: true, force: true})
  })
  try {
    const {files, committedAt} = await unpack(archive, spool)
    const {folders, rootId} = buildFolders(files)
    return {tree: openArchive({commit: options.commit, committedAt}, files, folders, spool, release), rootId}
  } catch (error) {
    await release()
    throw error
  }
}

async function unpack(
  archive: ReadableStream<Uint8Array>,
  spool: FileHandle,
): Promise<{files: Map<string, ArchiveFile>; committedAt: Date}> {
  const files = new Map<string, ArchiveFile>()
  // Hosts give every entry the time of the commit, as git-archive(1) does.
  let committedAt: Date | undefined
  const tar = extract()
  let end = 0
  let unpacked = 0
  const packed = limitBytes(archive, archiveLimits.maxPackedBytes)
  const source = Readable.from(packed)
  const gunzip = createGunzip()
  source.on('error', (error) => gunzip.destroy(error))
  gunzip.on('error', (error) => tar.destroy(error))
  source.pipe(gunzip).pipe(tar)
  for await (const entry of tar) {
    const {header} = entry
    committedAt ??= header.mtime
    const path = header.name.slice(header.name.indexOf('/') + 1).replace(/\/$/, '')
    const size = header.size ?? 0
    unpacked += size
    if (unpacked > archiveLimits.maxUnpackedBytes || files.size > archiveLimits.maxEntries) {
      throw new SourceError(
        'FILE_TOO_LARGE',
        `the archive unpacks to more than ${archiveLimits.maxUnpackedBytes} bytes`,
      )
    }
    const executable = ((header.mode ?? 0) & 0o100) !== 0
    if (header.type === 'symlink' && isCleanPath(path)) {
      const target = Buffer.from(header.linkname ?? '')
      files.set(path, {type: 'symlink', oid: blobId(target), executable: false, size: target.length, offset: end})
      end = await append(spool, target, end)
    } else if (header.type === 'file' && isCleanPath(path)) {
      const kept = size <= limits.maxSourceFileBytes
      const hash = createHash('sha1').update(`blob ${size}\0`)
      const offset = end
      for await (const part of entry) {
        if (!(part instanceof Uint8Array)) continue
        hash.update(part)
        if (kept) end = await append(spool, part, end)
      }
      files.set(path, {type: 'file', oid: hash.digest('hex'), executable, size, offset: kept ? offset : undefined})
      continue
    }
    entry.resume()
  }
  return {files, committedAt: committedAt ?? new Date(0)}
}

/** Writes bytes at an offset; the offset after them. */
async function append(spool: FileHandle, bytes: Uint8Array, offset: number): Promise<number> {
  const {bytesWritten} = await spool.write(bytes, 0, bytes.length, offset)
  if (bytesWritten !== bytes.length) throw new SourceError('UNAVAILABLE', 'the disk for fetched repositories is full')
  return offset + bytesWritten
}

/** All folders with their entries, and the id of the whole. */
function buildFolders(files: ReadonlyMap<string, ArchiveFile>): {folders: Map<string, TreeEntry[]>; rootId: string} {
  const folders = new Map<string, TreeEntry[]>([['', []]])
  const ensure = (folder: string): TreeEntry[] => {
    const known = folders.get(folder)
    if (known !== undefined) return known
    const made: TreeEntry[] = []
    folders.set(folder, made)
    // Its id is filled in below, once its own entries are complete.
    ensure(parentOf(folder)).push({path: folder, type: 'folder', oid: '', executable: false})
    return made
  }
  for (const [path, {type, oid, executable}] of files) ensure(parentOf(path)).push({path, type, oid, executable})
  const identify = (folder: string): string => {
    const entries = folders.get(folder) ?? []
    for (const entry of entries) if (entry.type === 'folder') entry.oid = identify(entry.path)
    sortEntries(entries)
    return treeId(entries.map((entry) => ({name: nameOf(entry.path), mode: modeOf(entry), oid: entry.oid})))
  }
  return {rootId: identify(''), folders}
}

function openArchive(
  {commit, committedAt}: Pick<SourceTree, 'commit' | 'committedAt'>,
  files: ReadonlyMap<string, ArchiveFile>,
  folders: ReadonlyMap<string, TreeEntry[]>,
  spool: FileHandle,
  close: () => Promise<void>,
): SourceTree {
  return {
    commit,
    committedAt,
    close,
    async entry(path) {
      if (path === '') return {path: '', type: 'folder', oid: '', executable: false}
      return folders.get(parentOf(path))?.find((entry) => entry.path === path)
    },
    list: async (folder) => [...(folders.get(folder) ?? [])],
    async read(path, maxBytes) {
      const file = files.get(path)
      if (file === undefined) throw new SourceError('NOT_FOUND', `${path} is not a file at commit ${commit}`, {path})
      if (file.size > maxBytes || file.offset === undefined) throw tooLarge(path, file.size, maxBytes)
      const bytes = Buffer.alloc(file.size)
      await spool.read(bytes, 0, file.size, file.offset)
      return bytes
    },
  }
}

/** Whether a path of an archive is one that a git tree can hold. */
function isCleanPath(path: string): boolean {
  return path !== '' && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
}

function modeOf({type, executable}: TreeEntry): string {
  switch (type) {
    case 'folder':
      return '40000'
    case 'symlink':
      return '120000'
    case 'submodule':
      return '160000'
    case 'file':
      return executable ? '100755' : '100644'
  }
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash < 0 ? '' : path.slice(0, slash)
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

async function* limitBytes(stream: ReadableStream<Uint8Array>, maxBytes: number): AsyncGenerator<Uint8Array> {
  let total = 0
  for await (const part of stream) {
    total += part.byteLength
    if (total > maxBytes) throw new SourceError('FILE_TOO_LARGE', `the archive is larger than ${maxBytes} bytes`)
    yield part
  }
}

function once(run: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => {
    done ??= run()
    return done
  }
}
