import {existsSync} from 'node:fs'
import {readFile, rm, stat} from 'node:fs/promises'
import {dirname, join, relative} from 'node:path'
import {build, formatMessages, type Plugin} from 'esbuild'
import {FUNCTION_NAMES} from '#shared/model/access.ts'
import {DrawbridgeError} from '#shared/model/drawbridge-error.ts'

/** Why a build failed: an entry file is not there, or esbuild refuses a source and says where. */
export class BuildError extends DrawbridgeError<'ENTRY_ABSENT' | 'BUNDLING_FAILED'> {}

export interface Bundle {
  name: string
  /** Where it was written. */
  file: string
  bytes: number
}

export interface BuildBundlesOptions {
  /** Root of the project. */
  root: string
  /** Folder to write to; each bundle's own folder in it is replaced. */
  outDir: string
  /** @default all */
  only?: readonly string[]
}

interface Target {
  name: string
  entry: string
  file: string
  /** Dependencies that are left out of the bundle, to be found installed beside it. */
  external: 'none' | 'all' | readonly string[]
}

/**
 * What is built: one self-contained file per function (`functions/<name>/index.mjs`) and for the agent in a pod
 * (`agent/main.mjs`), and the command line (`cli/main.js`), which finds its dependencies installed beside it.
 */
const targets: Target[] = [
  ...FUNCTION_NAMES.map((name) => ({
    name: `functions/${name}`,
    entry: `functions/${name}/handler.ts`,
    file: `functions/${name}/index.mjs`,
    external: 'none' as const,
  })),
  // The client library is for kubeconfigs that log in by a command, which no pod has: without it the file is half as large.
  {name: 'agent', entry: 'agent/main.ts', file: 'agent/main.mjs', external: ['@kubernetes/client-node']},
  {name: 'cli', entry: 'cli/main.ts', file: 'cli/main.js', external: 'all'},
]

// CommonJS dependencies call require; in an ES module somebody has to make one.
const requireBanner =
  "import {createRequire as createRequireOfBundle} from 'node:module';const require = createRequireOfBundle(import.meta.url);"

/**
 * Builds the bundles. The same sources and dependencies make the same bytes. Throws `BuildError`: ENTRY_ABSENT before
 * anything is written, BUNDLING_FAILED with esbuild's own words.
 */
export async function buildBundles({root, outDir, only}: BuildBundlesOptions): Promise<Bundle[]> {
  const chosen = targets.filter(({name}) => only === undefined || only.includes(name))
  const absent = chosen.filter(({entry}) => !existsSync(join(root, entry)))
  if (absent.length > 0) {
    const entries = absent.map(({entry}) => entry).join(', ')
    throw new BuildError('ENTRY_ABSENT', `cannot build in ${root}: it has no ${entries}`, {root, entries})
  }
  const bundles: Bundle[] = []
  for (const target of chosen) bundles.push(await buildBundle(root, outDir, target))
  return bundles
}

async function buildBundle(root: string, outDir: string, {name, entry, file, external}: Target): Promise<Bundle> {
  const outfile = join(outDir, file)
  await rm(dirname(outfile), {recursive: true, force: true})
  try {
    await build({
      absWorkingDir: root,
      entryPoints: [entry],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node24',
      mainFields: ['module', 'main'],
      banner: {js: requireBanner},
      // Names stay as they are: stack traces and error names are read by people.
      minifySyntax: true,
      minifyWhitespace: true,
      sourcemap: 'linked',
      sourcesContent: false,
      legalComments: 'linked',
      logLevel: 'silent',
      ...(external === 'all'
        ? {packages: 'external', plugins: [keepSourcePaths(dirname(outfile))]}
        : external === 'none'
          ? {}
          : {external: [...external]}),
    })
  } catch (cause) {
    throw new BuildError('BUNDLING_FAILED', `cannot bundle ${entry}:\n${await messagesOf(cause)}`, {entry}, {cause})
  }
  return {name, file: outfile, bytes: (await stat(outfile)).size}
}

// The command line looks for files beside its sources, which are installed with it: so each source keeps its own place.
function keepSourcePaths(outFolder: string): Plugin {
  return {
    name: 'keep-source-paths',
    setup: ({onLoad}) =>
      onLoad({filter: /\.ts$/}, async ({path}) => {
        const source = JSON.stringify(relative(outFolder, path))
        const url = `new URL(${source}, import.meta.url)`
        const contents = (await readFile(path, 'utf8'))
          .replaceAll('import.meta.dirname', '__IMPORT_META_DIRNAME__')
          .replaceAll('import.meta.url', `${url}.href`)
          .replaceAll(
            '__IMPORT_META_DIRNAME__',
            `process.getBuiltinModule('node:url').fileURLToPath(new URL('.', ${url}))`,
          )
        return {contents, loader: 'ts'}
      }),
  }
}

async function messagesOf(cause: unknown): Promise<string> {
  if (!(cause instanceof Error)) return String(cause)
  if (!('errors' in cause) || !Array.isArray(cause.errors)) return cause.message
  return (await formatMessages(cause.errors, {kind: 'error', color: false})).join('').trimEnd()
}
