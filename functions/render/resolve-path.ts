import type {SourceTree, TreeEntry} from '#shared/ports/git-source.ts'
import {type Place, RenderError} from './render-error.ts'

const maxSymlinkHops = 40
const maxSymlinkBytes = 4096

/** The path of what is called `name` in a folder. */
export function inFolder(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`
}

/** Joins a path from a file onto the folder that it starts from. Throws where it leaves the repository. */
export function joinPath(folder: string, path: string, place: Place = {}): string {
  if (path.startsWith('/')) throw leaves(path, place)
  const parts = folder === '' ? [] : folder.split('/')
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') parts.push(part)
    else if (parts.pop() === undefined) throw leaves(path, place)
  }
  return parts.join('/')
}

/**
 * The file or folder that a path leads to, through symbolic links that stay in the repository; `entry.path` is where it really
 * is. Undefined where there is nothing. Throws `RenderError`: PATH_LEAVES_REPOSITORY, SYMLINK_LOOP, SUBMODULE.
 */
export async function resolvePath(tree: SourceTree, path: string, place: Place = {}): Promise<TreeEntry | undefined> {
  const todo = path.split('/')
  const done: string[] = []
  let hops = 0
  for (let part = todo.shift(); part !== undefined; part = todo.shift()) {
    if (part === '' || part === '.') continue
    if (part === '..') {
      if (done.pop() === undefined) throw leaves(path, place)
      continue
    }
    const at = [...done, part].join('/')
    const entry = await tree.entry(at)
    if (entry === undefined) return undefined
    if (entry.type === 'submodule') throw submodule(at)
    if (entry.type === 'symlink') {
      hops += 1
      if (hops > maxSymlinkHops)
        throw new RenderError('SYMLINK_LOOP', 'it is a symbolic link that leads in a circle', {file: at})
      const target = Buffer.from(await tree.read(at, maxSymlinkBytes)).toString('utf8')
      if (target.startsWith('/')) throw leavesByLink(at)
      if (escapes(done, target)) throw leavesByLink(at)
      todo.unshift(...target.split('/'))
      continue
    }
    if (entry.type === 'file' && todo.some((rest) => rest !== '' && rest !== '.')) return undefined
    done.push(part)
  }
  return tree.entry(done.join('/'))
}

/** The finding of a submodule: a submodule's files are in another repository, which nothing here has checked. */
export function submodule(path: string): RenderError {
  return new RenderError(
    'SUBMODULE',
    `it is a git submodule, and submodules are not read: name its repository as the source of an App of its own, or copy its files`,
    {file: path},
  )
}

function escapes(from: readonly string[], target: string): boolean {
  let depth = from.length
  for (const part of target.split('/')) {
    if (part === '' || part === '.') continue
    depth += part === '..' ? -1 : 1
    if (depth < 0) return true
  }
  return false
}

function leaves(path: string, place: Place): RenderError {
  return new RenderError(
    'PATH_LEAVES_REPOSITORY',
    `path ${JSON.stringify(path)} leaves the repository; only files in it are read`,
    place,
  )
}

function leavesByLink(link: string): RenderError {
  return new RenderError(
    'PATH_LEAVES_REPOSITORY',
    'it is a symbolic link that points out of the repository; only files in it are read',
    {file: link},
  )
}
