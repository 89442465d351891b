import {canonicalJson} from '#shared/bundle/canonical-json.ts'
import {type BoundedMap, createBoundedMap} from '#shared/memory/bounded-map.ts'
import {digestOf} from '#shared/model/digest.ts'
import type {Outcome} from '#shared/model/outcome.ts'
import {createInputsMemory, type InputsMemory} from './inputs-memory.ts'
import type {Head} from './open-sources.ts'
import {type ConfigCache, createConfigCache} from './read-config.ts'
import type {HintMemory} from './read-desired-hints.ts'
import type {SettledHead} from './settled-heads.ts'

/** What the function remembers between messages, to do less: lost with the process, harmlessly. */
export interface RenderMemory {
  configs: ConfigCache
  hints: HintMemory
  /** Declarations of which nothing is left to do, by `declarationKey`. */
  settled: BoundedMap<string, SettledHead>
  /** Where each tracked declaration stood last, by `trackedKey`. */
  heads: BoundedMap<string, Head>
  inputs: InputsMemory
  /** Tells whether this was the last outcome said of its ref: so that a sweep that finds the same as before says nothing again. */
  isRepeated(outcome: Outcome): boolean
  /** Remembers an outcome that was sent. */
  remember(outcome: Outcome): void
  /** Notes that the rest of a declaration's head was left to a message, or that nothing of it is left. */
  noteRest(head: Head, left: 'left' | 'done', now: Date): void
  /** Tells whether the rest of a declaration's head was left to a message lately, so that a sweep does not begin the same beside it. */
  isUnderWay(head: Head, now: Date): boolean
  /** Tells whether the last outcome of this very commit had findings, and this one has none. */
  isMended(outcome: Outcome): boolean
}

const maxRemembered = 1000
/** Of envelopes; in memory a desired state takes several times as much. */
const MAX_HINT_BYTES = 48 * 1024 * 1024

/** How long a message is waited for before it counts as lost. */
const MAX_WAIT_MILLISECONDS = 10 * 60_000

export function createRenderMemory(): RenderMemory {
  const last = new Map<string, {digest: string; commit: string; isFailure: boolean}>()
  const rests = new Map<string, number>()
  return {
    configs: createConfigCache(),
    hints: createBoundedMap(MAX_HINT_BYTES, ({bytes}) => bytes),
    settled: createBoundedMap(maxRemembered),
    heads: createBoundedMap(maxRemembered),
    inputs: createInputsMemory(),
    isRepeated: (outcome) => last.get(keyOf(outcome))?.digest === digestOutcome(outcome),
    remember(outcome) {
      const key = keyOf(outcome)
      last.delete(key)
      last.set(key, {digest: digestOutcome(outcome), commit: outcome.commit, isFailure: outcome.findings.length > 0})
      const oldest = last.keys().next()
      if (last.size > maxRemembered && !oldest.done) last.delete(oldest.value)
    },
    isMended(outcome) {
      const before = last.get(keyOf(outcome))
      return outcome.findings.length === 0 && before?.commit === outcome.commit && before.isFailure
    },
    noteRest({repository, ref, commit}, left, now) {
      const key = `${repository} ${ref} ${commit}`
      rests.delete(key)
      if (left === 'left') rests.set(key, now.getTime())
      const oldest = rests.keys().next()
      if (rests.size > maxRemembered && !oldest.done) rests.delete(oldest.value)
    },
    isUnderWay({repository, ref, commit}, now) {
      const at = rests.get(`${repository} ${ref} ${commit}`)
      return at !== undefined && now.getTime() - at < MAX_WAIT_MILLISECONDS
    },
  }
}

function keyOf({repository, ref}: Outcome): string {
  return `${repository} ${ref}`
}

function digestOutcome({commit, range, findings}: Outcome): string {
  return digestOf(canonicalJson({commit, range: range ?? null, findings}))
}
