import {blobId} from '#shared/git/object-id.ts'
import type {SourceTree, TreeEntry} from '#shared/ports/git-source.ts'
import {SourceError} from '#shared/ports/source-error.ts'

/** What a path holds: text or bytes, or where a symbolic link leads. */
export type FileContent = string | Uint8Array | {link: string}

/** A source tree of files in memory, by their paths from the root. */
export function memoryTree(files: Readonly<Record<string, FileContent>>, committedAt = new Date(0)): SourceTree {
  const entries = new Map<string, TreeEntry>([['', {path: '', type: 'folder', oid: '', executable: false}]])
  const contents = new Map<string, Uint8Array>()
  for (const [path, content] of Object.entries(files)) {
    const parts = path.split('/')
    for (let length = 1; length < parts.length; length++) {
      const folder = parts.slice(0, length).join('/')
      entries.set(folder, {path: folder, type: 'folder', oid: folder, executable: false})
    }
    const isLink = typeof content === 'object' && 'link' in content
    const bytes = Buffer.from(isLink ? content.link : (content as string))
    entries.set(path, {path, type: isLink ? 'symlink' : 'file', oid: blobId(bytes), executable: false})
    contents.set(path, bytes)
  }
  const parentOf = (path: string) => (path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '')
  return {
    commit: '0'.repeat(40),
    committedAt,
    entry: async (path) => entries.get(path),
    list: async (folder) =>
      [...entries.values()]
        .filter(({path}) => path !== '' && parentOf(path) === folder)
        .sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path))),
    async read(path, maxBytes) {
      const bytes = contents.get(path)
      if (bytes === undefined) throw new SourceError('NOT_FOUND', `there is no file ${path}`)
      if (bytes.byteLength > maxBytes) {
        throw new SourceError('FILE_TOO_LARGE', `${path} has ${bytes.byteLength} bytes; at most ${maxBytes} are read`)
      }
      return bytes
    },
    close: async () => undefined,
  }
}
