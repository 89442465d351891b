import type {RenderWarning} from './render-in-box.ts'

/** What of a plain folder was not read, and why: how many files and folders by which rule. */
export interface LeftOut {
  /** By `spec.yaml.exclude`, `spec.yaml.include` or the path of an ignore file. */
  by: Map<string, {files: number; folders: number}>
  /** Patterns of `spec.yaml.exclude` that matched nothing. */
  unused: string[]
}

/** Warns of patterns that leave out nothing: with a wrong one, what was to be left out is deployed. */
export function warnOfUnused({unused}: LeftOut, path: string): RenderWarning[] {
  return unused.map((pattern) => {
    const inside = pattern.replace(/^(?:\.?\/){1,256}/, '')
    const isFromRoot = path !== '' && inside.startsWith(`${path}/`)
    const hint = isFromRoot ? `; did you mean ${inside.slice(path.length + 1)}?` : ''
    const message = `spec.yaml.exclude: ${JSON.stringify(pattern)} matches nothing in ${path || '.'}. Patterns are relative to source.path${hint}`
    return {code: 'PATTERN_UNUSED', message}
  })
}

/** Says why an app has no object: what was left out, and what to do. */
export function explainEmpty(path: string, leftOut: LeftOut | undefined): RenderWarning {
  const parts = [...(leftOut?.by ?? [])].map(([rule, {files, folders}]) => `${count(files, folders)} by ${rule}`)
  const why =
    leftOut === undefined
      ? ''
      : parts.length === 0
        ? ` Folder ${path || '.'} holds no file that ends in .yaml, .yml or .json with an object in it.`
        : ` Left out of ${path || '.'} are ${parts.join(', ')}.`
  const message = `it renders no object.${why} A cluster that has objects of it keeps them; set sync.allowEmpty if they shall go`
  return {code: 'EMPTY_RENDER', message}
}

function count(files: number, folders: number): string {
  const words = [
    ...(files === 0 ? [] : [files === 1 ? '1 file' : `${files} files`]),
    ...(folders === 0 ? [] : [folders === 1 ? '1 folder' : `${folders} folders`]),
  ]
  return words.join(' and ')
}
