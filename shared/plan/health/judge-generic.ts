import {childObject, type JsonObject} from '../../model/manifest.ts'
import {
  type Condition,
  current,
  describeCondition,
  failed,
  inProgress,
  type ObjectHealth,
  readConditions,
  readText,
} from './read-status.ts'
import {failedPhases, failureTypeWords, failureWords, progressPhases, summaryConditions, wordFields} from './words.ts'

/**
 * Judges a kind without a rule of its own, as kstatus does by its `Ready` condition, and where there is none or where it isn't True by what the API
 * conventions and common usage let one read from other conditions and one-word fields. Without any of those it counts as Current, since many kinds have no status.
 */
export function judgeGeneric(object: JsonObject): ObjectHealth {
  const conditions = readConditions(object)
  const failure = conditions.find((condition) => condition.status === 'True' && isFailureType(condition.type))
  if (failure !== undefined) return failed(describeCondition(failure))
  const ready = conditions.find((condition) => condition.type === 'Ready')
  if (ready !== undefined) return judgeSummary(object, ready)

  const word = readPhase(object)
  if (word !== undefined && word.health !== 'Current') return word
  const summaries = summaryConditions.flatMap((type) => conditions.filter((condition) => condition.type === type))
  const bad = summaries.find((condition) => condition.status !== 'True')
  if (bad !== undefined) return judgeSummary(object, bad)
  const progressing = conditions.find((condition) => condition.type === 'Progressing')
  if (progressing?.status === 'False' && tellsFailure(progressing)) return failed(describeCondition(progressing))
  const first = summaries[0]
  if (first !== undefined) return judgeSummary(object, first)
  if (progressing?.status === 'True') return inProgress(describeCondition(progressing))
  return word ?? current('the object is there; its status tells nothing else')
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
  if (condition.status === 'False' && tellsFailure(condition)) return failed(said)
  return inProgress(said)
}

function readPhase(object: JsonObject): ObjectHealth | undefined {
  const status = childObject(object, 'status')
  const field = wordFields.find((name) => readText(status, name) !== '')
  if (field === undefined) return undefined
  const phase = readText(status, field)
  const message = readText(status, 'message') || readText(status, 'error') || readText(status, 'reason')
  const said = `${field} is ${phase}${message === '' ? '' : `: ${message}`}`
  const words = [phase.toLowerCase().replaceAll(/[^a-z]/g, ''), ...splitWords(phase)]
  if (words.some((word) => failedPhases.has(word))) return failed(said)
  return words.some((word) => progressPhases.has(word)) ? inProgress(said) : current(said)
}

function tellsFailure({reason, message}: Condition): boolean {
  return [...splitWords(reason), ...splitWords(message)].some((word) => failureWords.has(word))
}

function isFailureType(type: string): boolean {
  const words = splitWords(type)
  return failureTypeWords.has(words.at(-1) ?? '') || words[0] === 'invalid'
}

// `CreateFailed`, `ERR_TIMEOUT` and `could not` alike.
function splitWords(text: string): string[] {
  return text
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((word) => word !== '')
}
