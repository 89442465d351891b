import {childObject, isJsonObject, type JsonObject} from '../../model/manifest.ts'
import {current, failed, inProgress, type ObjectHealth, readText} from './read-status.ts'
import {failedPhases, progressPhases, splitWords, unknownPhases} from './words.ts'

const phaseField = /^(phase|state|health|status|compliant|compliance|.*(Phase|State|Status))$/
// Objects of the status that hold such fields in their turn: `jobStatus: {state}`, or for each of several controllers `statuses: {a: {state}}`.
const holderField = /^(?!last)(.*status(es)?|.*state|health)$/i
const innerField = /^(phase|state|health|status)$/
const errorFields = ['failureMessage', 'errorMessage', 'errorDescription', 'error']
const order = ['Failed', 'InProgress', 'Unknown', 'Current']

/**
 * Judges by the fields of `status` that sum an object up in a word or two (`phase`, `state`, `health`, …) or that hold an error's text; the worst of
 * them counts. Undefined where there is no such field.
 */
export function judgePhases(object: JsonObject): ObjectHealth | undefined {
  const status = childObject(object, 'status') ?? {}
  const error = readError(status)
  if (error !== '') return failed(error)
  const judged = [...judgeFields(status, phaseField, ''), ...judgeHolders(status)]
  return judged.toSorted((a, b) => order.indexOf(a.health) - order.indexOf(b.health))[0]
}

function judgeHolders(status: JsonObject): ObjectHealth[] {
  return Object.entries(status).flatMap(([key, holder]) => {
    if (!isJsonObject(holder) || !holderField.test(key)) return []
    const each = Object.entries(holder).flatMap(([name, inner]) =>
      isJsonObject(inner) ? judgeFields(inner, innerField, `${name} `) : [],
    )
    return [...judgeFields(holder, innerField, `${key}.`), ...each]
  })
}

function judgeFields(holder: JsonObject, fields: RegExp, prefix: string): ObjectHealth[] {
  return Object.entries(holder).flatMap(([field, value]) =>
    typeof value === 'string' && value !== '' && fields.test(field) ? [judgePhase(prefix + field, value, holder)] : [],
  )
}

function judgePhase(field: string, phase: string, holder: JsonObject): ObjectHealth {
  const message = readText(holder, 'message') || readText(holder, 'reason')
  const said = `${field} is ${phase}${message === '' ? '' : `: ${message}`}`
  const parts = splitWords(phase)
  const words = [phase.toLowerCase().replaceAll(/[^a-z]/g, ''), ...parts]
  if (words.some((word) => failedPhases.has(word))) return failed(said)
  // `NotReady`, `DEPLOYED_NOT_READY`, `NotReconciled`
  if (parts.slice(0, -1).includes('not') || words.some((word) => progressPhases.has(word))) return inProgress(said)
  return words.some((word) => unknownPhases.has(word)) ? {health: 'Unknown', reason: said} : current(said)
}

function readError(status: JsonObject): string {
  const nested = isJsonObject(status.error) ? readText(status.error, 'message') : ''
  return errorFields.map((field) => readText(status, field)).find((text) => text !== '') ?? nested
}
