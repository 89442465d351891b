import {parseAllDocuments} from 'yaml'
import {nearestName} from '#shared/plan/nearest-name.ts'
import {type Place, RenderError} from '../render-error.ts'
import type {BoxFiles} from './box-files.ts'
import {ABSENT_END, findOpened, isKustomization, lineOfField, naming, readText} from './find-place.ts'
import {kustomizationFields} from './kustomization-fields.ts'
import {between, lastBetween, oneLine, yamlWords} from './words.ts'

/** Says what kustomize says for the author of its files. What needs the network is refused by name: its own words for it tell of a program or a connection that is not there. */
export function explainKustomize(words: string, place: Place, cause: RenderError, files: BoxFiles): RenderError {
  const options = {cause}
  const fault = findFault(words, place, files)
  if (fault !== undefined) return new RenderError(fault.code, fault.message, fault.place, options)
  const last = lastBetween(words, "from '", "'")
  if (words.includes("no 'git' program on path") || words.includes('dial tcp') || words.includes('Get "http')) {
    const named = last ?? between(words, 'Get "', '"')
    const reason = 'renders have no network, so copy it into the repository, or make it the source of an App of its own'
    const message = `it names ${named === undefined ? 'what is not in the repository' : withoutCredential(named)}: ${reason}`
    return new RenderError('REMOTE_BASE', message, naming(files, place, named), options)
  }
  const refusals = ['must specify --enable-helm', 'plugins disabled', '--enable-alpha-plugins']
  if (refusals.some((refusal) => words.includes(refusal))) {
    const message = `kustomize: ${oneLine(words)}. Plugins, functions and helmCharts are not run from kustomize: make a chart the source of an App of its own`
    return new RenderError('PLUGIN_REFUSED', message, place, options)
  }
  if (words.endsWith(ABSENT_END)) {
    const absent = words.slice(words.lastIndexOf(' ', words.length - ABSENT_END.length - 1) + 1, -ABSENT_END.length)
    const named = last ?? absent
    return new RenderError(
      'PATH_NOT_FOUND',
      `it names ${named}, and there is no ${absent}`,
      naming(files, place, named),
      options,
    )
  }
  const isOfKustomization = place.file !== undefined && isKustomization(place.file) && place.line === undefined
  const at = isOfKustomization ? naming(files, place, last) : place
  return new RenderError('RENDER_FAILED', `kustomize: ${oneLine(causeOf(words))}`, at, options)
}

/** What is wrong in a file that can be named. */
function findFault(
  words: string,
  place: Place,
  files: BoxFiles,
): Pick<RenderError, 'code' | 'message' | 'place'> | undefined {
  const malformed = lastBetween(`${words}\n`, 'MalformedYAMLError: ', '\n')
  if (malformed !== undefined) {
    const [text, named] = splitLast(malformed, ' in File: ')
    const file = (named === undefined ? undefined : findOpened(files, named)) ?? place.file
    const {reason, line} = yamlWords(text) ?? {reason: text, line: undefined}
    const at = file === undefined || line === undefined ? undefined : lineInFile(readText(files, file) ?? '', line)
    return {code: 'YAML_INVALID', message: `not valid YAML: ${reason}`, place: {file, line: at}}
  }
  const invalid = between(`${words}\n`, 'invalid Kustomization: ', '\n')
  const field = invalid === undefined ? undefined : between(invalid, 'unknown field "', '"')
  if (field !== undefined && place.file !== undefined) {
    const nearest = nearestName(field, kustomizationFields)
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`
    const line = lineOfField(files, place.file, field)
    return {
      code: 'RENDER_FAILED',
      message: `kustomize: unknown field "${field}"${hint}`,
      place: {file: place.file, line},
    }
  }
  const yaml = invalid?.includes('yaml: ') ? yamlWords(invalid) : undefined
  if (yaml !== undefined) {
    return {code: 'YAML_INVALID', message: `not valid YAML: ${yaml.reason}`, place: {file: place.file, line: yaml.line}}
  }
  const unread = between(words, 'unable to parse SM or JSON patch from [path: "', '"]')
  if (unread !== undefined) {
    const message =
      'kustomize: it is neither a strategic merge patch (apiVersion, kind and metadata.name) nor a list of JSON patch operations'
    return {code: 'RENDER_FAILED', message, place: {file: findOpened(files, unread) ?? place.file}}
  }
  const target =
    between(words, 'no resource matches strategic merge patch "', '"') ??
    lastBetween(`${words}\n`, 'no matches for Id ', '\n')
  return target === undefined ? undefined : explainTarget(target.split(';')[0] ?? target, place, files)
}

/** A patch whose object is not among the resources: `Deployment.v1.apps/web.[noNs]`. */
function explainTarget(id: string, place: Place, files: BoxFiles): Pick<RenderError, 'code' | 'message' | 'place'> {
  const slash = id.indexOf('/')
  const end = id.lastIndexOf('.')
  const kind = id.slice(0, id.indexOf('.'))
  const name = id.slice(slash + 1, end)
  const namespace = id.slice(end + 1)
  const file =
    files.opened.findLast((opened) => !isKustomization(opened) && declares(files, opened, kind, name)) ?? place.file
  const where = namespace === '[noNs]' || namespace === '' ? '' : ` in namespace ${namespace}`
  const message = `kustomize: this patch is for ${kind} ${name}${where}, and no resource of the kustomization is that: correct its kind, name or namespace, or remove it`
  const named = file === undefined ? undefined : `name: ${name}`
  return {code: 'RENDER_FAILED', message, place: naming(files, {file}, named)}
}

const maxParsedLength = 256 * 1024

function declares(files: BoxFiles, file: string, kind: string, name: string): boolean {
  const text = readText(files, file) ?? ''
  if (text.length > maxParsedLength || !text.includes(kind) || !text.includes(name)) return false
  return documentsOf(text).some((document) => {
    return document.get('kind') === kind && document.getIn(['metadata', 'name']) === name
  })
}

/** Kustomize counts the lines of each document: the line of the file, where it can be told which document it is. */
function lineInFile(text: string, line: number): number | undefined {
  const starts = [0]
  text.split('\n').forEach((each, index) => {
    if (index > 0 && each.startsWith('---')) starts.push(index + 1)
  })
  if (starts.length === 1) return line
  if (text.length > maxParsedLength) return undefined
  const lines = text.split('\n')
  const start = starts.find((from, index) => {
    const part = lines.slice(from, index + 1 < starts.length ? (starts[index + 1] ?? 0) - 1 : undefined)
    return part.length >= line && documentsOf(part.join('\n')).some(({errors}) => errors.length > 0)
  })
  return start === undefined ? undefined : start + line
}

function documentsOf(text: string) {
  try {
    return Array.from(
      parseAllDocuments(text, {version: '1.1', uniqueKeys: false, logLevel: 'silent', prettyErrors: false}),
    )
  } catch (error) {
    if (error instanceof Error) return []
    throw error
  }
}

/** The words without the ways that led there: `accumulating resources: accumulation err='… from 'a.yaml': CAUSE': must build at directory …`. */
function causeOf(words: string): string {
  const marks = ["resources from '", "recursed accumulation of path '", "couldn't make target for path '"]
  const at = Math.max(...marks.map((mark) => words.lastIndexOf(mark)))
  if (at < 0) return words
  const start = words.indexOf("': ", at)
  if (start < 0) return words
  const rest = words.slice(start + 3)
  const end = rest.indexOf("': must build at directory")
  return end < 0 ? rest : rest.slice(0, end)
}

function splitLast(text: string, mark: string): [string, string | undefined] {
  const at = text.lastIndexOf(mark)
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + mark.length)]
}

function withoutCredential(url: string): string {
  const scheme = url.indexOf('//')
  const at = url.lastIndexOf('@')
  return scheme >= 0 && at > scheme ? `${url.slice(0, scheme + 2)}${url.slice(at + 1)}` : url
}
