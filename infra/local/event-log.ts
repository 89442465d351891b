import type {JournalEvent} from '#shared/model/journal-event.ts'

/** Keeps the events of a bridge and waits for those to come. */
export interface EventLog {
  record(event: JournalEvent): void
  /** All events so far, in the order they came. */
  all(): readonly JournalEvent[]
  /** How many there are: hand it to `waitFor` to look only at what comes after. */
  mark(): number
  /** The first event from `since` (default 0) on that matches, once it is there. Rejects after `timeoutMilliseconds` and tells what was waited for. */
  waitFor(
    what: string,
    matches: (event: JournalEvent) => boolean,
    options?: {since?: number; timeoutMilliseconds?: number},
  ): Promise<JournalEvent>
}

const defaultTimeoutMilliseconds = 30_000

/** Makes an empty log. */
export function createEventLog(): EventLog {
  const events: JournalEvent[] = []
  const waiters = new Set<() => void>()
  return {
    record(event) {
      events.push(event)
      for (const wake of waiters) wake()
    },
    all: () => events,
    mark: () => events.length,
    waitFor(what, matches, {since = 0, timeoutMilliseconds = defaultTimeoutMilliseconds} = {}) {
      return new Promise((resolve, reject) => {
        let next = since
        const look = (): void => {
          for (; next < events.length; next++) {
            const event = events[next]
            if (event === undefined || !matches(event)) continue
            waiters.delete(look)
            clearTimeout(timer)
            resolve(event)
            return
          }
        }
        const timer = setTimeout(() => {
          waiters.delete(look)
          const last = events.slice(-12).map((event) => JSON.stringify(event))
          reject(new Error(`${what}: not within ${timeoutMilliseconds} ms; the last events:\n${last.join('\n')}`))
        }, timeoutMilliseconds)
        waiters.add(look)
        look()
      })
    },
  }
}
