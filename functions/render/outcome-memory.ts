import {canonicalJson} from '#shared/bundle/canonical-json.ts'
import {digestOf} from '#shared/model/digest.ts'
import type {Outcome} from '#shared/model/outcome.ts'

/** Remembers what was last said of each ref, so that a sweep that finds the same as before says nothing again. Lost with the process, harmlessly. */
export interface OutcomeMemory {
  /** Tells whether this was the last outcome said of its ref, and remembers it. */
  isRepeated(outcome: Outcome): boolean
}

const maxRemembered = 1000

export function createOutcomeMemory(): OutcomeMemory {
  const last = new Map<string, string>()
  return {
    isRepeated({repository, ref, commit, findings}) {
      const key = `${repository} ${ref}`
      const digest = digestOf(canonicalJson({commit, findings}))
      const isRepeated = last.get(key) === digest
      last.delete(key)
      last.set(key, digest)
      const oldest = last.keys().next()
      if (last.size > maxRemembered && !oldest.done) last.delete(oldest.value)
      return isRepeated
    },
  }
}
