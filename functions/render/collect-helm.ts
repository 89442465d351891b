import type {SourceTree} from '#shared/ports/git-source.ts'
import {listFiles, type SourceFile, toSourceFile} from './list-files.ts'
import {RenderError} from './render-error.ts'
import {joinPath, resolvePath} from './resolve-path.ts'

/** What a helm render reads: the whole chart folder, and value files, which may be elsewhere in the repository. */
export async function collectHelm(
  tree: SourceTree,
  chart: string,
  valueFiles: readonly string[],
): Promise<{files: SourceFile[]; valueFiles: string[]}> {
  const files = await listFiles(tree, chart, {recurse: true, accepts: (name) => name !== '.git'})
  const known = new Set(files.map((file) => file.path))
  const paths: string[] = []
  for (const name of valueFiles) {
    const path = joinPath(chart, name)
    const found = await resolvePath(tree, path)
    if (found?.type !== 'file') {
      throw new RenderError('PATH_NOT_FOUND', `value file ${name} is not there (looked for ${path})`, {file: path})
    }
    if (!known.has(path)) files.push(toSourceFile(path, found))
    known.add(path)
    paths.push(path)
  }
  return {files, valueFiles: paths}
}
