/** GitHub shows 140 characters of a commit status. */
const MAX_CHARACTERS = 140

/** One failing app, or what failed that is no single app's. */
export interface Failure {
  app: string | undefined
  /** In full, the app's name included. */
  words: string
}

/**
 * Writes failures for a commit status: the first in full, the other apps by name, as many as fit, and how many there are. Counts in
 * characters (code points), the limit of the git host.
 */
export function nameFailures(failures: readonly Failure[]): string {
  const [first] = failures
  if (first === undefined) return ''
  const others = [...new Set(failures.slice(1).map(({app}) => app))].filter(
    (app) => app !== first.app || app === undefined,
  )
  const names = others.filter((app) => app !== undefined)
  const words = oneLine(first.words)
  const more = describeOthers(names, others.length - names.length, MAX_CHARACTERS - Math.min(lengthOf(words), 70))
  const room = MAX_CHARACTERS - lengthOf(more)
  return `${lengthOf(words) <= room ? words : `${[...words].slice(0, room - 1).join('')}…`}${more}`
}

/** `; also failing (3): api, web and 1 more`, as many names as there is room for. */
function describeOthers(names: readonly string[], nameless: number, room: number): string {
  const total = names.length + nameless
  if (total === 0) return ''
  for (let shown = names.length; shown > 0; shown--) {
    const left = total - shown
    const text = `; also failing (${total}): ${names.slice(0, shown).join(', ')}${left === 0 ? '' : ` and ${left} more`}`
    if (lengthOf(text) <= room) return text
  }
  return `; also failing: ${total} more`
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

function lengthOf(text: string): number {
  return [...text].length
}
