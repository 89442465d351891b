/** A map that holds what was used last, up to a bound: what it forgets is only to be made or read anew. */
export interface BoundedMap<Key, Value> {
  get(key: Key): Value | undefined
  /** Keeps a value in place of what the key had. One that is larger than the whole bound is not kept. */
  set(key: Key, value: Value): void
  delete(key: Key): void
}

/** Creates a map whose values weigh `maxWeight` at most together, each what `weigh` says of it, or 1. */
export function createBoundedMap<Key, Value>(
  maxWeight: number,
  weigh: (value: Value) => number = () => 1,
): BoundedMap<Key, Value> {
  // A Map keeps the order of insertion: the first is the one not used for longest.
  const held = new Map<Key, {value: Value; weight: number}>()
  let total = 0
  const forget = (key: Key): void => {
    total -= held.get(key)?.weight ?? 0
    held.delete(key)
  }
  return {
    get(key) {
      const found = held.get(key)
      if (found === undefined) return undefined
      held.delete(key)
      held.set(key, found)
      return found.value
    },
    set(key, value) {
      forget(key)
      const weight = weigh(value)
      if (weight > maxWeight) return
      held.set(key, {value, weight})
      total += weight
      for (const [oldest] of held) {
        if (total <= maxWeight) break
        forget(oldest)
      }
    },
    delete: forget,
  }
}
