import {canonicalJson} from '#shared/bundle/canonical-json.ts'
import {digestOf} from '#shared/model/digest.ts'
import type {Outcome} from '#shared/model/outcome.ts'
import type {ConfigCache} from './read-config.ts'

/** What the function remembers between messages, to do less: lost with the process, harmlessly. */
export interface RenderMemory {
  configs: ConfigCache
  /** Tells whether this was the last outcome said of its ref, and remembers it: so that a sweep that finds the same as before says nothing again. */
  isRepeated(outcome: Outcome): boolean
  /** Tells whether the last outcome of this very commit had findings, and this one has none. Remembers nothing. */
  isMended(outcome: Outcome): boolean
}

const maxRemembered = 1000

export function createRenderMemory(): RenderMemory {
  const last = new Map<string, {digest: string; commit: string; isFailure: boolean}>()
  return {
    configs: new Map(),
    isRepeated({repository, ref, commit, findings}) {
      const key = `${repository} ${ref}`
      const digest = digestOf(canonicalJson({commit, findings}))
      const isRepeated = last.get(key)?.digest === digest
      last.delete(key)
      last.set(key, {digest, commit, isFailure: findings.length > 0})
      const oldest = last.keys().next()
      if (last.size > maxRemembered && !oldest.done) last.delete(oldest.value)
      return isRepeated
    },
    isMended({repository, ref, commit, findings}) {
      const before = last.get(`${repository} ${ref}`)
      return findings.length === 0 && before?.commit === commit && before.isFailure
    },
  }
}
