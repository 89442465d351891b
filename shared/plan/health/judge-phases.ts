import {childObject, isJsonObject, type JsonObject} from '../../model/manifest.ts'
import {current, failed, inProgress, type ObjectHealth, readText} from './read-status.ts'
import {failedPhases, progressPhases, splitWords, unknownPhases} from './words.ts'

const phaseField = /^(phase|state|health|status|.*(Phase|State|Status))$/

/**
 * Judges by the fields of `status` that sum an object up in a word or two (`phase`, `state`, `health`, …) or that hold an error's text; the worst of
 * them counts. Undefined where there is no such field.
 */
export function judgePhases(object: JsonObject): ObjectHealth | undefined {
  const status = childObject(object, 'status')
  const error = readError(status)
  if (error !== '') return failed(error)
  const judged = Object.entries(status ?? {}).flatMap(([field, value]) =>
    typeof value === 'string' && value !== '' && phaseField.test(field) ? [judgePhase(field, value, status)] : [],
  )
  const order = ['Failed', 'InProgress', 'Unknown', 'Current']
  return judged.toSorted((a, b) => order.indexOf(a.health) - order.indexOf(b.health))[0]
}

function judgePhase(field: string, phase: string, status: JsonObject | undefined): ObjectHealth {
  const message = readText(status, 'message') || readText(status, 'reason')
  const said = `${field} is ${phase}${message === '' ? '' : `: ${message}`}`
  const words = [phase.toLowerCase().replaceAll(/[^a-z]/g, ''), ...splitWords(phase)]
  if (words.some((word) => failedPhases.has(word))) return failed(said)
  if (words.some((word) => progressPhases.has(word))) return inProgress(said)
  return words.some((word) => unknownPhases.has(word)) ? {health: 'Unknown', reason: said} : current(said)
}

function readError(status: JsonObject | undefined): string {
  const error = status?.error
  const nested = isJsonObject(error) ? readText(error, 'message') : ''
  return readText(status, 'failureMessage') || readText(status, 'error') || nested
}
