import type {App, Cluster} from '#shared/model/app.ts'
import type {BundleAddress} from '#shared/model/desired-state.ts'
import type {Digest} from '#shared/model/digest.ts'
import type {RepositoryPolicy} from '#shared/model/tracked-repository.ts'
import type {ClusterRender, RenderPool} from './box/render-pool.ts'
import type {TreeView} from './box/tree-view.ts'
import type {Warning} from './render-error.ts'
import type {RenderRecords} from './render-records.ts'

/** How many clusters a thread renders an app for before it looks for other work. */
const clustersAtOnce = 16

/** An app for some clusters, and what is known of it. */
export interface AppOrder {
  scope: string
  view: TreeView
  app: App
  clusters: readonly Cluster[]
  policy: RepositoryPolicy | undefined
  /** The digest of the inputs of what a cluster is told to run now. */
  presentInputs: (cluster: string) => Digest | undefined
}

/** What came of one cluster. `unchanged`: what it is told to run was rendered from the same inputs. */
export type AppRender =
  | {kind: 'unchanged'; cluster: string; warnings: readonly Warning[]}
  | {
      kind: 'rendered'
      cluster: string
      path: string
      inputs: Digest
      address: BundleAddress
      bytes: Uint8Array
      warnings: readonly Warning[]
    }
  | {kind: 'failed'; cluster: string; error: Extract<ClusterRender, {error: unknown}>['error']}

/**
 * Renders an app for the clusters whose present inputs are not known to be the same. The same inputs give the same bytes. Rejects with
 * `SourceError` where the files cannot be read now.
 */
export async function renderApp(
  {renderers, records}: {renderers: RenderPool; records: RenderRecords},
  {scope, view, app, clusters, policy, presentInputs}: AppOrder,
): Promise<AppRender[]> {
  const renders = new Map<string, AppRender>()
  const todo: Cluster[] = []
  for (const cluster of clusters) {
    const {name} = cluster.metadata
    const record = records.find(app, cluster)
    const isSame = record !== undefined && record.inputs === presentInputs(name) && (await view.matches(record.reads))
    if (isSame) renders.set(name, {kind: 'unchanged', cluster: name, warnings: record.warnings})
    else todo.push(cluster)
  }
  for (let start = 0; start < todo.length; start += clustersAtOnce) {
    const part = todo.slice(start, start + clustersAtOnce)
    for (const result of await renderers.render({scope, view, app, clusters: part, policy})) {
      renders.set(result.cluster, judge(result, part))
    }
  }
  return clusters.flatMap(({metadata}) => renders.get(metadata.name) ?? [])

  function judge(result: ClusterRender, part: readonly Cluster[]): AppRender {
    const {cluster} = result
    if ('error' in result) return {kind: 'failed', cluster, error: result.error}
    const {inputs, reads, path, address, bytes, warnings} = result.rendered
    const declared = part.find(({metadata}) => metadata.name === cluster)
    if (declared !== undefined && reads !== undefined) records.keep(app, declared, {inputs, reads, warnings})
    if (inputs === presentInputs(cluster)) return {kind: 'unchanged', cluster, warnings}
    return {kind: 'rendered', cluster, path, inputs, address, bytes, warnings}
  }
}
