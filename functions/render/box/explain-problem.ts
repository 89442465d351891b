import {hideSecrets} from '../hide-secrets.ts'
import {type Place, RenderError} from '../render-error.ts'
import type {BoxFiles} from './box-files.ts'
import type {RendererName} from './detect-renderer.ts'
import {explainHelm, type HelmInput} from './explain-helm.ts'
import {explainKustomize} from './explain-kustomize.ts'
import {findPlace, naming} from './find-place.ts'
import {describeForeign} from './foreign-files.ts'
import {between, oneLine, yamlWords} from './words.ts'

/** A renderer's words are cut before anything looks into them. */
const maxWordsLength = 4000

/** A renderer's words for people: paths of the repository, without secrets, of a length that can be read. */
export function cleanWords(text: string, secrets: {files: BoxFiles; values: unknown}): string {
  // Cut twice, so that no secret is left in part at the end.
  const whole = toRepositoryPaths(cut(text, 2 * maxWordsLength))
  return cut(hideSecrets(whole, secrets), maxWordsLength)
}

/** The render that a problem is of. */
export interface ProblemContext extends HelmInput {
  name: RendererName
}

/** Says a render's error for the author of its files: where, the cause first, without secrets, and what to do where that is known. The words do not repeat the place. */
export function explainProblem(error: RenderError, context: ProblemContext): RenderError {
  const {name, path, files, values} = context
  const hidden = cleanWords(error.message, {files, values})
  const words = hidden.includes('exceeded max depth') ? 'it nests too deeply' : hidden
  const place = joinPlaces(findPlace(words, files.opened, path, name, error.code), error.place)
  const options = {cause: error}
  const leaveOut = 'leave it out by spec.yaml.exclude or a .drawbridgeignore'
  switch (error.code) {
    case 'PATH_LEAVES_REPOSITORY': {
      const at = joinPlaces(naming(files, place, between(words, 'path "', '"')), error.place)
      return new RenderError(error.code, words, at, options)
    }
    case 'YAML_INVALID': {
      const foreign = describe(files, place.file, name)
      const {reason, line = place.line} = (place.line === undefined ? yamlWords(words) : undefined) ?? {reason: words}
      const what = foreign === undefined ? `not valid YAML: ${reason}` : `it is ${foreign}: ${leaveOut} (${reason})`
      return new RenderError(error.code, oneLine(what), {file: place.file, line}, options)
    }
    case 'OBJECT_INVALID': {
      const foreign = describe(files, place.file, name)
      const hint = foreign === undefined ? '' : `. The file is ${foreign}: ${leaveOut}`
      return new RenderError(error.code, `${words}${hint}`, place, options)
    }
    case 'LFS_POINTER': {
      const hint = name === 'yaml' ? `, and where it is none, ${leaveOut}` : ''
      return new RenderError(error.code, `${words}${hint}`, place, options)
    }
    case 'RENDER_FAILED': {
      if (name === 'kustomize') return explainKustomize(words, place, error, files)
      if (name === 'helm') return explainHelm(words, place, error, context)
      return new RenderError(error.code, oneLine(words), place, options)
    }
    default:
      return new RenderError(error.code, words, place, options)
  }
}

/** Where the words say it is, unless the error knows better: a line is of its own file only. */
function joinPlaces(found: Place, known: Place): Place {
  if (known.file === undefined) return found
  const line = known.line ?? (found.file === known.file ? found.line : undefined)
  return {file: known.file, ...(line === undefined ? {} : {line})}
}

function describe(files: BoxFiles, file: string | undefined, name: RendererName): string | undefined {
  if (file === undefined || name !== 'yaml') return undefined
  const bytes = files.read(file)
  return typeof bytes === 'string' ? undefined : describeForeign(file, bytes)
}

/** Paths as programs in the box see them become paths in the repository. */
function toRepositoryPaths(words: string): string {
  return words.replaceAll('/repository/', '').replaceAll('/repository', '.')
}

/** The beginning, and the end: helm's words begin with where, and end with why. */
function cut(words: string, length: number): string {
  if (words.length <= length) return words
  const end = Math.floor(length / 3)
  return `${words.slice(0, length - end)} … ${words.slice(-end)}`
}
