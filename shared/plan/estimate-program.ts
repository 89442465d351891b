/**
 * Estimates, without compiling it, how many instructions an RE2 pattern makes: never fewer than half of what it does. Infinity for what is not
 * estimated: `\\Q`, `\\p` and patterns of more than 4,096 characters.
 */
export function estimateProgram(pattern: string): number {
  if (pattern.length > MAX_LENGTH) return Number.POSITIVE_INFINITY
  // What each open group holds, and in each the last atom, which a repetition multiplies.
  const groups: {size: number; last: number}[] = [{size: 0, last: 0}]
  for (let at = 0; at < pattern.length; at++) {
    const group = groups.at(-1) ?? {size: 0, last: 0}
    const atom = (size: number): void => {
      group.size += size
      group.last = size
    }
    switch (pattern[at]) {
      case '\\': {
        if (/[QpP]/.test(pattern[at + 1] ?? '')) return Number.POSITIVE_INFINITY
        at++
        atom(1)
        break
      }
      case '[': {
        const end = endOfClass(pattern, at)
        if (/\\[pP]/.test(pattern.slice(at, end))) return Number.POSITIVE_INFINITY
        at = end
        atom(1)
        break
      }
      case '(':
        groups.push({size: 2, last: 0})
        break
      case ')': {
        if (groups.length === 1) break
        groups.pop()
        const outer = groups.at(-1)
        if (outer === undefined) break
        outer.size += group.size
        outer.last = group.size
        break
      }
      case '{': {
        repeat.lastIndex = at
        const found = repeat.exec(pattern)
        if (found === null) {
          atom(1)
          break
        }
        const [, least = '', most] = found
        // Without an end it is a loop after them.
        const times = most === '' ? Number(least) + 1 : Number(most ?? least)
        // An optional part needs one more to be left out.
        const repeated = times * (group.last + 1)
        group.size += repeated
        group.last += repeated
        at += found[0].length - 1
        break
      }
      default:
        // What is repeated stays the last.
        if (/[*+?]/.test(pattern[at] ?? '')) {
          group.size += 1
          group.last += 1
        } else atom(1)
    }
  }
  return groups.reduce((sum, {size}) => sum + size, 2)
}

const MAX_LENGTH = 4_096
const repeat = /\{(\d{1,6})(?:,(\d{0,6}))?\}/y

/** Where a class of characters ends: a `]` that comes first is one of them, and `[:alpha:]` is part of it. */
function endOfClass(pattern: string, start: number): number {
  let at = start + 1
  if (pattern[at] === '^') at++
  if (pattern[at] === ']') at++
  for (; at < pattern.length && pattern[at] !== ']'; at++) {
    if (pattern[at] === '\\') at++
    else if (pattern.startsWith('[:', at)) {
      const end = pattern.indexOf(':]', at + 2)
      if (end > 0) at = end + 1
    }
  }
  return at
}
