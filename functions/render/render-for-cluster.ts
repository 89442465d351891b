import {BundleError} from '#shared/bundle/bundle-error.ts'
import {parseBundle} from '#shared/bundle/unpack-bundle.ts'
import type {App, Cluster} from '#shared/model/app.ts'
import type {BundleAddress} from '#shared/model/desired-state.ts'
import type {Manifest} from '#shared/model/manifest.ts'
import type {Finding} from '#shared/model/outcome.ts'
import {sameRepository} from '#shared/model/repository-url.ts'
import type {SourceTree} from '#shared/ports/git-source.ts'
import type {RenderPool} from './box/render-pool.ts'
import {openTreeView} from './box/tree-view.ts'
import {sourceOf} from './open-sources.ts'
import {readConfig} from './read-config.ts'
import {RenderError, toFinding, toWarning} from './render-error.ts'
import {selectClusters} from './select-clusters.ts'

/** One app as the render function would publish it, or what keeps it from being published. */
export interface RenderedApp {
  app: string
  /** As drawbridge.yaml says it, defaults filled in. */
  spec: App['spec']
  /** Sorted as in the bundle's input; empty where there are findings. */
  manifests: Manifest[]
  /** Absent where it could not be rendered; there where what would be published is nothing. */
  bundle: {bytes: Uint8Array; address: BundleAddress} | undefined
  findings: Finding[]
  /** What does not keep it from being published. */
  warnings: Finding[]
}

/** What one cluster would get. `cluster` is absent where it is not known which one that is. */
export interface RenderedCluster {
  cluster?: string
  apps: RenderedApp[]
  findings: Finding[]
}

/**
 * Renders what one cluster would get of a tree's drawbridge.yaml, storing and sending nothing: the same bytes as the render
 * function, every time; without a name it is the only one that is declared. Apps whose source is another repository or ref are a finding, since nothing is fetched. `findings` are
 * those of drawbridge.yaml itself, an unknown `cluster` or `app` included. Rejects with `SourceError`.
 */
export async function renderForCluster(options: {
  tree: SourceTree
  repository: string
  ref: string
  cluster?: string
  /** Only this app. @default all of the cluster's */
  app?: string
  renderers: RenderPool
}): Promise<RenderedCluster> {
  const {tree, renderers} = options
  const view = openTreeView(tree)
  const read = await readConfig(renderers, tree)
  if (!read.ok) return {apps: [], findings: read.findings}
  const {apps, clusters} = read.config
  const names = clusters.map(({metadata}) => metadata.name)
  const name = options.cluster ?? (names.length === 1 ? names[0] : undefined)
  const cluster = clusters.find(({metadata}) => metadata.name === name)
  if (cluster === undefined) {
    if (name !== undefined) return unknown('UNKNOWN_CLUSTER', `cluster ${name}`, names)
    const message = `name a cluster of drawbridge.yaml; it declares ${names.join(', ') || 'none'}`
    return {apps: [], findings: [{code: 'UNKNOWN_CLUSTER', message}]}
  }
  const targeting = apps.filter((app) => selectClusters(app, [cluster]).length > 0)
  const broken = read.config.findings.filter(({app}) => options.app === undefined || app === options.app)
  const wanted = targeting.filter(({metadata}) => options.app === undefined || metadata.name === options.app)
  if (wanted.length === 0 && options.app !== undefined && broken.length === 0) {
    return unknown(
      'UNKNOWN_APP',
      `app ${options.app} for cluster ${name}`,
      targeting.map(({metadata}) => metadata.name),
    )
  }
  const rendered: RenderedApp[] = []
  for (const app of wanted) rendered.push(await renderOne(app, cluster))
  return {cluster: cluster.metadata.name, apps: rendered, findings: broken}

  async function renderOne(app: App, target: Cluster): Promise<RenderedApp> {
    const {metadata, spec} = app
    const about = {app: metadata.name, cluster: target.metadata.name}
    const failed = (error: unknown): RenderedApp => {
      return {
        app: metadata.name,
        spec,
        manifests: [],
        bundle: undefined,
        findings: [describe(error, about)],
        warnings: [],
      }
    }
    try {
      refuseOtherSource(app, options)
    } catch (error) {
      return failed(error)
    }
    const [result] = await renderers.render({scope: tree.commit, view, app, clusters: [target]})
    if (result === undefined) throw new TypeError('a render gave no result')
    if ('error' in result) return failed(result.error)
    const {bytes, address} = result.rendered
    const {manifests} = parseBundle(bytes)
    const told = result.rendered.warnings.map((warning) => toWarning(warning, about))
    // Whether a cluster has something to lose is not known here.
    const [findings, warnings] = [true, false].map((isEmpty) =>
      told.filter(({code}) => (code === 'EMPTY_RENDER') === isEmpty),
    )
    return {
      app: metadata.name,
      spec,
      manifests,
      bundle: {bytes, address},
      findings: findings ?? [],
      warnings: warnings ?? [],
    }
  }
}

function refuseOtherSource(app: App, here: {repository: string; ref: string}): void {
  const {repository, ref} = sourceOf(app, here)
  if (ref === here.ref && sameRepository(repository, here.repository)) return
  const message = `its source is ${repository} at ${ref}, which is not fetched here: render it in that repository`
  throw new RenderError('SOURCE_UNREADABLE', message)
}

function describe(error: unknown, about: {app: string; cluster: string}): Finding {
  if (error instanceof RenderError) return toFinding(error, about)
  if (error instanceof BundleError) return {code: error.code, message: error.message, ...about}
  throw error
}

function unknown(code: string, what: string, known: readonly string[]): RenderedCluster {
  const message = `there is no ${what} in drawbridge.yaml; known are ${known.join(', ') || 'none'}`
  return {apps: [], findings: [{code, message}]}
}
