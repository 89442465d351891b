import {keys} from '#shared/model/keys.ts'
import {limits} from '#shared/model/limits.ts'
import {type Outcome, outcomeSchema} from '#shared/model/outcome.ts'
import type {ObjectStore} from '#shared/ports/object-store.ts'
import {StatusError} from './status-error.ts'

const MAX_TRIES = 5

/**
 * Keeps the latest outcome of each declaration, so that whoever asks how apps fare also learns of a commit that never became one.
 * Of two the one that was rendered later stays, whatever order they come in. Rejects with `StatusError` CONTENTION.
 */
export async function keepOutcome(store: ObjectStore, outcome: Outcome): Promise<void> {
  const key = keys.outcome(outcome)
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const found = await store.get(key, {maxBytes: limits.maxMessageBytes * 2})
    const stored = typeof found === 'string' ? undefined : found
    const kept = stored === undefined ? undefined : parseOutcome(stored.bytes)
    if (kept !== undefined && renderedAt(kept) > renderedAt(outcome)) return
    if ((await store.swap(key, Buffer.from(JSON.stringify(outcome)), stored?.etag)) !== 'conflict') return
  }
  throw new StatusError('CONTENTION', `others keep writing the outcome of ${outcome.repository} ${outcome.ref}`)
}

function renderedAt({trace}: Outcome): string {
  return trace.stages.rendered ?? ''
}

function parseOutcome(bytes: Uint8Array): Outcome | undefined {
  try {
    return outcomeSchema.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8'))).data
  } catch {
    return undefined
  }
}
