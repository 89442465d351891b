import {readFile} from 'node:fs/promises'
import {basename, dirname, join, relative} from 'node:path'
import type {Plugin} from 'esbuild'

export interface AdaptSourcesOptions {
  /** Folder of the bundle. */
  outFolder: string
  /** Whether sources find the files that are installed beside them, or beside the bundle. */
  keepsPlaces: boolean
  /** Told each source that is started as a thread, by its path; it must be bundled as `workerFile` says. */
  onWorker: (source: string) => void
}

/** A source that a bundle starts as a thread, in the one form in which the build sees it. */
const workerUrl = /new URL\(\s*'(?:\.\/)?([\w-]+)\.ts',\s*import\.meta\.url,?\s*\)/g

/** Where the bundle of a thread's source is: beside the one that starts it. */
export function workerFile(outFolder: string, source: string): string {
  return join(outFolder, `${basename(source, '.ts')}.mjs`)
}

/**
 * Makes sources work in a bundle that name files by their own place: `new URL('thread.ts', import.meta.url)` becomes the bundle of
 * that thread, beside this one; and where the sources are installed too, each keeps its own place for all else.
 */
export function adaptSources({outFolder, keepsPlaces, onWorker}: AdaptSourcesOptions): Plugin {
  return {
    name: 'adapt-sources',
    setup: ({onLoad}) =>
      onLoad({filter: /\.ts$/}, async ({path}) => {
        // Cut apart at the threads, whose place is the bundle's; between them it is the source's.
        const pieces = (await readFile(path, 'utf8')).split(workerUrl)
        const contents = pieces.map((piece, index) => {
          if (index % 2 === 0) return keepsPlaces ? placeAtSource(piece, relative(outFolder, path)) : piece
          onWorker(join(dirname(path), `${piece}.ts`))
          return `new URL('./${basename(workerFile(outFolder, piece))}', import.meta.url)`
        })
        return {contents: contents.join(''), loader: 'ts'}
      }),
  }
}

function placeAtSource(text: string, source: string): string {
  const url = `new URL(${JSON.stringify(source)}, import.meta.url)`
  return text.replace(/import\.meta\.(dirname|url)/g, (_, asked) =>
    asked === 'url' ? `${url}.href` : `process.getBuiltinModule('node:url').fileURLToPath(new URL('.', ${url}))`,
  )
}
