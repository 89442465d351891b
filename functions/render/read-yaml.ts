import {LineCounter, parseAllDocuments, type ScalarTag, type Tags} from 'yaml'
import {describeError} from '#shared/model/drawbridge-error.ts'
import {limits} from '#shared/model/limits.ts'
import {findDuplicateKey} from './find-duplicate-key.ts'
import {RenderError} from './render-error.ts'

/** One document of a YAML file. `line` counts from 1; `comment` is what stands right above it. */
export interface YamlDocument {
  value: unknown
  line: number
  comment: string
}

/** Go's YAML, which Kubernetes reads manifests with, is 1.1 without these: they stay strings, or are no part of JSON. */
const unknownToKubernetes = new Set([
  'tag:yaml.org,2002:timestamp',
  'tag:yaml.org,2002:binary',
  'tag:yaml.org,2002:set',
])
const otherCollections = new Set(['tag:yaml.org,2002:omap', 'tag:yaml.org,2002:pairs'])

/** Octal numbers as YAML 1.2 writes them, which Go's YAML knows beside those of 1.1. */
const octalTag: ScalarTag = {
  identify: () => false,
  default: true,
  tag: 'tag:yaml.org,2002:int',
  test: /^[-+]?0o[0-7]+$/,
  resolve: (text) => Number.parseInt(text.replace('0o', ''), 8),
}

/**
 * Reads the documents of a manifest file as Kubernetes reads them: YAML 1.1's booleans and octal numbers, no timestamps, no base
 * 60, keys are strings. Empty documents are left out. Throws `RenderError` YAML_INVALID with file and line, for a document that
 * expands too many aliases too.
 */
export function readYaml(
  text: string,
  file: string,
  options: {uniqueKeys: boolean} = {uniqueKeys: true},
): YamlDocument[] {
  const lineCounter = new LineCounter()
  try {
    const documents = parseAllDocuments(text, {
      version: '1.1',
      customTags: kubernetesTags,
      uniqueKeys: false,
      merge: true,
      stringKeys: true,
      prettyErrors: false,
      logLevel: 'silent',
      lineCounter,
    })
    // An empty stream is an empty list with a property.
    const found: YamlDocument[] = []
    for (const document of Array.from(documents)) {
      const problem = document.errors[0] ?? document.warnings[0]
      if (problem !== undefined) {
        throw new RenderError('YAML_INVALID', `${file}: ${describeYamlProblem(problem.message)}`, {
          file,
          line: lineCounter.linePos(problem.pos[0]).line,
        })
      }
      const duplicate = options.uniqueKeys ? findDuplicateKey(document) : undefined
      if (duplicate !== undefined) {
        const {line} = lineCounter.linePos(duplicate)
        throw new RenderError('YAML_INVALID', `${file}: ${DUPLICATE_KEY}`, {file, line})
      }
      if (document.contents === null) continue
      const start = document.contents.range?.[0] ?? 0
      const line = lineCounter.linePos(start).line
      const value: unknown = toValue(document, file, line)
      if (value === null) continue
      found.push({value, line, comment: `${document.commentBefore ?? ''}\n${document.contents.commentBefore ?? ''}`})
    }
    return found
  } catch (error) {
    if (error instanceof RenderError) throw error
    throw new RenderError('YAML_INVALID', `${file}: ${describeYamlProblem(describeError(error))}`, {file})
  }
}

/** The words for a mapping that names a key twice. */
export const DUPLICATE_KEY = 'not valid YAML: Map keys must be unique'

/** The words for a document that parses and has no value. */
export function describeExpansion(message: string): string {
  if (!message.includes('alias count')) return describeYamlProblem(message)
  return `its aliases expand without bound; at most ${limits.maxYamlAliases} aliases are expanded`
}

/**
 * The parser's words, without what they quote of the text, which may be a password that nobody put in quotes; nesting that
 * overflows its stack in words of our own.
 */
export function describeYamlProblem(message: string): string {
  if (message.includes('call stack')) return 'it nests too deeply'
  const unquoted = message
    .replace(/^(Unknown directive|Unresolved plain scalar|Invalid escape sequence|Verbatim tags).*$/s, '$1')
    .replace(/^The .* tag has no suffix$/s, 'A tag has no suffix')
    .replace(/:\s.*$/s, '')
  return `not valid YAML: ${unquoted}`
}

function toValue(document: {toJS(options: {maxAliasCount: number}): unknown}, file: string, line: number): unknown {
  try {
    return document.toJS({maxAliasCount: limits.maxYamlAliases})
  } catch (cause) {
    const message = `${file}: ${describeExpansion(describeError(cause))}`
    throw new RenderError('YAML_INVALID', message, {file, line}, {cause})
  }
}

function kubernetesTags(tags: Tags): Tags {
  const kept = tags.filter((tag) => {
    if (typeof tag === 'string') return true
    if (unknownToKubernetes.has(tag.tag) || otherCollections.has(tag.tag)) return false
    return !('format' in tag && tag.format === 'TIME')
  })
  return [octalTag, ...kept]
}
