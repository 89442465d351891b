import {type ClusterRender, createRenderPool, type RenderPool} from '#functions/render/box/render-pool.ts'
import {openTreeView} from '#functions/render/box/tree-view.ts'
import {findRenderers} from '#infra/local/renderers/find-renderers.ts'
import {parseBundle} from '#shared/bundle/unpack-bundle.ts'
import {API_VERSION} from '#shared/model/api-version.ts'
import {appSchema, type Cluster, clusterSchema} from '#shared/model/app.ts'
import type {Manifest} from '#shared/model/manifest.ts'
import {type FileContent, memoryTree} from './memory-tree.ts'

/** Opens a pool of one's own. */
export async function openPool(options: {threads?: number; timeoutSeconds?: number} = {}): Promise<RenderPool> {
  return createRenderPool({modules: await findRenderers({env: process.env, onProgress: () => undefined}), ...options})
}

/** An app called `web` that is rendered from the root of the repository, for a cluster called `dev`. */
export function webApp(spec: Record<string, unknown> = {}) {
  return appSchema.parse({
    apiVersion: API_VERSION,
    kind: 'App',
    metadata: {name: 'web'},
    spec: {clusters: ['dev'], ...spec},
  })
}

export const devCluster: Cluster = clusterSchema.parse({
  apiVersion: API_VERSION,
  kind: 'Cluster',
  metadata: {name: 'dev'},
})

let scopes = 0

/** Renders files as an app. Each call is of another declaration, unless `scope` says otherwise. */
export async function renderFiles(
  pool: RenderPool,
  files: Record<string, FileContent>,
  {spec, scope, committedAt}: {spec?: Record<string, unknown>; scope?: string; committedAt?: Date} = {},
): Promise<ClusterRender> {
  scopes += 1
  const view = openTreeView(memoryTree(files, committedAt))
  const order = {scope: scope ?? `scope ${scopes}`, view, app: webApp(spec), clusters: [devCluster]}
  const [result] = await pool.render(order)
  if (result === undefined) throw new TypeError('no result')
  return result
}

/** The objects of a render that must have succeeded. */
export function objectsOf(result: ClusterRender): Manifest[] {
  if ('error' in result) throw result.error
  return parseBundle(result.rendered.bytes).manifests
}

/** Code and message of a render that must have failed. */
export function problemOf(result: ClusterRender): string {
  if ('error' in result) return `${result.error.code} ${result.error.message}`
  throw new TypeError('it was rendered')
}

/** A ConfigMap as YAML; `data` is a flow mapping. */
export function configMap(name: string, data = '{}'): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata: ${data}\n`
}
