/** How the heals of one object went. Times are of a monotonic clock, in milliseconds. */
export interface HealRecord {
  /** Of the latest heals. */
  times: number[]
  /** The last pause for a fight; 0 where there was none, or peace since. */
  pauseMs: number
  /** When that pause ends. */
  pausedUntil: number
  /** Heals that failed, one after the other. */
  failures: number
}

const FIGHT_HEALS = 5
const FIGHT_WINDOW_MS = 60_000
const FIRST_PAUSE_MS = 30_000
const MAX_PAUSE_MS = 600_000
const FIRST_RETRY_MS = 1_000
const MAX_RETRY_MS = 300_000

/** A record of nothing. */
export function createHealRecord(): HealRecord {
  return {times: [], pauseMs: 0, pausedUntil: 0, failures: 0}
}

/**
 * Notes that an object is about to be healed, and tells how long to wait first. Somebody fights who changes it back more than five times a
 * minute, or soon after a pause: then each pause is twice as long as the last, up to ten minutes.
 */
export function noteHeal(record: HealRecord, nowMs: number): number {
  record.times = [...record.times.filter((at) => nowMs - at < FIGHT_WINDOW_MS), nowMs]
  const isUndoneAgain = record.pauseMs > 0 && nowMs - record.pausedUntil < Math.max(record.pauseMs, FIGHT_WINDOW_MS)
  if (record.times.length <= FIGHT_HEALS && !isUndoneAgain) {
    record.pauseMs = 0
    return 0
  }
  record.pauseMs = Math.min(MAX_PAUSE_MS, Math.max(FIRST_PAUSE_MS, 2 * record.pauseMs))
  record.pausedUntil = nowMs + record.pauseMs
  return record.pauseMs
}

/** Notes that a heal failed, and tells when to try again. */
export function noteFailure(record: HealRecord): number {
  return Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** record.failures++)
}

/** Tells whether a record says no more than none would. */
export function isOutdated({times, pauseMs, pausedUntil, failures}: HealRecord, nowMs: number): boolean {
  const last = Math.max(pausedUntil, ...times)
  return failures === 0 && nowMs - last > Math.max(pauseMs, FIGHT_WINDOW_MS)
}
