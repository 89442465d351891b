import {childObject, isJsonObject} from '#shared/model/manifest.ts'
import type {SourceTree} from '#shared/ports/git-source.ts'
import {SourceError} from '#shared/ports/source-error.ts'
import type {SourceFile} from './list-files.ts'
import {readYaml} from './read-yaml.ts'
import {RenderError} from './render-error.ts'

/** Stands in a message where a secret stood. */
const HIDDEN = '[hidden]'
/** Shorter ones would take ordinary words with them. */
const minSecretLength = 4
const maxFileBytes = 1024 * 1024
const secretKey = /pass(word|wd|phrase)?$|secret|token|credential|api[-_]?key|private[-_]?key|access[-_]?key/i

/**
 * Takes out of a renderer's words what its sources hold in secret: the values of Secrets, the literals and envs of secret generators,
 * and whatever has a key like `password` or `token`, in value files and the App's inline `values` too. Charts and kustomize quote
 * such values when they fail, and a failure is shown on the commit.
 */
export async function hideSecrets(
  words: string,
  {tree, files, values}: {tree: SourceTree; files: readonly SourceFile[]; values?: unknown},
): Promise<string> {
  const found = new Set<string>()
  collect(values, false, found)
  for (const file of files) collectFromText(await readText(tree, file), file.path, found)
  const secrets = [...found].filter((secret) => secret.length >= minSecretLength)
  // The longest first, so that no part of one is left.
  secrets.sort((a, b) => b.length - a.length)
  return secrets.reduce((text, secret) => text.replaceAll(secret, HIDDEN), words)
}

async function readText(tree: SourceTree, {realPath}: SourceFile): Promise<string> {
  try {
    return Buffer.from(await tree.read(realPath, maxFileBytes)).toString('utf8')
  } catch (error) {
    if (error instanceof SourceError && error.code === 'FILE_TOO_LARGE') return ''
    throw error
  }
}

function collectFromText(text: string, file: string, found: Set<string>): void {
  // A template, an env file or what fails to parse: line by line.
  for (const [, key = '', value = ''] of text.matchAll(/^[\s-]*"?([\w.-]+)"?\s*[:=]\s*(.*)$/gm)) {
    if (secretKey.test(key)) add(value.trim().replace(/^(["'])(.*)\1$/, '$2'), found)
  }
  if (!/\.(ya?ml|json)$|(^|\/)Kustomization$/.test(file)) return
  try {
    for (const {value} of readYaml(text, file, {uniqueKeys: false})) collectFromDocument(value, found)
  } catch (error) {
    if (!(error instanceof RenderError)) throw error
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

/** Walks a value that was parsed under limits of nesting. */
function collect(value: unknown, isSecret: boolean, found: Set<string>): void {
  if (typeof value === 'string' || typeof value === 'number') {
    if (isSecret) add(String(value), found)
  } else if (Array.isArray(value)) {
    for (const item of value) collect(item, isSecret, found)
  } else if (isJsonObject(value)) {
    for (const [key, child] of Object.entries(value)) {
      // `secretName` and the like name an object, and hide nothing.
      const isName = /names?$|refs?$/i.test(key)
      collect(child, isSecret || (secretKey.test(key) && !isName && key !== 'secretGenerator'), found)
    }
  }
}

function add(value: string, found: Set<string>): void {
  for (const line of value.split('\n')) found.add(line.trim())
}
