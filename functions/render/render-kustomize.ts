import {basename, dirname, join} from 'node:path'
import type {SourceTree} from '#shared/ports/git-source.ts'
import {withFileCopies} from './copy-files.ts'
import {KUSTOMIZATION_NAMES} from './detect-renderer.ts'
import {hideSecrets} from './hide-secrets.ts'
import type {SourceFile} from './list-files.ts'
import {readYaml} from './read-yaml.ts'
import type {Place} from './render-error.ts'
import {renderFailed, toRepositoryPaths} from './render-output.ts'
import type {RendererTools} from './renderer-tools.ts'
import {runRenderer} from './run-renderer.ts'
import type {FoundValue} from './to-manifests.ts'

/** Builds a kustomization with kubectl's kustomize, which reads only files below each kustomization's own folder. Throws `RenderError`. */
export async function renderKustomize(options: {
  tree: SourceTree
  files: readonly SourceFile[]
  path: string
  tools: RendererTools
  workDir: string
}): Promise<FoundValue[]> {
  const {path, tools, files} = options
  const output = await withFileCopies(options, async ({tree, home}) => {
    const args = ['kustomize', '--', join(tree, path)]
    const result = await runRenderer({program: tools.kubectl, args, home})
    if (result.ok) return result.output
    const said = await hideSecrets(toRepositoryPaths(result.words, tree), options)
    throw renderFailed('kustomize', said, (words) => findPlace(words, files, path))
  })
  return readYaml(output, `kustomize build ${path || '.'}`).map(({value}, index) => ({
    value,
    place: {file: kustomizationOf(files, path)},
    position: index + 1,
  }))
}

/** The file that kustomize's words name, by its whole path or by its name below the app's folder. */
function findPlace(words: string, files: readonly SourceFile[], path: string): Place {
  const line = /\bline (\d+)/.exec(words)?.[1]
  const named =
    files.find((file) => words.includes(file.path)) ?? files.find((file) => words.includes(relative(file.path, path)))
  if (named === undefined) return {file: kustomizationOf(files, path)}
  return {file: named.path, line: line === undefined ? undefined : Number(line)}
}

function kustomizationOf(files: readonly SourceFile[], path: string): string | undefined {
  const names: readonly string[] = KUSTOMIZATION_NAMES
  return files.find((file) => dirname(file.path) === (path || '.') && names.includes(basename(file.path)))?.path
}

function relative(file: string, folder: string): string {
  return folder !== '' && file.startsWith(`${folder}/`) ? file.slice(folder.length + 1) : file
}
