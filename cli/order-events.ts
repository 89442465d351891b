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
  const ordered = events.toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
  const groups = new Map<string, number[]>()
  for (const [index, {app, cluster, revision, event}] of ordered.entries()) {
    if (app === undefined || !ranks.includes(event)) continue
    const key = JSON.stringify([app, cluster, revision])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [index])
    else group.push(index)
  }
  // The stages of one revision take each other's places, and nothing else moves.
  for (const places of groups.values()) {
    const stages = places.flatMap((place) => ordered[place] ?? []).sort((a, b) => rankOf(a) - rankOf(b))
    for (const [index, stage] of stages.entries()) ordered[places[index] ?? 0] = stage
  }
  return ordered
}

function rankOf({event}: JournalEvent): number {
  return ranks.indexOf(event)
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
