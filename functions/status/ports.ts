import type {Clock} from '#shared/ports/clock.ts'
import type {CommitStatuses} from '#shared/ports/commit-statuses.ts'
import type {Journal} from '#shared/ports/journal.ts'
import type {ObjectStore} from '#shared/ports/object-store.ts'
import type {QueueSender} from '#shared/ports/queue.ts'

/** What keeping the status needs of the world. */
export interface StatusPorts {
  store: ObjectStore
  commitStatuses: CommitStatuses
  /** Takes one line of CloudWatch's embedded metric format, without its newline. */
  metrics: (line: string) => void
  deadLetters: QueueSender
  clock: Clock
  journal: Journal
}

export interface StatusConfig {
  /** ARN of the queue that only render and publish may send to: what comes from any other queue is a mere hint. */
  outcomeQueueArn: string
}
