import type {ReportEvent} from '#shared/model/cluster-report.ts'

/** Lets the first events of a sort through and holds the rest back, to be told as one. */
export interface EventThinner {
  /** The events to tell now, in order; `nowMs` is of a monotonic clock. */
  admit(events: readonly ReportEvent[], nowMs: number): ReportEvent[]
  /** What is held back, one event for each sort. */
  release(): ReportEvent[]
  /** Whether anything is held back. */
  holds(): boolean
}

/** One incident may touch very many objects: so many of an app and a sort are told one by one in each window, then one for the rest. */
export const MAX_ALIKE = 10
const WINDOW_MS = 60_000

interface Window {
  since: number
  told: number
  held: number
  last?: ReportEvent
}

/** Creates the thinner: of one app and sort it tells at most `MAX_ALIKE` and one event a minute. */
export function createEventThinner(): EventThinner {
  const windows = new Map<string, Window>()

  function end(isOver: (window: Window) => boolean): ReportEvent[] {
    return [...windows].flatMap(([sort, window]) => {
      if (!isOver(window)) return []
      windows.delete(sort)
      return window.last === undefined ? [] : [summarize(window.last, window.held)]
    })
  }

  return {
    admit(events, nowMs) {
      const admitted = end(({since}) => nowMs - since >= WINDOW_MS)
      for (const event of events) {
        const sort = `${event.event} ${event.app ?? ''}`
        const window = windows.get(sort) ?? {since: nowMs, told: 0, held: 0}
        windows.set(sort, window)
        if (window.told < MAX_ALIKE) {
          window.told++
          admitted.push(event)
        } else {
          window.held++
          window.last = event
        }
      }
      return admitted
    },
    release: () => end(() => true),
    holds: () => [...windows.values()].some(({held}) => held > 0),
  }
}

function summarize(last: ReportEvent, count: number): ReportEvent {
  if (count === 1) return last
  const {object: _, ...rest} = last
  return {...rest, message: `${count} more like it; the last: ${last.message ?? last.event}`}
}
