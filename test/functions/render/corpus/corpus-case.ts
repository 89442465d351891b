import type {CorpusFiles, HelmOptions} from '../reference-renderers.ts'

/** One repository, and what the reference renderer makes of it. */
export interface CorpusCase {
  name: string
  files: CorpusFiles
  /** The app's folder; the repository's root where it is absent. */
  path?: string
  /** helm's only. */
  options?: HelmOptions
  /** Something in the reference's output that is there only because of what the case is about. */
  shows?: RegExp
  /** Words of the reference's refusal; absent where it renders. */
  refused?: RegExp
}

/**
 * A template whose lines lose the indentation of its first line. Values are put in afterwards, so they keep theirs.
 */
export function text(parts: TemplateStringsArray, ...values: readonly (string | number)[]): string {
  const indentation = /^\n( *)/.exec(parts[0] ?? '')?.[1] ?? ''
  const dedented = parts.map((part) => part.replaceAll(`\n${indentation}`, '\n'))
  const whole = dedented.reduce((all, part, index) => `${all}${values[index - 1] ?? ''}${part}`)
  return whole.replace(/^\n/, '').replace(/\n *$/, '\n')
}
