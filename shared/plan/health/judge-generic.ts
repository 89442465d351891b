import {childObject, isJsonObject, type JsonObject} from '../../model/manifest.ts'
import {judgeCounts} from './judge-counts.ts'
import {judgePhases} from './judge-phases.ts'
import {
  asNumber,
  type Condition,
  current,
  describeCondition,
  failed,
  inProgress,
  type ObjectHealth,
  readConditions,
} from './read-status.ts'
import {
  doneWords,
  failureTypeWords,
  failureWords,
  hasWord,
  progressPhases,
  splitWords,
  summaryConditions,
  summaryTypeWords,
} from './words.ts'

/**
 * Judges a kind without a rule of its own: as kstatus does by its `Ready` condition, and where there is none by what the API conventions and common
 * usage let one read from other conditions, counts and one-word fields. Without any of those it counts as Current, since many kinds have no status.
 */
export function judgeGeneric(object: JsonObject): ObjectHealth {
  if (childObject(object, 'status') === undefined) return current('the object is there; it has no status')
  const judged = judgeStatus(object)
  if (judged.health !== 'InProgress' || childObject(object, 'spec')?.suspend !== true) return judged
  return current(`suspended, as its spec asks; before that: ${judged.reason}`)
}

function judgeStatus(object: JsonObject): ObjectHealth {
  const conditions = [...readConditions(object), ...readNestedConditions(object)].map(readNotReady)
  const failure = conditions.find((condition) => condition.status === 'True' && isFailureType(condition.type))
  if (failure !== undefined) return failed(describeCondition(failure))

  const ready = conditions.find((condition) => condition.type === 'Ready')
  const refused = conditions.find(
    (condition) => tellsFailure(condition) && (ready === undefined || condition.type === 'Synced'),
  )
  if (refused !== undefined) return failed(describeCondition(refused))
  if (ready !== undefined && ready.status !== 'True') return judgeSummary(object, ready)
  const phase = judgePhases(object)
  if (phase?.health === 'Failed') return phase
  if (ready !== undefined) return judgeSummary(object, ready)
  return judgeWithoutReady(object, conditions, phase)
}

function judgeWithoutReady(object: JsonObject, conditions: Condition[], phase: ObjectHealth | undefined): ObjectHealth {
  if (phase !== undefined && phase.health !== 'Current') return phase
  const progressing = conditions.find((condition) => condition.type === 'Progressing')
  if (progressing !== undefined && progressing.status !== 'False' && !hasWord(progressing.reason, doneWords)) {
    return inProgress(describeCondition(progressing))
  }
  const summaries = conditions.filter((condition) => isSummaryType(condition.type))
  const pending = summaries.find((condition) => condition.status !== 'True')
  if (pending !== undefined) return judgeSummary(object, pending)
  const counts = judgeCounts(object)
  if (counts !== undefined) return counts
  const summary = summaryConditions.flatMap((type) => summaries.filter((condition) => condition.type === type))[0]
  if (summary !== undefined) return judgeSummary(object, summary)
  const working = conditions.find((condition) => condition.status === 'True' && isProgressType(condition.type))
  if (working !== undefined) return inProgress(describeCondition(working))
  if (phase !== undefined) return phase
  const empty = findEmptyReport(object)
  return empty !== undefined
    ? inProgress(`its controller has reported no ${empty} yet`)
    : current('the object is there; its status tells nothing else')
}

function judgeSummary(object: JsonObject, condition: Condition): ObjectHealth {
  const generation = asNumber(childObject(object, 'metadata')?.generation)
  const {observedGeneration} = condition
  if (generation !== undefined && observedGeneration !== undefined && observedGeneration < generation) {
    return inProgress(
      `condition ${condition.type} is of generation ${observedGeneration}, the object is at ${generation}`,
    )
  }
  const said = describeCondition(condition)
  if (condition.status === 'True') return current(said)
  return tellsFailure(condition) ? failed(said) : inProgress(said)
}

// Some say `NotReady: True` in place of `Ready: False`.
function readNotReady(condition: Condition): Condition {
  return condition.type === 'NotReady' && condition.status === 'True'
    ? {...condition, type: 'Ready', status: 'False'}
    : condition
}

// A route has a list of conditions for each of its parents (Gateway API), or for each of its routers. What one of them last said of an older generation, while others
// speak of the present one, no longer counts.
function readNestedConditions(object: JsonObject): Condition[] {
  const lists = Object.values(childObject(object, 'status') ?? {}).filter((value) => Array.isArray(value))
  const conditions = lists
    .flat()
    .filter(isJsonObject)
    .flatMap((status) => readConditions({status}))
  const present = childObject(object, 'metadata')?.generation
  const isPresent = ({observedGeneration}: Condition): boolean => observedGeneration === present
  return conditions.some(isPresent) ? conditions.filter(isPresent) : conditions
}

// A list that a controller fills for each object, and that is there but still empty; without such a sign nothing is waited for, as many kinds never report.
function findEmptyReport(object: JsonObject): string | undefined {
  const status = childObject(object, 'status')
  return ['conditions', 'parents', 'ancestors'].find((key) => {
    const list = status?.[key]
    return Array.isArray(list) && list.length === 0
  })
}

function tellsFailure(condition: Condition): boolean {
  if (condition.status !== 'False' || isFailureType(condition.type)) return false
  if (condition.severity === 'Error') return true
  if (/not(found|exists?)$/i.test(condition.reason)) return true
  return hasWord(condition.reason, failureWords) || hasWord(condition.message, failureWords)
}

function isProgressType(type: string): boolean {
  return progressPhases.has(type.toLowerCase())
}

function isFailureType(type: string): boolean {
  const words = splitWords(type)
  return failureTypeWords.has(words.at(-1) ?? '') || failureTypeWords.has(words[0] ?? '')
}

function isSummaryType(type: string): boolean {
  return summaryConditions.includes(type) || summaryTypeWords.has(splitWords(type).at(-1) ?? '')
}
