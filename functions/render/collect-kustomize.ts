import {limits} from '#shared/model/limits.ts'
import {isJsonObject, type JsonObject} from '#shared/model/manifest.ts'
import type {SourceTree} from '#shared/ports/git-source.ts'
import {findKustomization} from './detect-renderer.ts'
import {type SourceFile, toSourceFile} from './list-files.ts'
import {readYaml} from './read-yaml.ts'
import {RenderError} from './render-error.ts'
import {joinPath, resolvePath} from './resolve-path.ts'

/** A path that a kustomization names. `inline`: where nothing is there, the text may be YAML itself. */
interface Reference {
  path: string
  inline: boolean
  /** What is there configures a generator, transformer or validator, and may name files itself. */
  isPluginConfig: boolean
}

/**
 * Every file that building a kustomization reads: its own and, through all it names, those of its bases and components. Throws
 * `RenderError` for what would need the network or run a program: REMOTE_BASE, PLUGIN_REFUSED; and PATH_NOT_FOUND.
 */
export async function collectKustomize(tree: SourceTree, folder: string): Promise<SourceFile[]> {
  const files = new Map<string, SourceFile>()
  const visited = new Set<string>()

  const add = (path: string, file: SourceFile): void => {
    files.set(path, file)
    if (files.size > limits.maxAppInputFiles) {
      throw new RenderError('INPUT_TOO_LARGE', `${folder} reads more than ${limits.maxAppInputFiles} files`)
    }
  }

  const visit = async (at: string, namedBy: string | undefined): Promise<void> => {
    if (visited.has(at)) return
    visited.add(at)
    const path = await findKustomization(tree, at)
    if (path === undefined) {
      const where = namedBy === undefined ? '' : ` (named by ${namedBy})`
      throw new RenderError('PATH_NOT_FOUND', `folder ${at || '.'} holds no kustomization.yaml${where}`, {
        file: namedBy,
      })
    }
    const own = await resolvePath(tree, path)
    if (own === undefined) return
    add(path, toSourceFile(path, own))
    const text = await readText(tree, own.path)
    for (const document of readYaml(text, path)) {
      if (!isJsonObject(document.value)) continue
      refusePlugins(document.value, path)
      for (const reference of referencesOf(document.value)) await follow(at, path, text, reference)
    }
  }

  const follow = async (
    at: string,
    from: string,
    text: string,
    {path, inline, isPluginConfig}: Reference,
  ): Promise<void> => {
    const place = {file: from, line: lineOf(text, path)}
    if (inline && (path.includes('\n') || path.includes(': '))) return
    if (looksRemote(path)) {
      throw new RenderError(
        'REMOTE_BASE',
        `${from} names ${withoutCredential(path)}: renders have no network, so copy it into the repository, or make it the source of an App of its own`,
        place,
      )
    }
    const target = joinPath(at, path, place)
    const found = await resolvePath(tree, target, place)
    if (found === undefined) {
      throw new RenderError('PATH_NOT_FOUND', `${from} names ${path}, and there is no ${target}`, place)
    }
    if (found.type === 'folder') return visit(target, from)
    if (files.has(target)) return
    add(target, toSourceFile(target, found))
    if (!isPluginConfig) return
    // Kustomize's own generators and transformers name further files, below the kustomization's folder.
    const config = await readText(tree, found.path)
    for (const document of readYaml(config, target)) {
      for (const path of isJsonObject(document.value) ? pathsOfPlugin(document.value) : []) {
        await follow(at, target, config, {path, inline: true, isPluginConfig: false})
      }
    }
  }

  await visit(folder, undefined)
  return [...files.values()].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
}

async function readText(tree: SourceTree, path: string): Promise<string> {
  return Buffer.from(await tree.read(path, limits.maxSourceFileBytes)).toString('utf8')
}

/** All that a kustomization names, field by field: kustomize v5's API, its deprecated fields included. */
function referencesOf(kustomization: JsonObject): Reference[] {
  const found: Reference[] = []
  const name = (value: unknown, inline = false, isPluginConfig = false): void => {
    if (typeof value === 'string' && value !== '') found.push({path: value, inline, isPluginConfig})
  }
  for (const field of ['resources', 'bases', 'components', 'crds', 'configurations']) {
    for (const value of listOf(kustomization[field])) name(value)
  }
  for (const value of listOf(kustomization.patchesStrategicMerge)) name(value, true)
  for (const field of ['generators', 'transformers', 'validators']) {
    for (const value of listOf(kustomization[field])) name(value, true, true)
  }
  for (const field of ['patches', 'patchesJson6902', 'replacements']) {
    for (const value of listOf(kustomization[field])) if (isJsonObject(value)) name(value.path)
  }
  for (const field of ['configMapGenerator', 'secretGenerator']) {
    for (const generator of listOf(kustomization[field])) {
      if (!isJsonObject(generator)) continue
      for (const file of listOf(generator.files)) {
        if (typeof file === 'string') name(file.slice(file.indexOf('=') + 1))
      }
      for (const file of listOf(generator.envs)) name(file)
      name(generator.env)
    }
  }
  if (isJsonObject(kustomization.openapi)) name(kustomization.openapi.path)
  return found
}

/** The files that the configuration of a built-in generator or transformer names: it has the fields of a kustomization. */
function pathsOfPlugin(config: JsonObject): string[] {
  const paths = [config.path, config.env, ...listOf(config.envs), ...listOf(config.paths)]
  const files = listOf(config.files).map((file) =>
    typeof file === 'string' ? file.slice(file.indexOf('=') + 1) : file,
  )
  return [...paths, ...files].filter((path): path is string => typeof path === 'string' && path !== '')
}

/** What kustomize would run or fetch, were it allowed to. It refuses too; saying it here names the field. */
function refusePlugins(kustomization: JsonObject, file: string): void {
  for (const field of ['helmCharts', 'helmChartInflationGenerator']) {
    if (listOf(kustomization[field]).length === 0) continue
    throw new RenderError(
      'PLUGIN_REFUSED',
      `${file} has ${field}, which runs helm from kustomize: make the chart the source of an App of its own`,
      {file},
    )
  }
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

/** What kustomize takes for something to fetch. */
function looksRemote(path: string): boolean {
  return (
    /^[a-z][a-z0-9+.-]*:\/\//i.test(path) ||
    /^git::/i.test(path) ||
    /^[\w.-]+@[\w.-]+:/.test(path) ||
    /^(github\.com|gitlab\.com|bitbucket\.org)[/:]/i.test(path) ||
    /[?&](ref|version|timeout|submodules)=/.test(path)
  )
}

function withoutCredential(url: string): string {
  return url.replace(/\/\/[^/@]*@/, '//')
}

function lineOf(text: string, part: string): number | undefined {
  const at = text.indexOf(part)
  return at < 0 ? undefined : text.slice(0, at).split('\n').length
}
