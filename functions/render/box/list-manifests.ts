import ignore, {type Ignore} from 'ignore'
import type {App} from '#shared/model/app.ts'
import {CONFIG_FILE} from '#shared/model/keys.ts'
import {limits} from '#shared/model/limits.ts'
import {RenderError} from '../render-error.ts'
import {inFolder} from '../resolve-path.ts'
import type {BoxFiles, FolderEntry} from './box-files.ts'
import {KUSTOMIZATION_NAMES} from './detect-renderer.ts'
import {type Candidate, matchesWithin, parsePattern} from './file-patterns.ts'
import type {LeftOut} from './tell-left-out.ts'

const manifestName = /\.(ya?ml|json)$/
/** Flux's file, and ours: lines of gitignore's syntax, for the folder that they are in and all below. */
const IGNORE_FILES = ['.sourceignore', '.drawbridgeignore'] as const

/** The manifest files of a plain folder, and what was left out beside them. */
export interface ManifestList {
  files: string[]
  leftOut: LeftOut
}

/**
 * Lists the manifest files of a plain folder in byte order: `.yaml`, `.yml` and `.json`, without those whose name or folder begins with a
 * dot, that an ignore file or `spec.yaml` leaves out, and without drawbridge.yaml at the root. A path to a single file is that file.
 * Throws `RenderError`: PATH_NOT_FOUND, SUBMODULE, SYMLINK_LOOP, INPUT_TOO_LARGE, OTHER_RENDERER.
 */
export function listManifests(files: BoxFiles, path: string, options: App['spec']['yaml']): ManifestList {
  const root = files.stat(path)
  if (root.type === 'file') return {files: [path], leftOut: {by: new Map(), unused: []}}
  const {recurse = true} = options ?? {}
  const include = options?.include?.map(parsePattern)
  const exclude = options?.exclude?.map(parsePattern) ?? []
  const unused = new Set(exclude)
  const by: LeftOut['by'] = new Map()
  const skipped: string[] = []
  const found: string[] = []
  let folders = 0

  const fromApp = (at: string): string => (path === '' ? at : at.slice(path.length + 1))
  const noteLeftOut = (rule: string, candidate: Candidate): void => {
    const counts = by.get(rule) ?? {files: 0, folders: 0}
    by.set(rule, counts)
    if (candidate.isFolder) counts.folders += 1
    else counts.files += 1
    if (candidate.isFolder) skipped.push(candidate.path)
  }
  const isExcluded = (candidate: Candidate): boolean => {
    const pattern = exclude.find((one) => one.matches(candidate))
    if (pattern !== undefined) unused.delete(pattern)
    return pattern !== undefined
  }
  /** What would not have been read anyway shows that a pattern is right, too. */
  const noteMatches = (candidate: Candidate): void => {
    for (const pattern of unused) if (pattern.matches(candidate)) unused.delete(pattern)
  }
  const isIncluded = (inside: string): boolean =>
    include === undefined || include.some((pattern) => matchesWithin(pattern, inside))

  const walk = (folder: string, above: readonly string[], rules: readonly FolderRules[]): void => {
    folders += 1
    // Symbolic links to folders that hold such links multiply: a few dozen make more paths than could ever be walked.
    if (folders > limits.maxAppInputFiles) throw tooMany(path, 'folders')
    const entries = files.list(folder) ?? []
    const own = [...rules, ...readRules(files, folder, new Set(entries.map(({name}) => name)))]
    for (const entry of entries) {
      const {type} = entry.stat
      const at = inFolder(folder, entry.name)
      const candidate = {path: fromApp(at), isFolder: type === 'folder'}
      const isManifest = type === 'submodule' || manifestName.test(entry.name) || isKustomization(entry.name)
      const isHidden = entry.name.startsWith('.')
      const rule = isHidden ? undefined : findIgnoring(own, at, candidate.isFolder)
      if (isHidden || rule !== undefined || (!candidate.isFolder && !isManifest)) {
        noteMatches(candidate)
        if (rule !== undefined) {
          if (candidate.isFolder || isManifest) noteLeftOut(rule, candidate)
        } else if (type === 'absent' && !isHidden && !isExcluded(candidate) && isIncluded(candidate.path)) {
          // Asked for by name, a link that may not be followed says why: it may be meant as a folder, too.
          files.stat(at)
        }
        continue
      }
      if (at === CONFIG_FILE) continue
      if (isExcluded(candidate)) noteLeftOut('spec.yaml.exclude', candidate)
      else if (candidate.isFolder) {
        if (recurse) enter(at, folder, above, own)
      } else if (!isIncluded(candidate.path)) noteLeftOut('spec.yaml.include', candidate)
      else {
        if (type === 'absent') files.stat(at)
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
      throw new RenderError('SYMLINK_LOOP', 'this folder leads back into itself by a symbolic link', {file: at})
    }
    walk(at, real, rules)
  }
  walk(path, [], rulesAbove(files, path))
  const texts = [...unused].map(({text}) => text)
  // Of what is in a folder that was left out whole, nothing was looked at.
  const isWithin = (text: string) =>
    skipped.some((folder) => text.replace(/^(?:\.?\/){1,256}/, '').startsWith(`${folder}/`))
  return {files: found, leftOut: {by, unused: texts.filter((text) => !isWithin(text))}}
}

interface FolderRules {
  /** The ignore file. */
  file: string
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
    return typeof bytes === 'string'
      ? []
      : [{file: inFolder(folder, name), folder, rules: ignore().add(Buffer.from(bytes).toString('utf8'))}]
  })
}

/** The ignore file that leaves a path out; undefined where none does. */
function findIgnoring(all: readonly FolderRules[], path: string, isFolder: boolean): string | undefined {
  let ignoring: string | undefined
  for (const {file, folder, rules} of all) {
    const inside = folder === '' ? path : path.slice(folder.length + 1)
    const verdict = rules.test(isFolder ? `${inside}/` : inside)
    // Rules further down have the last word.
    if (verdict.ignored) ignoring = file
    else if (verdict.unignored) ignoring = undefined
  }
  return ignoring
}

function isKustomization(name: string): boolean {
  return KUSTOMIZATION_NAMES.some((known) => known === name)
}

function refuseOther(path: string, {name, stat: {type}}: FolderEntry, folder: string): void {
  if (type === 'submodule') {
    throw new RenderError(
      'SUBMODULE',
      `it is a git submodule, and submodules are not read: name its repository as the source of an App of its own, or copy its files`,
      {file: path},
    )
  }
  if (type === 'absent') {
    throw new RenderError('PATH_NOT_FOUND', 'it is a symbolic link that points to nothing: correct it, or exclude it', {
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
