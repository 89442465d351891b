import {hideSecrets} from '../hide-secrets.ts'
import {type Place, RenderError, type RenderErrorCode} from '../render-error.ts'
import type {BoxFiles} from './box-files.ts'
import {KUSTOMIZATION_NAMES, type RendererName} from './detect-renderer.ts'
import {describeForeign} from './foreign-files.ts'

/** A renderer's words are cut before anything looks into them. */
const maxWordsLength = 4000

/** A renderer's words for people: paths of the repository, without secrets, of a length that can be read. */
export function cleanWords(text: string, secrets: {files: BoxFiles; values: unknown}): string {
  // Cut twice, so that no secret is left in part at the end.
  const whole = toRepositoryPaths(cut(text, 2 * maxWordsLength))
  return cut(hideSecrets(whole, secrets), maxWordsLength)
}

/** Says a render's error for the author of its files: where, the cause first, without secrets, and what to do where that is known. */
export function explainProblem(
  error: RenderError,
  {name, path, files, values}: {name: RendererName; path: string; files: BoxFiles; values: unknown},
): RenderError {
  const hidden = cleanWords(error.message, {files, values})
  const words = hidden.includes('exceeded max depth') ? 'it nests too deeply' : hidden
  const place = {...findPlace(words, files.opened, path, name, error.code), ...definedPlace(error.place)}
  switch (error.code) {
    case 'PATH_LEAVES_REPOSITORY':
      return new RenderError(
        error.code,
        words,
        {...naming(files, place, between(words, 'path "', '"')), ...definedPlace(error.place)},
        {cause: error},
      )
    case 'YAML_INVALID': {
      const foreign = describe(files, place.file, name)
      const what =
        foreign === undefined
          ? `not valid YAML: ${words}`
          : `it is ${foreign}: leave it out by spec.yaml.exclude or a .drawbridgeignore (${words})`
      return new RenderError(error.code, `${place.file === undefined ? '' : `${place.file}: `}${what}`, place, {
        cause: error,
      })
    }
    case 'OBJECT_INVALID': {
      const foreign = describe(files, place.file, name)
      const hint =
        foreign === undefined
          ? ''
          : `. The file is ${foreign}: leave it out by spec.yaml.exclude or a .drawbridgeignore`
      return new RenderError(error.code, `${words}${hint}`, place, {cause: error})
    }
    case 'RENDER_FAILED': {
      if (name === 'kustomize') return explainKustomize(words, place, error, files)
      if (name === 'helm') return explainHelm(words, place, error)
      return new RenderError(error.code, words, place, {cause: error})
    }
    default:
      return new RenderError(error.code, words, place, {cause: error})
  }
}

function describe(files: BoxFiles, file: string | undefined, name: RendererName): string | undefined {
  if (file === undefined || name !== 'yaml') return undefined
  const bytes = files.read(file)
  return typeof bytes === 'string' ? undefined : describeForeign(file, bytes)
}

/** What needs the network is refused by name; kustomize's own words for it tell of a program or a connection that is not there. */
function explainKustomize(words: string, place: Place, cause: RenderError, files: BoxFiles): RenderError {
  const yaml = between(`${words}\n`, 'invalid Kustomization: yaml: ', '\n')
  if (yaml !== undefined) {
    return new RenderError('YAML_INVALID', `${place.file}: not valid YAML: ${yaml}`, place, {cause})
  }
  if (words.includes("no 'git' program on path") || words.includes('dial tcp') || words.includes('Get "http')) {
    const named = lastBetween(words, "from '", "'") ?? between(words, 'Get "', '"') ?? 'what it names'
    return new RenderError(
      'REMOTE_BASE',
      `${place.file ?? 'the kustomization'} names ${withoutCredential(named)}: renders have no network, so copy it into the repository, or make it the source of an App of its own`,
      naming(files, place, named),
      {cause},
    )
  }
  const refusals = ['must specify --enable-helm', 'plugins disabled', '--enable-alpha-plugins']
  if (refusals.some((refusal) => words.includes(refusal))) {
    return new RenderError(
      'PLUGIN_REFUSED',
      `kustomize: ${words}. Plugins, functions and helmCharts are not run from kustomize: make a chart the source of an App of its own`,
      place,
      {cause},
    )
  }
  if (words.endsWith(absentEnd)) {
    const absent = words.slice(words.lastIndexOf(' ', words.length - absentEnd.length - 1) + 1, -absentEnd.length)
    const named = lastBetween(words, "from '", "'") ?? absent
    return new RenderError(
      'PATH_NOT_FOUND',
      `${place.file ?? 'the kustomization'} names ${named}, and there is no ${absent}`,
      naming(files, place, named),
      {cause},
    )
  }
  return new RenderError('RENDER_FAILED', `kustomize: ${words}`, place, {cause})
}

function explainHelm(words: string, place: Place, cause: RenderError): RenderError {
  const isSchema =
    words.includes('failing loading "') ||
    words.includes('unsupported URL scheme') ||
    words.includes('HTTP request failed')
  const hint = isSchema
    ? '. The schema refers to something outside of the chart, and renders have no network: put it into the schema, or set spec.helm.skipSchemaValidation: true'
    : ''
  return new RenderError('RENDER_FAILED', `helm: ${words}${hint}`, place, {cause})
}

/** The file that the words name, by its whole path or by its name below the app's folder, and the line after it; else the file, or kustomization, that was opened last. */
function findPlace(
  words: string,
  opened: readonly string[],
  path: string,
  name: RendererName,
  code: RenderErrorCode,
): Place {
  let found: {file: string; at: number; length: number} | undefined
  for (const file of opened) {
    for (const name of [file, path !== '' && file.startsWith(`${path}/`) ? file.slice(path.length + 1) : file]) {
      const at = words.indexOf(name)
      if (at >= 0 && (found === undefined || name.length > found.length)) found = {file, at, length: name.length}
    }
  }
  if (found === undefined) {
    const wanted = name === 'kustomize' ? opened.filter(isKustomization) : opened
    // What could not be read is named by what was opened last; what failed later may be the fault of any, so the app's own is told.
    const isReading = code !== 'RENDER_FAILED' || words.endsWith(absentEnd) || words.includes("from '")
    const file = isReading ? wanted.at(-1) : wanted[0]
    return file === undefined ? {} : {file}
  }
  const line = /^\D{0,12}(\d{1,7})/.exec(words.slice(found.at + found.length, found.at + found.length + 32))?.[1]
  return line === undefined || words[found.at + found.length] !== ':'
    ? {file: found.file}
    : {file: found.file, line: Number(line)}
}

function isKustomization(file: string): boolean {
  return KUSTOMIZATION_NAMES.some((name) => file === name || file.endsWith(`/${name}`))
}

const absentEnd = ' does not exist'

/** The line of a file that names something, or the last part of it. */
function naming(files: BoxFiles, place: Place, named: string | undefined): Place {
  if (place.file === undefined || named === undefined) return place
  const bytes = files.read(place.file)
  if (typeof bytes === 'string') return place
  const text = Buffer.from(bytes).toString('utf8')
  const last = named.slice(named.lastIndexOf('/') + 1)
  const at = text.includes(named) ? text.indexOf(named) : last === '' ? -1 : text.indexOf(last)
  return at < 0 ? place : {file: place.file, line: text.slice(0, at).split('\n').length}
}

function definedPlace({file, line}: Place): Place {
  return {...(file === undefined ? {} : {file}), ...(line === undefined ? {} : {line})}
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

function withoutCredential(url: string): string {
  const scheme = url.indexOf('//')
  const at = url.lastIndexOf('@')
  return scheme >= 0 && at > scheme ? `${url.slice(0, scheme + 2)}${url.slice(at + 1)}` : url
}

function between(text: string, before: string, after: string): string | undefined {
  const start = text.indexOf(before)
  if (start < 0) return undefined
  const end = text.indexOf(after, start + before.length)
  return end < 0 ? undefined : text.slice(start + before.length, end)
}

function lastBetween(text: string, before: string, after: string): string | undefined {
  const start = text.lastIndexOf(before)
  return start < 0 ? undefined : between(text.slice(start), before, after)
}
