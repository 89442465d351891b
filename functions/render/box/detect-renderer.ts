import type {App} from '#shared/model/app.ts'
import {RenderError} from '../render-error.ts'
import {inFolder} from '../resolve-path.ts'
import type {BoxFiles} from './box-files.ts'
import {nearestPath} from './nearest-path.ts'

export type RendererName = 'yaml' | 'kustomize' | 'helm'

/** The names that kustomize looks for, in its order. */
export const KUSTOMIZATION_NAMES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'] as const

/** Which renderer an app's path needs: the one its spec names, else by Chart.yaml, then a kustomization file, else plain YAML. Throws `RenderError` PATH_NOT_FOUND. */
export function detectRenderer(files: BoxFiles, app: App, path: string): RendererName {
  const {spec} = app
  const found = files.stat(path)
  if (found.type === 'absent') {
    const nearest = nearestPath(files, path)
    const hint =
      nearest === undefined ? `correct spec.source.path of App ${app.metadata.name}` : `did you mean ${nearest}?`
    throw new RenderError('PATH_NOT_FOUND', `spec.source.path: there is no ${path || '.'} at this commit; ${hint}`)
  }
  const holds = (name: string): boolean => found.type === 'folder' && files.stat(inFolder(path, name)).type === 'file'
  if (spec.helm !== undefined && !holds('Chart.yaml')) throw noSuch(app, path, 'helm', 'Chart.yaml')
  if (spec.yaml !== undefined) return 'yaml'
  if (spec.helm !== undefined) return 'helm'
  if (spec.kustomize === undefined && holds('Chart.yaml')) return 'helm'
  if (KUSTOMIZATION_NAMES.some(holds)) return 'kustomize'
  if (spec.kustomize !== undefined) throw noSuch(app, path, 'kustomize', 'kustomization.yaml')
  return 'yaml'
}

function noSuch(app: App, path: string, renderer: string, file: string): RenderError {
  return new RenderError(
    'PATH_NOT_FOUND',
    `App ${app.metadata.name} has spec.${renderer}, and ${path || '.'} holds no ${file}: correct spec.source.path or remove spec.${renderer}`,
  )
}
