/** Lets a number of tasks run at once, fewer when the server asks to slow down. */
export interface ConcurrencyLimit {
  /** Tasks of one lane cannot starve those of another: where all places are taken, a lane that has none gets one more, up to twice as many in all. */
  run<T>(task: () => Promise<T>, lane?: string): Promise<T>
  /** The server said that it is too much: half as many from now on. */
  throttled(): void
  /** How many may run at once now. */
  readonly width: number
}

const HALVE_AT_MOST_EVERY_MS = 500
const SUCCESSES_PER_STEP = 64

/**
 * Starts with `initial` at once; halves (down to 1) when throttled, at most twice a second, and widens by one with every 64
 * successes, up to `initial` again.
 */
export function createConcurrencyLimit(
  initial: number,
  nowMs: () => number = () => performance.now(),
): ConcurrencyLimit {
  let width = initial
  let running = 0
  let successes = 0
  let halvedAt = Number.NEGATIVE_INFINITY
  const byLane = new Map<string, number>()
  const waiting: {lane: string; start: () => void}[] = []

  const mayRun = (lane: string): boolean => running < width || (running < 2 * width && !byLane.has(lane))

  function enter(lane: string): void {
    running++
    byLane.set(lane, (byLane.get(lane) ?? 0) + 1)
  }

  function leave(lane: string): void {
    running--
    const left = (byLane.get(lane) ?? 1) - 1
    if (left === 0) byLane.delete(lane)
    else byLane.set(lane, left)
    for (;;) {
      const index = running < width ? 0 : waiting.findIndex((task) => mayRun(task.lane))
      const [next] = index < 0 ? [] : waiting.splice(index, 1)
      if (next === undefined) return
      enter(next.lane)
      next.start()
    }
  }

  return {
    async run(task, lane = '') {
      if (mayRun(lane)) enter(lane)
      else await new Promise<void>((start) => waiting.push({lane, start}))
      try {
        const result = await task()
        if (++successes % SUCCESSES_PER_STEP === 0 && width < initial) width++
        return result
      } finally {
        leave(lane)
      }
    },
    throttled() {
      if (nowMs() - halvedAt < HALVE_AT_MOST_EVERY_MS) return
      halvedAt = nowMs()
      width = Math.max(1, Math.floor(width / 2))
    },
    get width() {
      return width
    },
  }
}
