import type {JournalEvent} from '#shared/model/journal-event.ts'
import {formatRef, parseRefKey} from '#shared/model/object-ref.ts'
import {shortRevision} from './format-revision.ts'
import {type CliIo, paint} from './io.ts'

/** One event as a line for people: time, what, where, and the message. */
export function formatEvent(io: CliIo, event: JournalEvent): string {
  const ref = event.object === undefined ? undefined : parseRefKey(event.object)
  const parts = [
    event.at.slice(11, 23),
    paintEvent(io, event),
    [event.cluster, event.app].filter((part) => part !== undefined).join('/'),
    event.revision === undefined ? event.commit?.slice(0, 7) : shortRevision(event.revision),
    ref === undefined ? event.object : formatRef(ref),
    event.code,
    event.message,
  ]
  return parts.filter((part) => part !== undefined && part !== '').join('  ')
}

function paintEvent(io: CliIo, {event}: JournalEvent): string {
  const word = event.padEnd(9)
  if (event === 'failed' || event === 'refused') return paint(io, 'red', word)
  if (event === 'drifted') return paint(io, 'yellow', word)
  if (event === 'healthy' || event === 'healed') return paint(io, 'green', word)
  return word
}
