export interface MemoizeOptions {
  /** How long a result is kept. Default: for ever. */
  ttlMilliseconds?: number
  now?: () => number
}

/** Runs `make` once for all callers and keeps its result; a rejection is not kept, so the next call tries again. */
export function memoizeAsync<Result>(
  make: () => Promise<Result>,
  {ttlMilliseconds = Number.POSITIVE_INFINITY, now = () => performance.now()}: MemoizeOptions = {},
): () => Promise<Result> {
  let made: {at: number; result: Promise<Result>} | undefined
  return () => {
    if (made !== undefined && now() - made.at < ttlMilliseconds) return made.result
    const fresh = {at: now(), result: make()}
    made = fresh
    fresh.result.catch(() => {
      if (made === fresh) made = undefined
    })
    return fresh.result
  }
}
