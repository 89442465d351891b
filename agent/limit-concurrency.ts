/** Lets a number of tasks run at once, fewer when the server asks to slow down. */
export interface ConcurrencyLimit {
  run<T>(task: () => Promise<T>): Promise<T>
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
  const waiting: (() => void)[] = []

  function release(): void {
    running--
    while (running < width) {
      const next = waiting.shift()
      if (next === undefined) return
      running++
      next()
    }
  }

  return {
    async run(task) {
      if (running < width) running++
      else await new Promise<void>((resolve) => waiting.push(resolve))
      try {
        const result = await task()
        if (++successes % SUCCESSES_PER_STEP === 0 && width < initial) width++
        return result
      } finally {
        release()
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
