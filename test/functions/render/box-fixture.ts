import type {CorpusFiles, HelmOptions} from './reference-renderers.ts'

/** One render, told by the files of its repository. `path` is the app's folder from the repository's root ('' is the root). */
export interface BoxRequest {
  renderer: 'kustomize' | 'helm' | 'yaml'
  files: CorpusFiles
  path: string
  options?: HelmOptions
}

/** `objects`: one exact JSON text each, in the order of output. `inputs`: the paths that were opened or looked for. */
export type BoxResult =
  | {ok: true; objects: string[]; inputs: string[]; warnings: unknown[]}
  | {ok: false; code: string; message: string; file?: string; line?: number}

/** Renders files in the box. */
export type RenderFiles = (request: BoxRequest) => Promise<BoxResult>

/** The only door between these tests and the box; undefined until there is one, which skips the tests that need it. */
export const renderFiles: RenderFiles | undefined = undefined
