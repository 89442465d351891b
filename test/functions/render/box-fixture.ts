import {posix} from 'node:path'
import {after} from 'node:test'
import {fileURLToPath} from 'node:url'
import {createRenderPool, type RenderPool} from '#functions/render/box/render-pool.ts'
import {openTreeView} from '#functions/render/box/tree-view.ts'
import {ALLOW_PLAINTEXT_SECRETS} from '#functions/render/check-manifests.ts'
import {findRenderers} from '#infra/local/renderers/find-renderers.ts'
import {API_VERSION} from '#shared/model/api-version.ts'
import {type App, appSpecSchema, type Cluster} from '#shared/model/app.ts'
import {memoryTree} from './box/memory-tree.ts'
import type {CorpusFiles, HelmOptions} from './reference-renderers.ts'

/** One render, told by the files of its repository. `path` is the app's folder from the repository's root ('' is the root). */
export interface BoxRequest {
  renderer: 'kustomize' | 'helm' | 'yaml'
  files: CorpusFiles
  path: string
  options?: HelmOptions
  /** By an instance that nothing was rendered by. */
  fresh?: boolean
}

/** `objects`: one exact JSON text each, in the order of output. `inputs`: the paths that were opened or looked for. */
export type BoxResult =
  | {ok: true; objects: string[]; inputs: string[]; warnings: unknown[]}
  | {ok: false; code: string; message: string; file?: string | undefined; line?: number | undefined}

let pool: Promise<RenderPool> | undefined
after(async () => (await pool)?.close())

/** Renders files in the box, as the render function does; many renders share an instance of a program. */
export async function renderFiles(request: BoxRequest): Promise<BoxResult> {
  pool ??= startPool()
  const order = {
    scope: request.fresh === true ? 'fresh' : 'shared',
    view: openTreeView(memoryTree(request.files)),
    app: toApp(request),
    clusters: [toCluster(request.options)],
  }
  const [result] = await (await pool).render(order)
  if (result === undefined) throw new TypeError('no cluster was rendered for')
  if ('error' in result) {
    const {error} = result
    const place = 'place' in error ? error.place : {}
    return {ok: false, code: error.code, message: error.message, file: place.file, line: place.line}
  }
  const {reads, warnings, objects} = result.rendered as typeof result.rendered & {objects: string[]}
  const inputs = Object.keys(reads).map((question) => question.slice(question.indexOf(' ') + 1))
  return {ok: true, objects, inputs, warnings}
}

async function startPool(): Promise<RenderPool> {
  const modules = await findRenderers({env: process.env, onProgress: () => undefined})
  const workerScript = fileURLToPath(new URL('box-worker.ts', import.meta.url))
  return createRenderPool({modules, workerScript, threads: 1})
}

function toApp({renderer, path, options = {}}: BoxRequest): App {
  const {releaseName, namespace, values, valueFiles, includeCrds = true, skipSchemaValidation} = options
  const helm = {
    includeCrds,
    ...(releaseName === undefined ? {} : {releaseName}),
    ...(values === undefined ? {} : {values}),
    ...(valueFiles === undefined ? {} : {valueFiles: valueFiles.map((file) => fromFolder(path, file))}),
    ...(skipSchemaValidation === undefined ? {} : {skipSchemaValidation}),
  }
  const spec = appSpecSchema.parse({
    clusters: ['here'],
    ...(namespace === undefined ? {} : {namespace}),
    [renderer]: renderer === 'helm' ? {...helm, valueFiles: undefined} : {},
  })
  return {
    apiVersion: API_VERSION,
    kind: 'App',
    metadata: {name: 'release', annotations: {[ALLOW_PLAINTEXT_SECRETS]: 'true'}},
    // What the schema of an App refuses is handed on here all the same: the box has to hold by itself.
    spec: {
      ...spec,
      source: {path},
      ...(spec.helm === undefined || helm.valueFiles === undefined
        ? {}
        : {helm: {...spec.helm, valueFiles: helm.valueFiles}}),
    },
  }
}

/** A path from the root, written from a folder; what is no such path stays as it is. */
function fromFolder(folder: string, path: string): string {
  return path.startsWith('/') || path.includes(':') ? path : posix.relative(folder, path)
}

function toCluster({kubeVersion, apiVersions}: HelmOptions = {}): Cluster {
  return {
    apiVersion: API_VERSION,
    kind: 'Cluster',
    metadata: {name: 'here'},
    spec: {
      ...(kubeVersion === undefined ? {} : {kubeVersion}),
      ...(apiVersions === undefined ? {} : {apiVersions: [...apiVersions]}),
    },
  }
}
