import {matchesGlob} from 'node:path'
import ignore, {type Ignore} from 'ignore'
import type {App} from '#shared/model/app.ts'
import {CONFIG_FILE} from '#shared/model/keys.ts'
import {limits} from '#shared/model/limits.ts'
import {RenderError} from '../render-error.ts'
import {inFolder} from '../resolve-path.ts'
import type {BoxFiles, FolderEntry} from './box-files.ts'
import {KUSTOMIZATION_NAMES} from './detect-renderer.ts'

const manifestName = /\.(ya?ml|json)$/
/** Flux's file, and ours: lines of gitignore's syntax, for the folder that they are in and all below. */
const IGNORE_FILES = ['.sourceignore', '.drawbridgeignore'] as const

/**
 * The manifest files of a plain folder in byte order: `.yaml`, `.yml` and `.json`, without those whose name or folder begins with a
 * dot, that an ignore file or `spec.yaml` leaves out, and without drawbridge.yaml at the root. A path to a single file is that file.
 * Throws `RenderError`: PATH_NOT_FOUND, SUBMODULE, SYMLINK_LOOP, INPUT_TOO_LARGE, OTHER_RENDERER.
 */
export function listManifests(files: BoxFiles, path: string, options: App['spec']['yaml']): string[] {
  const root = files.stat(path)
  if (root.type === 'file') return [path]
  const {recurse = true, include, exclude} = options ?? {}
  const found: string[] = []
  let folders = 0

  const isWanted = (file: string): boolean => {
    const inside = path === '' ? file : file.slice(path.length + 1)
    if (exclude?.some((pattern) => matches(inside, pattern))) return false
    return include === undefined || include.some((pattern) => matches(inside, pattern))
  }
  const walk = (folder: string, above: readonly string[], rules: readonly FolderRules[]): void => {
    folders += 1
    // Symbolic links to folders that hold such links multiply: a few dozen make more paths than could ever be walked.
    if (folders > limits.maxAppInputFiles) throw tooMany(path, 'folders')
    const entries = files.list(folder) ?? []
    const own = [...rules, ...readRules(files, folder, new Set(entries.map(({name}) => name)))]
    for (const entry of entries) {
      const {type} = entry.stat
      const at = inFolder(folder, entry.name)
      if (entry.name.startsWith('.') || isIgnored(own, at, type === 'folder')) continue
      // Asked for by name, a link that may not be followed says why: it may be meant as a folder, too.
      if (type === 'absent' && isWanted(at)) files.stat(at)
      if (type === 'folder') {
        if (recurse && !exclude?.some((pattern) => matches(at.slice(path === '' ? 0 : path.length + 1), pattern))) {
          enter(at, folder, above, own)
        }
      } else if (type === 'submodule' || manifestName.test(entry.name) || isKustomization(entry.name)) {
        if (!isWanted(at) || at === CONFIG_FILE) continue
        refuseOther(at, entry, folder)
        found.push(at)
        if (found.length > limits.maxAppInputFiles) throw tooMany(path, 'files')
      }
    }
  }
  const enter = (at: string, folder: string, above: readonly string[], rules: readonly FolderRules[]): void => {
    const here = files.stat(folder)
    const target = files.stat(at)
    const real = here.type === 'folder' ? [...above, here.path] : above
    if (target.type === 'folder' && real.includes(target.path)) {
      throw new RenderError('SYMLINK_LOOP', `folder ${at} leads back into itself by a symbolic link`, {file: at})
    }
    walk(at, real, rules)
  }
  walk(path, [], rulesAbove(files, path))
  return found
}

interface FolderRules {
  folder: string
  rules: Ignore
}

function rulesAbove(files: BoxFiles, path: string): FolderRules[] {
  const parts = path === '' ? [] : path.split('/')
  return parts.flatMap((_, depth) => readRules(files, parts.slice(0, depth).join('/')))
}

function readRules(files: BoxFiles, folder: string, names?: ReadonlySet<string>): FolderRules[] {
  return IGNORE_FILES.flatMap((name) => {
    if (names?.has(name) === false) return []
    const bytes = files.read(inFolder(folder, name))
    return typeof bytes === 'string' ? [] : [{folder, rules: ignore().add(Buffer.from(bytes).toString('utf8'))}]
  })
}

function isIgnored(all: readonly FolderRules[], path: string, isFolder: boolean): boolean {
  let ignored = false
  for (const {folder, rules} of all) {
    const inside = folder === '' ? path : path.slice(folder.length + 1)
    const verdict = rules.test(isFolder ? `${inside}/` : inside)
    // Rules further down have the last word.
    if (verdict.ignored) ignored = true
    else if (verdict.unignored) ignored = false
  }
  return ignored
}

/** A pattern without a slash is about names at any depth, as in gitignore; one with a slash about the path from the app's folder. */
function matches(path: string, pattern: string): boolean {
  if (!pattern.includes('/')) return matchesGlob(path.slice(path.lastIndexOf('/') + 1), pattern)
  return matchesGlob(path, pattern)
}

function isKustomization(name: string): boolean {
  return KUSTOMIZATION_NAMES.some((known) => known === name)
}

function refuseOther(path: string, {name, stat: {type}}: FolderEntry, folder: string): void {
  if (type === 'submodule') {
    throw new RenderError(
      'SUBMODULE',
      `${path} is a git submodule, and submodules are not read: name its repository as the source of an App of its own, or copy its files`,
      {file: path},
    )
  }
  if (type === 'absent') {
    throw new RenderError('PATH_NOT_FOUND', `symbolic link ${path} points to nothing: correct it, or exclude it`, {
      file: path,
    })
  }
  const what = isKustomization(name) ? 'a kustomization' : name === 'Chart.yaml' ? 'a helm chart' : undefined
  if (what === undefined) return
  throw new RenderError(
    'OTHER_RENDERER',
    `folder ${folder || '.'} holds ${what}, and this app reads plain manifests: make that folder the source of an App of its own, or leave it out by spec.yaml.exclude or a .drawbridgeignore`,
    {file: path},
  )
}

function tooMany(folder: string, what: string): RenderError {
  return new RenderError('INPUT_TOO_LARGE', `${folder || '.'} holds more than ${limits.maxAppInputFiles} ${what}`)
}
