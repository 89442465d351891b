/**
 * Finds the known name that was most likely meant: at most two edits away (one in names of up to four letters; an insertion, deletion,
 * substitution or swap of neighbours is one edit), or the same but for upper and lower case. The first of equally near ones; undefined where none is near.
 */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const folded = name.toLowerCase()
  const most = name.length <= 4 ? 1 : 2
  let nearest: {name: string; edits: number} | undefined
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) > most) continue
    const edits = countEdits(folded, candidate.toLowerCase())
    if (edits <= most && (nearest === undefined || edits < nearest.edits)) nearest = {name: candidate, edits}
  }
  return nearest?.name
}

// Damerau-Levenshtein distance in its restricted form (optimal string alignment): no piece is edited twice.
function countEdits(from: string, to: string): number {
  let beforeLast: number[] = []
  let last = Array.from({length: to.length + 1}, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const substitution = (last[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1)
      let least = Math.min(substitution, (last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1)
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      if (row > 1 && column > 1 && swapped) least = Math.min(least, (beforeLast[column - 2] ?? 0) + 1)
      current.push(least)
    }
    beforeLast = last
    last = current
  }
  return last[to.length] ?? 0
}
