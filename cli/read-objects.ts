import {createReadStream} from 'node:fs'
import {resolve} from 'node:path'
import type {Readable} from 'node:stream'
import {text} from 'node:stream/consumers'
import {readYaml} from '#functions/render/read-yaml.ts'
import {RenderError} from '#functions/render/render-error.ts'
import {parseExactJson} from '#shared/bundle/exact-json.ts'
import {isJsonObject, type JsonObject} from '#shared/model/manifest.ts'
import {describeFileError} from './describe-file-error.ts'
import {CliError, type CliIo} from './io.ts'

/** Something read from a file or stdin, and where it began there. */
interface Found {
  value: unknown
  place: string
}

/**
 * Reads Kubernetes objects from a file (`-` is stdin) in their order: a YAML stream, a JSON object, an array or a line for each, Lists taken apart. Throws
 * CliError with the place of the first thing that is no object with apiVersion and kind.
 */
export async function readObjects(io: CliIo, file: string): Promise<JsonObject[]> {
  const found = await readValues(io, file)
  if (found.length === 0) throw new CliError(`${nameOf(file)} is empty: give it manifests, as YAML or JSON`)
  return found.flatMap(takeApart)
}

/** Reads the YAML or JSON documents of a file (`-` is stdin), whatever they are. */
export async function readValues(io: CliIo, file: string): Promise<Found[]> {
  const input: Readable = file === '-' ? process.stdin : createReadStream(resolve(io.cwd, file))
  const content = await text(input).catch((cause: unknown) => {
    throw new CliError(`cannot read ${nameOf(file)}: ${describeFileError(cause)}`)
  })
  const json = readJson(content)
  if (json !== undefined) return json.map(({value, line}) => ({value, place: `${nameOf(file)}, line ${line}`}))
  try {
    return readYaml(content, nameOf(file)).map(({value, line}) => ({value, place: `${nameOf(file)}, line ${line}`}))
  } catch (cause) {
    if (!(cause instanceof RenderError)) throw cause
    const {line} = cause.place
    throw new CliError(`${cause.message}${line === undefined ? '' : ` (line ${line})`}`)
  }
}

// One JSON value, or one on each line; undefined where it is neither, and so YAML or nothing.
function readJson(content: string): {value: unknown; line: number}[] | undefined {
  if (!/^\s*[[{]/.test(content)) return undefined
  const whole = parseJson(content)
  if (whole !== undefined) return [{value: whole.value, line: 1}]
  const lines = content.split('\n').flatMap((line, index) => (line.trim() === '' ? [] : [{line, number: index + 1}]))
  const values = lines.flatMap(({line, number}) => {
    const parsed = parseJson(line)
    return parsed === undefined ? [] : [{value: parsed.value, line: number}]
  })
  return values.length === lines.length ? values : undefined
}

// The parser's own message quotes the text, which may be a Secret's.
function parseJson(content: string): {value: unknown} | undefined {
  try {
    return {value: parseExactJson(content)}
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function takeApart({value, place}: Found): JsonObject[] {
  if (Array.isArray(value))
    return value.flatMap((item, index) => takeApart({value: item, place: `${place}, item ${index + 1}`}))
  if (!isJsonObject(value)) throw new CliError(`${place}: not a Kubernetes object but ${describeType(value)}`)
  if (typeof value.kind !== 'string' || value.kind === '') throw new CliError(`${place}: an object without a kind`)
  if (typeof value.apiVersion !== 'string' || value.apiVersion === '') {
    throw new CliError(`${place}: ${value.kind} without an apiVersion`)
  }
  if (!value.kind.endsWith('List') || !Array.isArray(value.items)) return [value]
  return takeApart({value: value.items, place})
}

function describeType(value: unknown): string {
  return value === null ? 'null' : `a ${typeof value}`
}

function nameOf(file: string): string {
  return file === '-' ? 'stdin' : file
}
