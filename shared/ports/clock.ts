/** Tells the time. Handed in wherever time decides something, so that tests can hold it. */
export interface Clock {
  now(): Date
}

/** The machine's own clock. */
export const systemClock: Clock = {now: () => new Date()}
