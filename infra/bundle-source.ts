import {dirname} from 'node:path'
import {build, formatMessages} from 'esbuild'
import {adaptSources, workerFile} from './adapt-sources.ts'
import {BuildError} from './build-error.ts'

export interface BundleOptions {
  /** Root of the project. */
  root: string
  /** Path of the source that the bundle runs. */
  source: string
  outfile: string
  /** Dependencies that are left out of the bundle, to be found installed beside it; with all of them, the sources are installed too. */
  external: 'none' | 'all' | readonly string[]
}

// CommonJS dependencies call require; in an ES module somebody has to make one.
const requireBanner =
  "import {createRequire as createRequireOfBundle} from 'node:module';const require = createRequireOfBundle(import.meta.url);"

/**
 * Bundles a source, and each source that it starts as a thread into a file beside it. Gives the files of the threads.
 * Throws `BuildError` BUNDLING_FAILED with esbuild's own words.
 */
export async function bundleSource(options: BundleOptions): Promise<string[]> {
  const outFolder = dirname(options.outfile)
  const files = new Map([[options.source, options.outfile]])
  // Threads may start threads: a map goes on to what is added while it is gone through.
  for (const [source, outfile] of files) {
    await bundleOne({...options, source, outfile}, (worker) => {
      if (!files.has(worker)) files.set(worker, workerFile(outFolder, worker))
    })
  }
  return [...files.values()].slice(1)
}

async function bundleOne(options: BundleOptions, onWorker: (source: string) => void): Promise<void> {
  const {root, source, outfile, external} = options
  try {
    await build({
      absWorkingDir: root,
      entryPoints: [source],
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
      plugins: [adaptSources({outFolder: dirname(outfile), keepsPlaces: external === 'all', onWorker})],
      ...(external === 'all' ? {packages: 'external'} : external === 'none' ? {} : {external: [...external]}),
    })
  } catch (cause) {
    throw new BuildError('BUNDLING_FAILED', `cannot bundle ${source}:\n${await messagesOf(cause)}`, {source}, {cause})
  }
}

async function messagesOf(cause: unknown): Promise<string> {
  if (!(cause instanceof Error)) return String(cause)
  if (!('errors' in cause) || !Array.isArray(cause.errors)) return cause.message
  return (await formatMessages(cause.errors, {kind: 'error', color: false})).join('').trimEnd()
}
