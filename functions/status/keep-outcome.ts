import {keys} from '#shared/model/keys.ts'
import {limits} from '#shared/model/limits.ts'
import {isInRange} from '#shared/model/name-range.ts'
import {type Finding, type Outcome, outcomeSchema} from '#shared/model/outcome.ts'
import type {ObjectStore} from '#shared/ports/object-store.ts'
import {StatusError} from './status-error.ts'

const MAX_TRIES = 5

const MAX_FINDINGS = 200

/**
 * Keeps the latest outcome of each declaration, so that whoever asks how apps fare also learns of a commit that never became one;
 * returns what is kept now. Of two the one that was rendered later stays, whatever order they come in; one of a range of names
 * takes the place of that range only. Rejects with `StatusError` CONTENTION.
 */
export async function keepOutcome(store: ObjectStore, outcome: Outcome): Promise<Outcome> {
  const key = keys.outcome(outcome)
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const found = await store.get(key, {maxBytes: limits.maxMessageBytes * 2})
    const stored = typeof found === 'string' ? undefined : found
    const kept = stored === undefined ? undefined : parseOutcome(stored.bytes)
    const next = mergeOutcomes(kept, outcome)
    if (next === kept) return next
    if ((await store.swap(key, Buffer.from(JSON.stringify(next)), stored?.etag)) !== 'conflict') return next
  }
  throw new StatusError('CONTENTION', `others keep writing the outcome of ${outcome.repository} ${outcome.ref}`)
}

function mergeOutcomes(kept: Outcome | undefined, outcome: Outcome): Outcome {
  if (kept === undefined) return outcome
  const isOlder = renderedAt(kept) > renderedAt(outcome)
  const {range} = outcome
  if (range === undefined || kept.commit !== outcome.commit) return isOlder ? kept : outcome
  const isOther = ({app}: Finding): boolean => app !== undefined && !isInRange(app, range)
  const others = kept.findings.filter(isOther)
  // The newest first: it is what is told in full.
  const findings = [...outcome.findings, ...others].slice(0, MAX_FINDINGS)
  const warnings = [...(kept.warnings ?? []).filter(isOther), ...(outcome.warnings ?? [])].slice(0, MAX_FINDINGS)
  return {
    ...outcome,
    findings,
    ...(warnings.length === 0 ? {} : {warnings}),
    trace: isOlder ? kept.trace : outcome.trace,
  }
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
