/**
 * Says why a text is no glob pattern of a file or folder, in words that follow "is"; undefined where it is one. Brackets and braces must
 * be closed, and there is no negation: what begins with `!` belongs into an ignore file.
 */
export function describeBadGlob(pattern: string): string | undefined {
  if (pattern.startsWith('!')) return 'a negation, which is not known here: use a .drawbridgeignore for it'
  if (pattern.includes('\0')) return 'no name of a file: it holds a NUL'
  if (pattern.endsWith('\\')) return 'no glob pattern: a backslash ends it'
  if (pattern.split('/').every((part) => part === '' || part === '.')) return 'no name of a file or folder'
  if (pattern.split('/').includes('..')) return 'a path that leaves its folder: patterns are relative to source.path'
  const open = findOpen(pattern)
  return open === undefined ? undefined : `no glob pattern: ${open} is not closed`
}

/** A bracket that nothing closes. Within `[…]` nothing else counts, and a `]` right at its beginning is of the class. */
function findOpen(pattern: string): '[' | '{' | undefined {
  let braces = 0
  for (let at = 0; at < pattern.length; at++) {
    const letter = pattern[at]
    if (letter === '\\') at += 1
    else if (letter === '{') braces += 1
    else if (letter === '}' && braces > 0) braces -= 1
    else if (letter === '[') {
      const first = pattern[at + 1] === '!' || pattern[at + 1] === '^' ? at + 2 : at + 1
      const end = pattern.indexOf(']', first + 1)
      if (end < 0) return '['
      at = end
    }
  }
  return braces > 0 ? '{' : undefined
}
