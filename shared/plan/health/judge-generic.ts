import {childObject, isJsonObject, type JsonObject} from '../../model/manifest.ts'
import {judgeCounts} from './judge-counts.ts'
import {judgePhases} from './judge-phases.ts'
import {
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
  splitWords,
  summaryConditions,
  summaryTypeWords,
} from './words.ts'

/**
 * Judges a kind without a rule of its own: as kstatus does by its `Ready` condition, and where there is none by what the API conventions and common
 * usage let one read from other conditions, counts and one-word fields. Without any of those it counts as Current, since many kinds have no status.
 */
export function judgeGeneric(object: JsonObject): ObjectHealth {
  const conditions = [...readConditions(object), ...readNestedConditions(object)].map(readNotReady)
  const failure = conditions.find((condition) => condition.status === 'True' && isFailureType(condition.type))
  if (failure !== undefined) return failed(describeCondition(failure))

  const ready = conditions.find((condition) => condition.type === 'Ready')
  if (ready !== undefined && ready.status !== 'True') return judgeSummary(object, ready)
  const refused = conditions.find(
    (condition) => tellsFailure(condition) && (ready === undefined || condition.type === 'Synced'),
  )
  if (refused !== undefined) return failed(describeCondition(refused))
  const phase = judgePhases(object)
  if (phase?.health === 'Failed') return phase
  if (ready !== undefined) return judgeSummary(object, ready)
  return judgeWithoutReady(object, conditions, phase)
}

function judgeWithoutReady(object: JsonObject, conditions: Condition[], phase: ObjectHealth | undefined): ObjectHealth {
  if (phase !== undefined && phase.health !== 'Current') return phase
  const progressing = conditions.find((condition) => condition.type === 'Progressing')
  if (progressing?.status === 'True' && !hasWord(progressing.reason, doneWords)) {
    return inProgress(describeCondition(progressing))
  }
  const summaries = conditions.filter((condition) => isSummaryType(condition.type))
  const pending = summaries.find((condition) => condition.status !== 'True')
  if (pending !== undefined) return judgeSummary(object, pending)
  const counts = judgeCounts(object)
  if (counts !== undefined) return counts
  const summary = summaryConditions.flatMap((type) => summaries.filter((condition) => condition.type === type))[0]
  if (summary !== undefined) return judgeSummary(object, summary)
  return phase ?? current('the object is there; its status tells nothing else')
}

function judgeSummary(object: JsonObject, condition: Condition): ObjectHealth {
  const generation = childObject(object, 'metadata')?.generation
  const {observedGeneration} = condition
  if (typeof generation === 'number' && observedGeneration !== undefined && observedGeneration < generation) {
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

// A route has a list of conditions for each of its parents (Gateway API), or for each of its routers.
function readNestedConditions(object: JsonObject): Condition[] {
  const lists = Object.values(childObject(object, 'status') ?? {}).filter((value) => Array.isArray(value))
  return lists
    .flat()
    .filter(isJsonObject)
    .flatMap((status) => readConditions({status}))
}

function tellsFailure(condition: Condition): boolean {
  if (condition.status !== 'False' || isFailureType(condition.type)) return false
  if (condition.severity === 'Error') return true
  return hasWord(condition.reason, failureWords) || hasWord(condition.message, failureWords)
}

function isFailureType(type: string): boolean {
  const words = splitWords(type)
  return failureTypeWords.has(words.at(-1) ?? '') || failureTypeWords.has(words[0] ?? '')
}

function isSummaryType(type: string): boolean {
  return summaryConditions.includes(type) || summaryTypeWords.has(splitWords(type).at(-1) ?? '')
}
