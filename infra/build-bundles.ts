import {constants, existsSync} from 'node:fs'
import {copyFile, mkdir, readdir, rm, stat} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {FUNCTION_NAMES} from '#shared/model/access.ts'
import {BuildError} from './build-error.ts'
import {type BundleOptions, bundleSource} from './bundle-source.ts'
import {findRenderers, type RendererModules} from './local/renderers/find-renderers.ts'

export interface BuiltFile {
  /** Where it was written. */
  file: string
  bytes: number
}

/** What was built of one target: its own file, and what that needs beside it. */
export interface Bundle extends BuiltFile {
  name: string
  /** The files of its threads, and those that are no code. */
  beside: BuiltFile[]
}

export interface BuildBundlesOptions {
  /** Root of the project. */
  root: string
  /** Folder to write to; each bundle's own folder in it is replaced. */
  outDir: string
  /** @default all */
  only?: readonly string[]
  /** Gives the renderers that go beside the render function; asked only where that is built. @default `findRenderers` */
  renderers?: () => Promise<RendererModules>
}

interface Target {
  name: string
  entry: string
  file: string
  external: BundleOptions['external']
  /** Whether the renderers go beside it, as `renderers/<name>.wasm`. */
  renders?: boolean
  /** The most that all its files may have. */
  maxBytes?: number
}

/** Lambda's limit of a function and its layers, unzipped. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const lambdaMaxBytes = 250 * 1024 * 1024

/**
 * What is built: one self-contained file per function (`functions/<name>/index.mjs`) and for the agent in a pod
 * (`agent/main.mjs`), and the command line (`cli/main.js`), which finds its dependencies installed beside it. A source that one of
 * them starts as a thread becomes a file beside it.
 */
const targets: Target[] = [
  ...FUNCTION_NAMES.map((name) => ({
    name: `functions/${name}`,
    entry: `functions/${name}/handler.ts`,
    file: `functions/${name}/index.mjs`,
    external: 'none' as const,
    renders: name === 'render',
    maxBytes: lambdaMaxBytes,
  })),
  // The client library is for kubeconfigs that log in by a command, which no pod has: without it the file is half as large.
  {name: 'agent', entry: 'agent/main.ts', file: 'agent/main.mjs', external: ['@kubernetes/client-node']},
  {name: 'cli', entry: 'cli/main.ts', file: 'cli/main.js', external: 'all'},
]

/**
 * Builds the bundles. The same sources, dependencies and renderers make the same bytes. Throws `BuildError`: ENTRY_ABSENT before
 * anything is written, BUNDLING_FAILED with esbuild's own words, TOO_LARGE; and as `renderers` does.
 */
export async function buildBundles(options: BuildBundlesOptions): Promise<Bundle[]> {
  const {root, outDir, only, renderers = findOwnRenderers} = options
  const chosen = targets.filter(({name}) => only === undefined || only.includes(name))
  const absent = chosen.filter(({entry}) => !existsSync(join(root, entry)))
  if (absent.length > 0) {
    const entries = absent.map(({entry}) => entry).join(', ')
    throw new BuildError('ENTRY_ABSENT', `cannot build in ${root}: it has no ${entries}`, {root, entries})
  }
  const modules = chosen.some(({renders}) => renders) ? await renderers() : undefined
  const bundles: Bundle[] = []
  for (const target of chosen) bundles.push(await buildTarget(root, outDir, target, modules))
  return bundles
}

async function buildTarget(root: string, outDir: string, target: Target, modules?: RendererModules): Promise<Bundle> {
  const {name, entry, file, external, renders, maxBytes} = target
  const outfile = join(outDir, file)
  const folder = dirname(outfile)
  await rm(folder, {recursive: true, force: true})
  const threads = await bundleSource({root, source: join(root, entry), outfile, external})
  const copies = renders && modules !== undefined ? await copyRenderers(modules, join(folder, 'renderers')) : []
  const bytes = await sizeOfFolder(folder)
  if (maxBytes !== undefined && bytes > maxBytes) {
    const message = `${folder} has ${toMiB(bytes)} MiB, and Lambda takes at most ${toMiB(maxBytes)}`
    throw new BuildError('TOO_LARGE', message, {folder, bytes, maxBytes})
  }
  const beside = await Promise.all([...threads, ...copies].map(sizeOf))
  return {name, ...(await sizeOf(outfile)), beside}
}

/** Copies the renderers' modules into a folder, under the names that they are looked for by. */
async function copyRenderers(modules: RendererModules, folder: string): Promise<string[]> {
  await mkdir(folder, {recursive: true})
  const copies = Object.entries(modules).map(async ([name, module]) => {
    const file = join(folder, `${name}.wasm`)
    await copyFile(module, file, constants.COPYFILE_FICLONE)
    return file
  })
  return Promise.all(copies)
}

function findOwnRenderers(): Promise<RendererModules> {
  return findRenderers({env: process.env, onProgress: (line) => void process.stderr.write(`${line}\n`)})
}

async function sizeOf(file: string): Promise<BuiltFile> {
  return {file, bytes: (await stat(file)).size}
}

async function sizeOfFolder(folder: string): Promise<number> {
  const entries = await readdir(folder, {recursive: true, withFileTypes: true})
  const files = entries.filter((entry) => entry.isFile())
  const sizes = await Promise.all(files.map(({parentPath, name}) => sizeOf(join(parentPath, name))))
  return sizes.reduce((sum, {bytes}) => sum + bytes, 0)
}

function toMiB(bytes: number): number {
  return Math.ceil(bytes / 1024 / 1024)
}
