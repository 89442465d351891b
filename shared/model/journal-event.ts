import type {Stage} from './trace.ts'

/** Every event that is logged on the way of a push, on either side of the bridge. */
export type JournalEventName =
  | Exclude<Stage, 'pushed' | 'signed' | 'pulled'>
  | 'pulled'
  | 'signed'
  | 'skipped'
  | 'drifted'
  | 'healed'
  | 'pruned'
  | 'refused'
  | 'warned'
  | 'failed'
  | 'removed'
  | 'rolledback'
  | 'suspended'
  | 'resumed'

/**
 * One event in the life of a push: what the functions and the agent log as one JSON line each, and what `drawbridge dev --json`
 * prints. `at` is RFC 3339 in UTC. Holds no Secret value.
 */
export interface JournalEvent {
  event: JournalEventName
  at: string
  repository?: string
  ref?: string
  commit?: string
  cluster?: string
  app?: string
  revision?: string
  /** `refKey` of the object that it is about. */
  object?: string
  /** An error's or a warning's code, for refused, failed and warned. */
  code?: string
  message?: string
  version?: number
  traceparent?: string
}
