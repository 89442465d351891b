import {BundleError} from '#shared/bundle/bundle-error.ts'
import type {App, Cluster} from '#shared/model/app.ts'
import type {BundleAddress} from '#shared/model/desired-state.ts'
import type {Manifest} from '#shared/model/manifest.ts'
import type {Finding} from '#shared/model/outcome.ts'
import {sameRepository} from '#shared/model/repository-url.ts'
import type {SourceTree} from '#shared/ports/git-source.ts'
import {sourceOf} from './open-sources.ts'
import {readConfig} from './read-config.ts'
import {prepareApp, renderApp} from './render-app.ts'
import {RenderError, toFinding} from './render-error.ts'
import type {RendererTools} from './renderer-tools.ts'
import {selectClusters} from './select-clusters.ts'

/** One app as the render function would publish it, or what keeps it from being published. */
export interface RenderedApp {
  app: string
  /** Sorted as in the bundle's input; empty where there are findings. */
  manifests: Manifest[]
  bundle: {bytes: Uint8Array; address: BundleAddress} | undefined
  findings: Finding[]
}

/**
 * Renders what one cluster would get of a tree's drawbridge.yaml, storing and sending nothing: the same bytes as the render
 * function, every time. Apps whose source is another repository or ref are a finding, since nothing is fetched. `findings` are
 * those of drawbridge.yaml itself, an unknown `cluster` or `app` included. Rejects with `SourceError`.
 */
export async function renderForCluster(options: {
  tree: SourceTree
  repository: string
  ref: string
  cluster: string
  /** Only this app. @default all of the cluster's */
  app?: string
  tools: RendererTools
  workDir: string
}): Promise<{apps: RenderedApp[]; findings: Finding[]}> {
  const {tree, tools, workDir} = options
  const read = await readConfig(tree)
  if (!read.ok) return {apps: [], findings: read.findings}
  const {apps, clusters} = read.config
  const cluster = clusters.find(({metadata}) => metadata.name === options.cluster)
  if (cluster === undefined) {
    return unknown(
      'UNKNOWN_CLUSTER',
      `cluster ${options.cluster}`,
      clusters.map(({metadata}) => metadata.name),
    )
  }
  const targeting = apps.filter((app) => selectClusters(app, [cluster]).length > 0)
  const wanted = targeting.filter(({metadata}) => options.app === undefined || metadata.name === options.app)
  if (wanted.length === 0 && options.app !== undefined) {
    return unknown(
      'UNKNOWN_APP',
      `app ${options.app} for cluster ${options.cluster}`,
      targeting.map(({metadata}) => metadata.name),
    )
  }
  const rendered: RenderedApp[] = []
  for (const app of wanted) rendered.push(await renderOne(app, cluster))
  return {apps: rendered, findings: []}

  async function renderOne(app: App, target: Cluster): Promise<RenderedApp> {
    const {name} = app.metadata
    try {
      refuseOtherSource(app, options)
      const prepared = await prepareApp(tree, app, target, tools)
      const {manifests, bytes, address} = await renderApp(prepared, {tools, workDir, rendered: new Map()})
      return {app: name, manifests, bundle: {bytes, address}, findings: []}
    } catch (error) {
      return {app: name, manifests: [], bundle: undefined, findings: [describe(error, name, options.cluster)]}
    }
  }
}

function refuseOtherSource(app: App, here: {repository: string; ref: string}): void {
  const {repository, ref} = sourceOf(app, here)
  if (ref === here.ref && sameRepository(repository, here.repository)) return
  const message = `its source is ${repository} at ${ref}, which is not fetched here: render it in that repository`
  throw new RenderError('SOURCE_UNREADABLE', message)
}

function describe(error: unknown, app: string, cluster: string): Finding {
  if (error instanceof RenderError) return toFinding(error, {app, cluster})
  if (error instanceof BundleError) return {code: error.code, message: error.message, app, cluster}
  throw error
}

function unknown(code: string, what: string, known: readonly string[]): {apps: RenderedApp[]; findings: Finding[]} {
  const message = `there is no ${what} in drawbridge.yaml; known are ${known.join(', ') || 'none'}`
  return {apps: [], findings: [{code, message}]}
}
