/**
 * Finds a way from a name over its dependencies back to itself: `[a, b, a]`. Undefined where there is none. Names that `dependenciesOf` does
 * not know have no dependencies.
 */
export function findCycle(start: string, dependenciesOf: (name: string) => readonly string[]): string[] | undefined {
  const seen = new Set<string>()
  const paths: string[][] = [[start]]
  for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
    for (const next of dependenciesOf(path.at(-1) ?? start)) {
      if (next === start) return [...path, next]
      if (seen.has(next)) continue
      seen.add(next)
      paths.push([...path, next])
    }
  }
  return undefined
}
