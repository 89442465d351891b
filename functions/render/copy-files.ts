import {chmod, mkdir, mkdtemp, realpath, rm, writeFile} from 'node:fs/promises'
import {dirname, join, sep} from 'node:path'
import {mapBounded} from '#shared/async/map-bounded.ts'
import {limits} from '#shared/model/limits.ts'
import type {SourceTree} from '#shared/ports/git-source.ts'
import {SourceError} from '#shared/ports/source-error.ts'
import type {SourceFile} from './list-files.ts'
import {RenderError} from './render-error.ts'

const concurrentReads = 16

/** Reads files, each given to `use` once it is there. Throws `RenderError` FILE_TOO_LARGE, INPUT_TOO_LARGE. */
export async function readFiles<T>(
  tree: SourceTree,
  files: readonly SourceFile[],
  use: (file: SourceFile, bytes: Uint8Array) => Promise<T> | T,
): Promise<T[]> {
  let total = 0
  return mapBounded(files, concurrentReads, async (file) => {
    const bytes = await readFile(tree, file)
    total += bytes.byteLength
    if (total > limits.maxAppInputBytes) {
      throw new RenderError('INPUT_TOO_LARGE', `the app reads more than ${limits.maxAppInputBytes} bytes of files`)
    }
    return use(file, bytes)
  })
}

/** A render's own folder. `home` is apart from `tree`, so that no file of a repository is taken for a renderer's settings or plugin. */
export interface RenderFolder {
  /** Holds the copies, by their paths in the repository. */
  tree: string
  /** Empty. */
  home: string
  /** Empty: for what is passed to the renderer besides. */
  extra: string
}

/**
 * Copies files into a new folder below `workDir`, gives that to `use`, and removes it afterwards. Nothing but these files is in it,
 * so a renderer that looks elsewhere finds nothing; symbolic links were resolved and become the files they point to.
 */
export async function withFileCopies<T>(
  options: {tree: SourceTree; files: readonly SourceFile[]; workDir: string},
  use: (folder: RenderFolder) => Promise<T>,
): Promise<T> {
  await mkdir(options.workDir, {recursive: true})
  const folder = await realpath(await mkdtemp(join(options.workDir, 'render-')))
  const own = {tree: join(folder, 'tree'), home: join(folder, 'home'), extra: join(folder, 'extra')}
  try {
    await Promise.all([mkdir(own.tree), mkdir(own.home), mkdir(own.extra)])
    const made = new Map<string, Promise<unknown>>()
    await readFiles(options.tree, options.files, async (file, bytes) => {
      const target = join(own.tree, file.path)
      if (!target.startsWith(`${own.tree}${sep}`)) throw leavesFolder(file.path)
      const parent = dirname(target)
      if (!made.has(parent)) made.set(parent, mkdir(parent, {recursive: true}))
      await made.get(parent)
      await writeFile(target, bytes)
      if (file.executable) await chmod(target, 0o755)
    })
    return await use(own)
  } finally {
    await rm(folder, {recursive: true, force: true})
  }
}

// Paths are clean long before they get here; what is written to a disk is checked where it is written all the same.
function leavesFolder(path: string): RenderError {
  return new RenderError('PATH_LEAVES_REPOSITORY', `file ${JSON.stringify(path)} would leave the folder of the render`)
}

async function readFile(tree: SourceTree, file: SourceFile): Promise<Uint8Array> {
  try {
    return await tree.read(file.realPath, limits.maxSourceFileBytes)
  } catch (error) {
    if (!(error instanceof SourceError && error.code === 'FILE_TOO_LARGE')) throw error
    const {size} = error.details
    throw new RenderError(
      'FILE_TOO_LARGE',
      `${file.path} has ${typeof size === 'number' ? size : 'too many'} bytes; a file that an app reads may have at most ${limits.maxSourceFileBytes}: move it out of the app's path`,
      {file: file.path},
      {cause: error},
    )
  }
}
