import type {JournalEvent} from '../model/journal-event.ts'

/** Takes what happens on the way of a push: a structured log line on AWS and in the agent, a line of `dev --json` locally. Never throws. */
export interface Journal {
  record(event: JournalEvent): void
}
