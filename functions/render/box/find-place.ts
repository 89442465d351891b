import type {Place, RenderErrorCode} from '../render-error.ts'
import type {BoxFiles} from './box-files.ts'
import {KUSTOMIZATION_NAMES, type RendererName} from './detect-renderer.ts'

/** The end of the words for a file that is absent. */
export const ABSENT_END = ' does not exist'

/** The file that the words name, by its whole path or by its name below the app's folder, and the line after it; else the file, or kustomization, that was opened last. */
export function findPlace(
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
    const isReading = code !== 'RENDER_FAILED' || words.endsWith(ABSENT_END) || words.includes("from '")
    const file = isReading ? wanted.at(-1) : wanted[0]
    return file === undefined ? {} : {file}
  }
  const line = /^\D{0,12}(\d{1,7})/.exec(words.slice(found.at + found.length, found.at + found.length + 32))?.[1]
  return line === undefined || words[found.at + found.length] !== ':'
    ? {file: found.file}
    : {file: found.file, line: Number(line)}
}

/** Tells whether a path is one that kustomize takes for a kustomization. */
export function isKustomization(file: string): boolean {
  return KUSTOMIZATION_NAMES.some((name) => file === name || file.endsWith(`/${name}`))
}

/** The line of a file that names something, or the last part of it. */
export function naming(files: BoxFiles, place: Place, named: string | undefined): Place {
  if (place.file === undefined || named === undefined) return place
  const text = readText(files, place.file) ?? ''
  const last = named.slice(named.lastIndexOf('/') + 1)
  const at = text.includes(named) ? text.indexOf(named) : last === '' ? -1 : text.indexOf(last)
  return at < 0 ? place : {file: place.file, line: text.slice(0, at).split('\n').length}
}

/** The line of a file on which a field stands, as the first word of it. */
export function lineOfField(files: BoxFiles, file: string, field: string): number | undefined {
  const lines = (readText(files, file) ?? '').split('\n')
  const index = lines.findIndex((line) => line.replace(/^[\s-]{0,200}/, '').startsWith(`${field}:`))
  return index < 0 ? undefined : index + 1
}

/** The last opened file that a path from a kustomization leads to: its folder is not known, and the file that fails is the last one. */
export function findOpened(files: BoxFiles, named: string): string | undefined {
  const parts = named.split('/').filter((part) => part !== '' && part !== '.' && part !== '..')
  const end = parts.join('/')
  return end === '' ? undefined : files.opened.findLast((file) => file === end || file.endsWith(`/${end}`))
}

/** A file's text; undefined where there is none. */
export function readText(files: BoxFiles, file: string): string | undefined {
  const bytes = files.read(file)
  return typeof bytes === 'string' ? undefined : Buffer.from(bytes).toString('utf8')
}
