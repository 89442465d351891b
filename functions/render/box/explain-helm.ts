import {LineCounter, parseDocument} from 'yaml'
import {type Place, RenderError} from '../render-error.ts'
import {inFolder} from '../resolve-path.ts'
import type {BoxFiles} from './box-files.ts'
import {readText} from './find-place.ts'
import {afterLast, lastBetween, oneLine, yamlWords} from './words.ts'

/** What a chart was rendered with. */
export interface HelmInput {
  /** The chart's folder. */
  path: string
  files: BoxFiles
  /** Inline values. */
  values: unknown
  /** From the root of the repository, later ones win. */
  valueFiles: readonly string[]
}

/** Says what helm says for the author of the chart: the reason, without the places that helm tells before it. */
export function explainHelm(words: string, place: Place, cause: RenderError, input: HelmInput): RenderError {
  const options = {cause}
  if (words.startsWith(SCHEMA_WORDS)) return explainSchema(words, cause, input)
  const yaml = words.includes('cannot unmarshal yaml document: ') ? yamlWords(words) : undefined
  if (yaml?.line !== undefined) {
    return new RenderError(
      'YAML_INVALID',
      `not valid YAML: ${yaml.reason}`,
      {file: place.file, line: yaml.line},
      options,
    )
  }
  const isSchema =
    words.includes('failing loading "') ||
    words.includes('unsupported URL scheme') ||
    words.includes('HTTP request failed')
  const hint = isSchema
    ? '. The schema refers to something outside of the chart, and renders have no network: put it into the schema, or set spec.helm.skipSchemaValidation: true'
    : ''
  return new RenderError('RENDER_FAILED', `helm: ${withoutPlaces(words, place)}${hint}`, place, options)
}

/** `execution error at (web/templates/a.yaml:2:6): REASON`, or a line for each template on the way and the reason in the last one. */
function withoutPlaces(words: string, {file}: Place): string {
  const template = file === undefined ? undefined : file.slice(file.lastIndexOf('/') + 1)
  for (const mark of ['execution error at (', 'parse error at (']) {
    const end = words.startsWith(mark) ? words.indexOf('): ') : -1
    if (end < 0) continue
    const reason = oneLine(words.slice(end + 3))
    if (mark.startsWith('execution')) return reason
    const [before, after] = [reason, afterLast(reason, ` started at `)]
    const line = /:(\d{1,7})$/.exec(after)?.[1]
    const isSame = template !== undefined && line !== undefined && after.includes(`${template}:`)
    return `parse error: ${isSame ? `${before.slice(0, -after.length - 'at '.length)}in line ${line}` : reason}`
  }
  const output = 'YAML parse error on '
  const yaml = words.startsWith(output) ? yamlWords(words) : undefined
  if (yaml !== undefined) {
    const line = yaml.line === undefined ? '' : `, at line ${yaml.line} of it`
    return `what the template gives is not valid YAML${line}: ${yaml.reason}`
  }
  const expression = lastBetween(words, ' at <', '>:')
  if (expression === undefined || !words.includes('executing "')) return oneLine(words)
  const reason = oneLine(afterLast(words, `<${expression}>:`))
  return reason === '' ? oneLine(words) : `${reason} at {{ ${expression} }}`
}

const SCHEMA_WORDS = "values don't meet the specifications of the schema(s) in the following chart(s):"
const maxTold = 5

/** Helm names charts, and below each of them what does not meet its schema: `- at '/replicas': got number, want string`. */
function explainSchema(words: string, cause: RenderError, input: HelmInput): RenderError {
  const told: string[] = []
  let schema: string | undefined
  let first: string | undefined
  let chart = ''
  for (const line of words.slice(SCHEMA_WORDS.length).split('\n')) {
    if (line.startsWith('- at ') || line.startsWith('  - at ')) {
      const pointer = lastQuoted(line)
      const reason = line.slice(line.indexOf("': ") + 3)
      const origin = pointer === '' ? undefined : findValue(pointer, chart, input)
      const from = origin === undefined ? '' : ` (from ${origin})`
      told.push(pointer === '' ? reason : `${pointer}: ${reason}${from}`)
    } else if (line.endsWith(':') && !line.startsWith('-') && !line.startsWith(' ')) {
      chart = line.slice(0, -1)
      schema = findSchema(chart, input)
      first ??= schema
    } else if (line.trim() !== '') told.push(line.trim())
  }
  const more = told.length > maxTold ? `, and ${told.length - maxTold} more` : ''
  const message = `helm: the values do not meet the chart's schema: ${told.slice(0, maxTold).join('; ')}${more}`
  const file = first ?? inFolder(input.path, 'values.schema.json')
  return new RenderError('RENDER_FAILED', message, {file}, {cause})
}

function lastQuoted(line: string): string {
  return line.slice(line.indexOf("'") + 1, line.indexOf("': "))
}

function findSchema(chart: string, {files, path}: HelmInput): string | undefined {
  return (
    files.opened.find((file) => file.endsWith(`/charts/${chart}/values.schema.json`)) ??
    files.opened.find((file) => file === inFolder(path, 'values.schema.json'))
  )
}

/** Where the value at a JSON pointer came from: helm takes the inline ones before the value files, and these before the chart's own. */
function findValue(pointer: string, chart: string, {files, path, values, valueFiles}: HelmInput): string | undefined {
  const keys = pointer
    .slice(1)
    .split('/')
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
  const own = files.opened.find((file) => file.endsWith(`/charts/${chart}/values.yaml`))
  const above = own === undefined ? keys : [chart, ...keys]
  if (hasKeys(values, above)) return 'spec.helm.values'
  for (const file of valueFiles.toReversed()) {
    const line = lineOf(files, file, above)
    if (line !== undefined) return `${file}:${line}`
  }
  const defaults = inFolder(path, 'values.yaml')
  const line = lineOf(files, defaults, above)
  if (line !== undefined) return `${defaults}:${line}`
  const below = own === undefined ? undefined : lineOf(files, own, keys)
  return below === undefined ? undefined : `${own}:${below}`
}

function hasKeys(value: unknown, keys: readonly string[]): boolean {
  let at = value
  for (const key of keys) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return false
    at = Reflect.get(at, key)
  }
  return true
}

const maxParsedLength = 256 * 1024

function lineOf(files: BoxFiles, file: string, keys: readonly string[]): number | undefined {
  const text = files.opened.includes(file) ? (readText(files, file) ?? '') : ''
  if (text === '' || text.length > maxParsedLength) return undefined
  const lineCounter = new LineCounter()
  try {
    const document = parseDocument(text, {lineCounter, uniqueKeys: false, logLevel: 'silent', prettyErrors: false})
    const node: unknown = document.getIn(
      keys.map((key) => (/^\d{1,9}$/.test(key) ? Number(key) : key)),
      true,
    )
    const range = typeof node === 'object' && node !== null && 'range' in node ? node.range : undefined
    return Array.isArray(range) && typeof range[0] === 'number' ? lineCounter.linePos(range[0]).line : undefined
  } catch (error) {
    if (error instanceof Error) return undefined
    throw error
  }
}
