import type {SourceTree} from '#shared/ports/git-source.ts'
import {listFiles, type SourceFile, toSourceFile} from './list-files.ts'
import {resolvePath} from './resolve-path.ts'

/** The name of the file, at the root of a repository, that declares apps. */
export const CONFIG_FILE = 'drawbridge.yaml'

const manifestName = /\.(ya?ml|json)$/

/**
 * The manifest files of a plain folder: `.yaml`, `.yml` and `.json`, without those whose name or folder begins with a dot, and
 * without drawbridge.yaml at the root. A path to a single file is that file.
 */
export async function collectYaml(tree: SourceTree, path: string, recurse: boolean): Promise<SourceFile[]> {
  const found = await resolvePath(tree, path)
  if (found?.type === 'file') return [toSourceFile(path, found)]
  const files = await listFiles(tree, path, {
    recurse,
    accepts: (name, type) => !name.startsWith('.') && (type === 'folder' || manifestName.test(name)),
  })
  return files.filter((file) => file.path !== CONFIG_FILE)
}
