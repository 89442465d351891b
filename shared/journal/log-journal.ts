import type {JournalEvent} from '../model/journal-event.ts'
import type {Journal} from '../ports/journal.ts'
import {escapeControls} from './escape-controls.ts'

/** Writes each event as one JSON line (without its newline) to `write`. What `write` throws is dropped: a journal never throws. */
export function createLogJournal(write: (line: string) => void): Journal {
  return {
    record: (event: JournalEvent) => {
      try {
        write(escapeControls(JSON.stringify(event)))
      } catch {
        // There is nobody left to tell.
      }
    },
  }
}
