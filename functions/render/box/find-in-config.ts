import {type Document, LineCounter, parseDocument} from 'yaml'
import type {App} from '#shared/model/app.ts'
import {CONFIG_FILE} from '#shared/model/keys.ts'
import type {Place} from '../render-error.ts'
import {type FileAnswers, openBoxFiles} from './box-files.ts'
import {readText} from './find-place.ts'

/** Of the document of one App. */
const maxDocumentLength = 64 * 1024
/** How often an App's name is looked at in the file before it is given up. */
const maxTries = 20

/** The line of drawbridge.yaml on which a field of an App stands: for an error, so that only then it is read. Without it where the App's sources are in another repository or ref. */
export function findInConfig(answers: FileAnswers, app: App, field: readonly (string | number)[]): Place {
  if (app.spec.source.repository !== undefined || app.spec.source.ref !== undefined) return {}
  // Files of their own: what is read for a message is no input of the app.
  const text = readText(openBoxFiles(answers), CONFIG_FILE)
  if (text === undefined) return {}
  const line = findLine(text, app.metadata.name, field)
  return {file: CONFIG_FILE, ...(line === undefined ? {} : {line})}
}

function findLine(text: string, name: string, field: readonly (string | number)[]): number | undefined {
  let at = text.indexOf(name)
  for (let tries = 0; tries < maxTries && at >= 0; tries++) {
    const start = text.lastIndexOf('\n---', at) + 1
    const next = text.indexOf('\n---', at)
    const part = text.slice(start, next < 0 ? undefined : next)
    const line = part.length > maxDocumentLength ? undefined : lineIn(part, name, field)
    if (line !== undefined) return text.slice(0, start).split('\n').length - 1 + line
    at = next < 0 ? -1 : text.indexOf(name, next)
  }
  return undefined
}

function lineIn(text: string, name: string, field: readonly (string | number)[]): number | undefined {
  const lineCounter = new LineCounter()
  try {
    const document = parseDocument(text, {lineCounter, uniqueKeys: false, logLevel: 'silent', prettyErrors: false})
    if (document.get('kind') !== 'App' || document.getIn(['metadata', 'name']) !== name) return undefined
    const start = startOf(document, field)
    return start === undefined ? undefined : lineCounter.linePos(start).line
  } catch (error) {
    if (error instanceof Error) return undefined
    throw error
  }
}

/** Of the nearest part of the path that is there. */
function startOf(document: Document, field: readonly (string | number)[]): number | undefined {
  for (let length = field.length; length > 0; length--) {
    const node: unknown = document.getIn(field.slice(0, length), true)
    const range = typeof node === 'object' && node !== null && 'range' in node ? node.range : undefined
    if (Array.isArray(range) && typeof range[0] === 'number') return range[0]
  }
  return undefined
}
