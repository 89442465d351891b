import type {TrustRoot} from '#shared/attest/trust-root.ts'
import type {TrackedRepository} from '#shared/model/tracked-repository.ts'
import type {Clock} from '#shared/ports/clock.ts'
import type {GitSource} from '#shared/ports/git-source.ts'
import type {Journal} from '#shared/ports/journal.ts'
import type {ObjectStore} from '#shared/ports/object-store.ts'
import type {ClusterQueues, QueueSender} from '#shared/ports/queue.ts'
import type {Signer} from '#shared/ports/signer.ts'
import type {DesiredMemory} from './desired-memory.ts'

/** What publishing needs of the world. */
export interface PublishPorts {
  store: ObjectStore
  git: GitSource
  signer: Signer
  /** What stored documents are checked against before they are built upon: the signer's own public key, and former ones while keys rotate. */
  trustRoot: () => Promise<TrustRoot>
  clusters: ClusterQueues
  statusQueue: QueueSender
  outcomes: QueueSender
  deadLetters: QueueSender
  clock: Clock
  journal: Journal
}

/** The ports of one publish function, and what it remembers between messages. */
export interface PublishMeans extends PublishPorts {
  memory: DesiredMemory
}

export interface PublishConfig {
  /** The declarations that are published; nothing is signed for another. */
  repositories: readonly TrackedRepository[]
  /** How long a desired state is valid; it is signed anew once less than half is left. Default: 604,800 (7 days). */
  desiredTtlSeconds?: number | undefined
}

export const DEFAULT_DESIRED_TTL_SECONDS = 7 * 24 * 3_600
