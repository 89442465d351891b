import {type BoundedMap, createBoundedMap} from '#shared/memory/bounded-map.ts'
import type {App, Cluster} from '#shared/model/app.ts'
import {CONFIG_FILE} from '#shared/model/keys.ts'
import {limits} from '#shared/model/limits.ts'
import type {Finding} from '#shared/model/outcome.ts'
import type {SourceTree} from '#shared/ports/git-source.ts'
import {SourceError} from '#shared/ports/source-error.ts'
import type {RenderPool} from './box/render-pool.ts'
import {checkDependencies} from './check-dependencies.ts'
import {checkSyncOptions} from './check-sync-options.ts'
import type {ParsedConfig} from './parse-config.ts'
import {RenderError, toFinding} from './render-error.ts'
import {resolvePath} from './resolve-path.ts'

/** What a drawbridge.yaml declares. */
export interface Config {
  apps: App[]
  clusters: Cluster[]
  /** What is wrong with single Apps, each named by one finding at least. They are declared, and not among `apps`. */
  findings: Finding[]
}

export type ConfigResult = {ok: true; config: Config} | {ok: false; findings: Finding[]}

/** What was read before, by commit, and by the file's object id: most commits leave drawbridge.yaml as it is. */
export type ConfigCache = Pick<BoundedMap<string, ConfigResult>, 'get' | 'set'>

/** In apps, of which one takes a few kilobytes; a declaration counts once for its file and once for each commit. */
const maxCachedApps = 60_000

export function createConfigCache(): ConfigCache {
  return createBoundedMap(maxCachedApps, (result) => 100 + (result.ok ? result.config.apps.length : 0))
}

/** Reads drawbridge.yaml at the root of a tree: what it declares, or everything that is wrong with it. Rejects with `SourceError`. */
export async function readConfig(
  renderers: RenderPool,
  tree: SourceTree,
  cache: ConfigCache = createConfigCache(),
): Promise<ConfigResult> {
  let text: string
  let oid: string
  try {
    const found = await resolvePath(tree, CONFIG_FILE)
    if (found?.type !== 'file')
      return fail('CONFIG_MISSING', `the repository has no ${CONFIG_FILE} at its root: ${WHAT}`)
    oid = found.oid
    const known = cache.get(oid)
    if (known !== undefined) return remember(cache, tree.commit, known)
    text = new TextDecoder('utf-8', {fatal: true}).decode(await tree.read(found.path, limits.maxConfigBytes))
  } catch (error) {
    if (error instanceof RenderError) return {ok: false, findings: [toFinding(error, {})]}
    if (error instanceof SourceError && error.code === 'FILE_TOO_LARGE') {
      return fail('CONFIG_INVALID', `${CONFIG_FILE} is larger than ${limits.maxConfigBytes} bytes`)
    }
    if (error instanceof SourceError && error.code === 'PATH_LEAVES_REPOSITORY') return fail(error.code, error.message)
    if (error instanceof TypeError) return fail('CONFIG_INVALID', `${CONFIG_FILE} is not UTF-8 text`)
    throw error
  }
  const parsed = await parse(renderers, text)
  // What kept it from being read may be gone the next time.
  if ('failed' in parsed) return parsed.failed
  const result = await check(parsed)
  remember(cache, oid, result)
  return remember(cache, tree.commit, result)
}

function remember(cache: ConfigCache, key: string, result: ConfigResult): ConfigResult {
  cache.set(key, result)
  return result
}

async function check({config, findings}: ParsedConfig): Promise<ConfigResult> {
  if (findings.some(({app}) => app === undefined)) return {ok: false, findings}
  if (config.apps.length === 0 && findings.length === 0) {
    return fail('CONFIG_INVALID', `${CONFIG_FILE} declares no App: ${WHAT}`)
  }
  const unusable = [
    ...(await Promise.all(config.apps.map(checkSyncOptions))).flat(),
    ...(await checkDependencies(config.apps)),
  ]
  const broken = new Set(unusable.map(({app}) => app))
  const apps = config.apps.filter(({metadata}) => !broken.has(metadata.name))
  return {ok: true, config: {apps, clusters: config.clusters, findings: [...findings, ...unusable]}}
}

/** Parses it in a thread: what is hostile or huge in it holds up nothing else. */
async function parse(renderers: RenderPool, text: string): Promise<ParsedConfig | {failed: ConfigResult}> {
  try {
    return await renderers.parseConfig(text)
  } catch (error) {
    if (!(error instanceof RenderError)) throw error
    return {failed: fail('CONFIG_INVALID', `${CONFIG_FILE} cannot be read: ${error.message}`)}
  }
}

const WHAT =
  'nothing was changed in any cluster. Declare at least one document of kind App and one of kind Cluster (apiVersion: drawbridge.dev/v1alpha1)'

function fail(code: string, message: string): ConfigResult {
  return {ok: false, findings: [{code, message, file: CONFIG_FILE}]}
}
