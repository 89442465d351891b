/**
 * Tells whether a list allows one of some spellings of a name: one pattern of it matches, and none that begins with `!`. `*` stands for
 * any characters but `/`, `**` for any; the pattern `*` alone for everything. An absent list allows everything.
 */
export function isAllowed(list: readonly string[] | undefined, ...spellings: readonly string[]): boolean {
  if (list === undefined) return true
  const matches = (pattern: string) => spellings.some((name) => matchesPattern(pattern, name))
  const isForbidden = list.some((pattern) => pattern.startsWith('!') && matches(pattern.slice(1)))
  return !isForbidden && list.some((pattern) => !pattern.startsWith('!') && matches(pattern))
}

/** Takes time in proportion to both lengths, whatever the pattern. */
export function matchesPattern(pattern: string, name: string): boolean {
  if (pattern === '*') return true
  const parts = pattern.match(/\*\*|./gsu) ?? []
  const characters = [...name]
  // Which beginnings of the name the parts so far match, by their length.
  let reached = new Array<boolean>(characters.length + 1).fill(false)
  reached[0] = true
  for (const part of parts) {
    const next = new Array<boolean>(characters.length + 1).fill(false)
    const isStar = part === '*' || part === '**'
    for (let length = 0; length <= characters.length; length++) {
      const last = characters[length - 1]
      if (isStar) {
        const grows = length > 0 && next[length - 1] === true && (part === '**' || last !== '/')
        next[length] = reached[length] === true || grows
      } else next[length] = length > 0 && reached[length - 1] === true && last === part
    }
    reached = next
  }
  return reached[characters.length] === true
}
