import {type Place, RenderError} from './render-error.ts'

/** The names of folders on this machine in a renderer's words, replaced by what they stand for: paths from the root of the repository. */
export function toRepositoryPaths(words: string, folder: string): string {
  return words.replaceAll(`${folder}/`, '').replaceAll(folder, '.')
}

/** The error of a render that failed, with the renderer's own words, and file and line where they name one. */
export function renderFailed(renderer: string, words: string, findPlace: (words: string) => Place): RenderError {
  return new RenderError('RENDER_FAILED', `${renderer}: ${words.replace(/^[Ee]rror: /, '')}`, findPlace(words))
}
