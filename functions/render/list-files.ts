import {limits} from '#shared/model/limits.ts'
import type {SourceTree, TreeEntry} from '#shared/ports/git-source.ts'
import {RenderError} from './render-error.ts'
import {resolvePath, submodule} from './resolve-path.ts'

/** A file that an app reads: where its readers find it, and where its bytes really are (elsewhere, behind a symbolic link). */
export interface SourceFile {
  path: string
  realPath: string
  oid: string
  executable: boolean
}

/** Which entries of a folder are taken. */
export interface FileFilter {
  recurse: boolean
  /** Told each name; folders that it refuses are not entered. */
  accepts: (name: string, type: 'file' | 'folder') => boolean
}

/** All files below a folder in byte order, through symbolic links that stay in the repository. Throws `RenderError`. */
export async function listFiles(tree: SourceTree, folder: string, filter: FileFilter): Promise<SourceFile[]> {
  const files: SourceFile[] = []
  let folders = 0
  const root = await resolvePath(tree, folder)
  if (root?.type !== 'folder') return files

  const walk = async (logical: string, real: string, above: readonly string[]): Promise<void> => {
    if (above.includes(real)) {
      throw new RenderError('SYMLINK_LOOP', `folder ${logical} leads back into itself by a symbolic link`, {
        file: logical,
      })
    }
    folders += 1
    // Symbolic links to folders that hold such links multiply: a few dozen make more paths than could ever be walked.
    if (folders > limits.maxAppInputFiles) {
      throw new RenderError('INPUT_TOO_LARGE', `${folder || '.'} holds more than ${limits.maxAppInputFiles} folders`)
    }
    for (const entry of await tree.list(real)) {
      const name = entry.path.slice(entry.path.lastIndexOf('/') + 1)
      const path = logical === '' ? name : `${logical}/${name}`
      const target = await follow(tree, entry, filter.accepts(name, 'folder') || filter.accepts(name, 'file'))
      if (target === undefined) continue
      if (target.type === 'folder') {
        if (filter.recurse && filter.accepts(name, 'folder')) await walk(path, target.path, [...above, real])
      } else if (filter.accepts(name, 'file')) {
        files.push(toSourceFile(path, target))
        if (files.length > limits.maxAppInputFiles) {
          throw new RenderError('INPUT_TOO_LARGE', `${folder || '.'} holds more than ${limits.maxAppInputFiles} files`)
        }
      }
    }
  }
  await walk(folder, root.path, [])
  return files
}

export function toSourceFile(path: string, entry: TreeEntry): SourceFile {
  return {path, realPath: entry.path, oid: entry.oid, executable: entry.executable}
}

/** What an entry of a folder is in the end; undefined where it is not wanted. */
async function follow(tree: SourceTree, entry: TreeEntry, wanted: boolean): Promise<TreeEntry | undefined> {
  if (!wanted) return undefined
  if (entry.type === 'submodule') throw submodule(entry.path)
  if (entry.type !== 'symlink') return entry
  const target = await resolvePath(tree, entry.path)
  if (target !== undefined) return target
  throw new RenderError('PATH_NOT_FOUND', `symbolic link ${entry.path} points to nothing`, {file: entry.path})
}
