/** Lists the first `most` of some things in words, and says how many more there are. */
export function listSome<T>(
  items: readonly T[],
  most: number,
  describe: (item: T) => string,
  separator: '; ' | ', ' = '; ',
): string {
  const shown = items.slice(0, most).map(describe).join(separator)
  const more = items.length - most
  return more > 0 ? `${shown}${separator === '; ' ? ';' : ''} and ${more} more` : shown
}
