import type {BundleHeader} from '#shared/bundle/bundle-header.ts'
import {canonicalJson} from '#shared/bundle/canonical-json.ts'
import {packBundle} from '#shared/bundle/pack-bundle.ts'
import type {App, Cluster} from '#shared/model/app.ts'
import type {BundleAddress} from '#shared/model/desired-state.ts'
import {type Digest, digestOf} from '#shared/model/digest.ts'
import type {Manifest} from '#shared/model/manifest.ts'
import type {SourceTree} from '#shared/ports/git-source.ts'
import {ALLOW_PLAINTEXT_SECRETS, checkManifests} from './check-manifests.ts'
import {collectHelm} from './collect-helm.ts'
import {collectKustomize} from './collect-kustomize.ts'
import {collectYaml} from './collect-yaml.ts'
import {detectRenderer} from './detect-renderer.ts'
import {expandPath} from './expand-path.ts'
import type {SourceFile} from './list-files.ts'
import {renderHelm} from './render-helm.ts'
import {renderKustomize} from './render-kustomize.ts'
import {renderYaml, YAML_RENDERER_VERSION} from './render-yaml.ts'
import type {RendererTools} from './renderer-tools.ts'
import {joinPath} from './resolve-path.ts'
import {type FoundManifest, toManifests} from './to-manifests.ts'

/** Counts up when equal inputs come to give other bytes for a reason that is in none of the inputs. */
const INPUTS_VERSION = 1

/** An app in a cluster, ready to be rendered: all that the render depends on, and its digest. */
export interface PreparedApp {
  app: App
  cluster: Cluster
  tree: SourceTree
  path: string
  renderer: BundleHeader['renderer']
  files: SourceFile[]
  valueFiles: string[]
  inputs: Digest
}

/** What renders share: the programs, a folder to work in, and the renders of this app that clusters have in common. */
export interface RenderMeans {
  tools: RendererTools
  workDir: string
  /** Renders by what they depend on, so that one serves all clusters that it is the same for. */
  rendered: Map<string, Promise<FoundManifest[]>>
}

/** Finds what an app in a cluster reads, without rendering it. Throws `RenderError`; rejects with `SourceError`. */
export async function prepareApp(
  tree: SourceTree,
  app: App,
  cluster: Cluster,
  tools: RendererTools,
): Promise<PreparedApp> {
  const path = joinPath('', expandPath(app.spec.source.path, cluster))
  const name = await detectRenderer(tree, app, path)
  const {files, valueFiles} = await collect()
  const renderer = {name, version: versionOf(name, tools)}
  const {clusters: _, ...spec} = app.spec
  const inputs = digestOf(
    canonicalJson({
      version: INPUTS_VERSION,
      renderer,
      files: digestFiles(files),
      app: {metadata: app.metadata, spec},
      cluster: {name: cluster.metadata.name, labels: cluster.metadata.labels ?? {}, spec: cluster.spec},
    }),
  )
  return {app, cluster, tree, path, renderer, files, valueFiles, inputs}

  async function collect(): Promise<{files: SourceFile[]; valueFiles: string[]}> {
    switch (name) {
      case 'yaml':
        return {files: await collectYaml(tree, path, app.spec.yaml?.recurse ?? true), valueFiles: []}
      case 'kustomize':
        return {files: await collectKustomize(tree, path), valueFiles: []}
      case 'helm':
        return collectHelm(
          tree,
          path,
          (app.spec.helm?.valueFiles ?? []).map((file) => expandPath(file, cluster)),
        )
    }
  }
}

/** Renders a prepared app and packs its bundle. The same inputs give the same bytes. Throws `RenderError`; rejects with `SourceError`. */
export async function renderApp(
  prepared: PreparedApp,
  means: RenderMeans,
): Promise<{manifests: Manifest[]; bytes: Uint8Array; address: BundleAddress}> {
  const {app, cluster, renderer, inputs} = prepared
  const found = await sharedRender(prepared, means)
  const manifests = checkManifests(found, {
    namespace: app.spec.namespace,
    allowPlaintextSecrets: app.metadata.annotations?.[ALLOW_PLAINTEXT_SECRETS] === 'true',
  })
  const header = {app: app.metadata.name, cluster: cluster.metadata.name, inputs, renderer}
  return {manifests, ...packBundle(header, manifests)}
}

function sharedRender(prepared: PreparedApp, means: RenderMeans): Promise<FoundManifest[]> {
  const {app, cluster, renderer, path, files, valueFiles} = prepared
  const seenByChart = renderer.name === 'helm' ? {helm: app.spec.helm ?? {}, valueFiles, cluster: cluster.spec} : {}
  const key = canonicalJson({path, files: digestFiles(files), ...seenByChart})
  const known = means.rendered.get(key)
  if (known !== undefined) return known
  const render = runRender(prepared, means)
  means.rendered.set(key, render)
  return render
}

async function runRender(prepared: PreparedApp, {tools, workDir}: RenderMeans): Promise<FoundManifest[]> {
  const {tree, files} = prepared
  switch (prepared.renderer.name) {
    case 'yaml':
      return toManifests(await renderYaml(tree, files))
    case 'kustomize':
      return toManifests(await renderKustomize({...prepared, tools, workDir}))
    case 'helm':
      return toManifests(await renderHelm({...prepared, tools, workDir}))
  }
}

function digestFiles(files: readonly SourceFile[]): [string, string, boolean][] {
  return files.map(({path, oid, executable}) => [path, oid, executable])
}

function versionOf(name: BundleHeader['renderer']['name'], {versions}: RendererTools): string {
  switch (name) {
    case 'yaml':
      return YAML_RENDERER_VERSION
    case 'kustomize':
      return versions.kustomize
    case 'helm':
      return versions.helm
  }
}
