import type {App} from '#shared/model/app.ts'
import type {SourceTree} from '#shared/ports/git-source.ts'
import {RenderError} from './render-error.ts'
import {resolvePath} from './resolve-path.ts'

export type RendererName = 'yaml' | 'kustomize' | 'helm'

/** The names that kustomize looks for, in its order. */
export const KUSTOMIZATION_NAMES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'] as const

/** Which renderer an app's path needs: the one its spec names, else by Chart.yaml, then a kustomization file, else plain YAML. */
export async function detectRenderer(tree: SourceTree, app: App, path: string): Promise<RendererName> {
  const {spec} = app
  const found = await resolvePath(tree, path)
  if (found === undefined) {
    throw new RenderError(
      'PATH_NOT_FOUND',
      `there is no ${path || '.'} at commit ${tree.commit}: correct spec.source.path of App ${app.metadata.name}`,
    )
  }
  const isChart = found.type === 'folder' && (await resolvePath(tree, join(path, 'Chart.yaml'))) !== undefined
  if (spec.helm !== undefined && !isChart) throw noSuch(app, path, 'helm', 'Chart.yaml')
  const isKustomization = found.type === 'folder' && (await findKustomization(tree, path)) !== undefined
  if (spec.kustomize !== undefined && !isKustomization) throw noSuch(app, path, 'kustomize', 'kustomization.yaml')
  if (spec.yaml !== undefined) return 'yaml'
  if (spec.kustomize !== undefined) return 'kustomize'
  if (isChart) return 'helm'
  return isKustomization ? 'kustomize' : 'yaml'
}

/** The path of a folder's kustomization file; undefined where it has none. Two are kustomize's own error. */
export async function findKustomization(tree: SourceTree, folder: string): Promise<string | undefined> {
  for (const name of KUSTOMIZATION_NAMES) {
    const path = join(folder, name)
    if ((await resolvePath(tree, path))?.type === 'file') return path
  }
  return undefined
}

function join(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`
}

function noSuch(app: App, path: string, renderer: string, file: string): RenderError {
  return new RenderError(
    'PATH_NOT_FOUND',
    `App ${app.metadata.name} has spec.${renderer}, and ${path || '.'} holds no ${file}: correct spec.source.path or remove spec.${renderer}`,
  )
}
