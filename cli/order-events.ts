import type {JournalEvent} from '#shared/model/journal-event.ts'
import {STAGES} from '#shared/model/trace.ts'

/** Puts events of several processes into the order in which they happened. */
export interface EventOrder {
  add(event: JournalEvent): void
  /** Prints at once what is still held. */
  end(): void
}

const ranks: readonly string[] = STAGES

/**
 * Sorts events by when they happened, and the stages of one revision in a cluster by their order: an agent may see what was published
 * before the publisher is told that it was.
 */
export function orderEvents(events: readonly JournalEvent[]): JournalEvent[] {
  const ordered: JournalEvent[] = []
  for (const event of events.toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))) {
    const later = ordered.findIndex((other) => isLaterStage(other, event))
    ordered.splice(later < 0 ? ordered.length : later, 0, event)
  }
  return ordered
}

function isLaterStage(a: JournalEvent, b: JournalEvent): boolean {
  const isSame = a.app !== undefined && a.app === b.app && a.cluster === b.cluster && a.revision === b.revision
  const [rank, other] = [ranks.indexOf(a.event), ranks.indexOf(b.event)]
  return isSame && rank > other && other >= 0
}

/** Holds each event for `holdMilliseconds`, so that what happened before it and comes later is printed before it. */
export function createEventOrder(print: (event: JournalEvent) => void, holdMilliseconds: number): EventOrder {
  const until = new Map<JournalEvent, number>()
  let timer: NodeJS.Timeout | undefined
  const release = (now: number): void => {
    const held = orderEvents([...until.keys()])
    const last = held.findLastIndex((event) => (until.get(event) ?? 0) <= now)
    for (const event of held.slice(0, last + 1)) {
      until.delete(event)
      print(event)
    }
  }
  const wait = (): void => {
    const [next] = until.values()
    if (timer !== undefined || next === undefined) return
    timer = setTimeout(
      () => {
        timer = undefined
        release(Date.now())
        wait()
      },
      Math.max(1, next - Date.now()),
    )
  }
  return {
    add(event) {
      until.set(event, Date.now() + holdMilliseconds)
      wait()
    },
    end() {
      clearTimeout(timer)
      timer = undefined
      release(Number.POSITIVE_INFINITY)
    },
  }
}
