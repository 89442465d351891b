import type {TrackedRepository} from '#shared/model/tracked-repository.ts'
import type {Clock} from '#shared/ports/clock.ts'
import type {GitSource} from '#shared/ports/git-source.ts'
import type {Journal} from '#shared/ports/journal.ts'
import type {ObjectStore} from '#shared/ports/object-store.ts'
import type {QueueSender} from '#shared/ports/queue.ts'
import type {RenderPool} from './box/render-pool.ts'

/** What the render function works with. */
export interface RenderPorts {
  store: ObjectStore
  git: GitSource
  publishQueue: QueueSender
  /** The queue that it reads itself: for what is left when its time is over. */
  renderQueue: QueueSender
  outcomes: QueueSender
  deadLetters: QueueSender
  renderers: RenderPool
  clock: Clock
  journal: Journal
}

export interface RenderConfig {
  repositories: readonly TrackedRepository[]
  /**
   * After how long no further app is begun, and the rest is left to a message of its own. One app may take `limits.renderTimeoutSeconds`
   * beyond it, and the repository must be fetched within it.
   * @default none
   */
  timeBudgetSeconds?: number | undefined
}
