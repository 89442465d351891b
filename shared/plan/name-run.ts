import {createHash} from 'node:crypto'
import type {SyncPhase} from './read-hook.ts'

/** A Job's name may have 63 characters. */
const BASE_LENGTH = 44

/**
 * Names a hook that has only a `generateName`, as it is declared: by its own content, so that the same input gives the same name, and two hooks of
 * one `generateName` have two. `content` is its canonical JSON.
 */
export function nameGenerated(generateName: string, content: string): string {
  return `${baseOf(generateName)}${shortHash(content)}`
}

/** Tells whether a hook's name is one that `nameGenerated` gave: where git says a name too, that one counts, and `generateName` means nothing. */
export function isGenerated(generateName: unknown, declared: string): generateName is string {
  if (typeof generateName !== 'string' || generateName === '') return false
  const base = baseOf(generateName)
  return declared.startsWith(base) && /^[0-9a-f]{10}$/.test(declared.slice(base.length))
}

/** Names one run of such a hook, for a bundle and a phase: `<generateName><10 hex characters>-<phase>`. `declared` is what `nameGenerated` gave. */
export function nameRun(
  generateName: string,
  {declared, bundle, phase}: {declared: string; bundle: string; phase: SyncPhase},
): string {
  return `${baseOf(generateName)}${shortHash(`${bundle} ${declared}`)}-${phase.toLowerCase()}`
}

/** Tells whether a name is one that `nameRun` gives for a `generateName`, whatever the bundle and phase. */
export function isRunOf(generateName: string, name: string): boolean {
  const base = baseOf(generateName)
  return name.startsWith(base) && /^[0-9a-f]{10}-(presync|sync|postsync|syncfail)$/.test(name.slice(base.length))
}

function baseOf(generateName: string): string {
  return generateName.slice(0, BASE_LENGTH)
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 10)
}
