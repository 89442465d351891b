import {copyFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {canonicalJson} from '#shared/bundle/canonical-json.ts'
import type {App, Cluster} from '#shared/model/app.ts'
import type {SourceTree} from '#shared/ports/git-source.ts'
import {withFileCopies} from './copy-files.ts'
import {hideSecrets} from './hide-secrets.ts'
import type {SourceFile} from './list-files.ts'
import {readYaml} from './read-yaml.ts'
import type {Place} from './render-error.ts'
import {renderFailed, toRepositoryPaths} from './render-output.ts'
import type {RendererTools} from './renderer-tools.ts'
import {runRenderer} from './run-renderer.ts'
import type {FoundValue} from './to-manifests.ts'

/** Renders a chart with `helm template`: values files in their order, then the App's inline values. Throws `RenderError`. */
export async function renderHelm(options: {
  tree: SourceTree
  files: readonly SourceFile[]
  path: string
  valueFiles: readonly string[]
  app: App
  cluster: Cluster
  tools: RendererTools
  workDir: string
}): Promise<FoundValue[]> {
  const {path, tools} = options
  const output = await withFileCopies(options, async ({tree, home, extra}) => {
    const values = await copyValues(options, tree, extra)
    const args = helmArguments(options, join(tree, path), values)
    const result = await runRenderer({program: tools.helm, args, home})
    if (result.ok) return result.output
    const words = options.valueFiles.reduce(
      (text, file, index) => text.replaceAll(values[index] ?? file, file),
      result.words,
    )
    const {tree: source, files, app} = options
    const said = await hideSecrets(toRepositoryPaths(words, tree), {tree: source, files, values: app.spec.helm?.values})
    throw renderFailed('helm', said, (text) => findPlace(text, path))
  })
  // Charts in use repeat keys, which Kubernetes' own reader lets pass: the last one wins.
  return readYaml(output, `helm template ${path || '.'}`, {uniqueKeys: false}).map(({value, comment}, index) => {
    const source = /# ?Source: (\S+)/.exec(`#${comment.replaceAll('\n', '\n#')}`)?.[1]
    const file = source === undefined ? undefined : toRepositoryFile(source, path)
    return {value, place: {file}, position: index + 1}
  })
}

/** Copies all values to names of our own: helm splits what it is given at commas, so a file's own name could name others. */
async function copyValues(
  {app, valueFiles}: {app: App; valueFiles: readonly string[]},
  tree: string,
  extra: string,
): Promise<string[]> {
  const copies = await Promise.all(
    valueFiles.map(async (file, index) => {
      const copy = join(extra, `${index}.yaml`)
      await copyFile(join(tree, file), copy)
      return copy
    }),
  )
  const values = app.spec.helm?.values
  if (values === undefined) return copies
  const inline = join(extra, 'inline.json')
  await writeFile(inline, canonicalJson(values))
  return [...copies, inline]
}

function helmArguments(
  {app, cluster}: {app: App; cluster: Cluster},
  chart: string,
  values: readonly string[],
): string[] {
  const {helm} = app.spec
  return [
    'template',
    `--namespace=${app.spec.namespace ?? 'default'}`,
    helm?.includeCrds === false ? '--skip-crds' : '--include-crds',
    ...values.map((file) => `--values=${file}`),
    ...(cluster.spec.kubeVersion === undefined ? [] : [`--kube-version=${cluster.spec.kubeVersion}`]),
    ...(cluster.spec.apiVersions ?? []).map((version) => `--api-versions=${version}`),
    '--',
    helm?.releaseName ?? app.metadata.name,
    chart,
  ]
}

/** helm names files by the chart's name first: `shop/templates/a.yaml` is `<path>/templates/a.yaml`. */
function toRepositoryFile(source: string, path: string): string {
  const inChart = source.slice(source.indexOf('/') + 1)
  return path === '' ? inChart : `${path}/${inChart}`
}

function findPlace(words: string, path: string): Place {
  const named = /([\w./-]+\/(?:templates|crds|charts)\/[\w./-]+):(\d+)/.exec(words)
  if (named?.[1] !== undefined) return {file: toRepositoryFile(named[1], path), line: Number(named[2])}
  const failing = /([\w.-]+\/templates\/[\w./-]+)/.exec(words)?.[1]
  return failing === undefined ? {} : {file: toRepositoryFile(failing, path)}
}
