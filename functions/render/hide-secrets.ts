import {parseAllDocuments} from 'yaml'
import {childObject, isJsonObject} from '#shared/model/manifest.ts'
import type {BoxFiles} from './box/box-files.ts'

/** Stands in a message where a secret stood. */
const HIDDEN = '[hidden]'
/** Shorter ones would take ordinary words with them. */
const minSecretLength = 4
const maxParsedBytes = 256 * 1024
const secretKey = /pass(word|wd|phrase)?$|secret|token|credential|api[-_]?key|private[-_]?key|access[-_]?key/i

/**
 * Takes out of a renderer's words what its sources hold in secret: the values of Secrets, the literals and envs of secret generators,
 * and whatever has a key like `password` or `token`, in value files and the App's inline `values` too. Charts and kustomize quote
 * such values when they fail, and a failure is shown on the commit. Its work grows with the size of the files, not faster.
 */
export function hideSecrets(words: string, {files, values}: {files: BoxFiles; values?: unknown}): string {
  const found = new Set<string>()
  collect(values, false, found)
  for (const file of files.opened) {
    const bytes = files.read(file)
    if (typeof bytes === 'string') continue
    collectFromText(Buffer.from(bytes).toString('utf8'), file, found)
  }
  // Only what the words hold is looked for again.
  const secrets = [...found].filter((secret) => secret.length >= minSecretLength && words.includes(secret))
  // The longest first, so that no part of one is left.
  secrets.sort((a, b) => b.length - a.length)
  return secrets.reduce((text, secret) => text.replaceAll(secret, HIDDEN), words)
}

function collectFromText(text: string, file: string, found: Set<string>): void {
  // A template, an env file or what fails to parse: line by line.
  for (const line of text.split('\n')) collectFromLine(line, found)
  if (text.length > maxParsedBytes || !/\.(ya?ml|json)$|(^|\/)Kustomization$/.test(file)) return
  for (const value of parse(text)) collectFromDocument(value, found)
}

function collectFromLine(line: string, found: Set<string>): void {
  const end = line.search(/[:=]/)
  if (end < 0) return
  const key = line.slice(0, end).replace(/["'\s-]/g, '')
  if (!secretKey.test(key)) return
  const value = line.slice(end + 1).trim()
  const quote = value[0]
  const isQuoted = value.length > 1 && (quote === '"' || quote === "'") && value.endsWith(quote)
  add(isQuoted ? value.slice(1, -1) : value, found)
}

function parse(text: string): unknown[] {
  try {
    const documents = parseAllDocuments(text, {version: '1.1', uniqueKeys: false, logLevel: 'silent'})
    return Array.from(documents).map((document) => document.toJS({maxAliasCount: 100}) as unknown)
  } catch (error) {
    // Not YAML, or too many aliases: its lines were looked at.
    if (error instanceof Error) return []
    throw error
  }
}

function collectFromDocument(value: unknown, found: Set<string>): void {
  collect(value, false, found)
  if (!isJsonObject(value)) return
  if (value.kind === 'Secret') {
    collect(value.stringData, true, found)
    collect(value.data, true, found)
    for (const encoded of Object.values(childObject(value, 'data') ?? {})) {
      if (typeof encoded === 'string') add(Buffer.from(encoded, 'base64').toString('utf8'), found)
    }
  }
  const generators = Array.isArray(value.secretGenerator) ? value.secretGenerator : []
  for (const generator of generators) {
    const literals = isJsonObject(generator) && Array.isArray(generator.literals) ? generator.literals : []
    for (const literal of literals) {
      if (typeof literal === 'string') add(literal.slice(literal.indexOf('=') + 1), found)
    }
  }
}

/** Walks a value that was parsed under limits of nesting. An alias may stand within its own anchor, so nothing is walked twice. */
function collect(value: unknown, isSecret: boolean, found: Set<string>, walked = new WeakMap<object, boolean>()): void {
  if (typeof value === 'object' && value !== null) {
    const before = walked.get(value)
    if (before === true || before === isSecret) return
    walked.set(value, isSecret)
  }
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') {
    if (isSecret) add(String(value), found)
  } else if (Array.isArray(value)) {
    for (const item of value) collect(item, isSecret, found, walked)
  } else if (isJsonObject(value)) {
    for (const [key, child] of Object.entries(value)) {
      // `secretName` and the like name an object, and hide nothing.
      const isName = /names?$|refs?$/i.test(key)
      collect(child, isSecret || (secretKey.test(key) && !isName && key !== 'secretGenerator'), found, walked)
    }
  }
}

function add(value: string, found: Set<string>): void {
  for (const line of value.split('\n')) found.add(line.trim())
}
