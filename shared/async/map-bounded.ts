/**
 * Maps items through an async function, at most `concurrency` at a time, and keeps their order. The first rejection rejects the
 * whole, and no further item is begun.
 */
export async function mapBounded<Item, Result>(
  items: readonly Item[],
  concurrency: number,
  map: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results = new Array<Result>(items.length)
  const entries = items.entries()
  let isFailed = false
  const work = async (): Promise<void> => {
    for (const [index, item] of entries) {
      if (isFailed) return
      try {
        results[index] = await map(item, index)
      } catch (error) {
        isFailed = true
        throw error
      }
    }
  }
  await Promise.all(Array.from({length: Math.min(concurrency, items.length)}, work))
  return results
}
