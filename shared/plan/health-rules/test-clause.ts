import {isJsonObject, type Json, type JsonObject} from '../../model/manifest.ts'
import {describeCondition, readConditions, readText} from '../health/read-status.ts'
import type {Clause, Path, Test, Words} from './parse-clause.ts'

interface Scope {
  object: JsonObject
  /** The status, or the element that `any` or `every` is at. */
  here: JsonObject
}

const tellingKeys = ['message', 'reason', 'description', 'phaseReason', 'errorDescription', 'error', 'errorMessage']

/** Tests a clause on an object: what the object says about it (may be '') where it holds, undefined where it doesn't. */
export function testClause(clause: Clause, object: JsonObject): string | undefined {
  const status = object.status
  return testIn(clause, {object, here: isJsonObject(status) ? status : {}})
}

function testIn(clause: Clause, scope: Scope): string | undefined {
  if (clause.kind === 'all') return testAll(clause.tests, scope)
  const over = readPath(clause.path, scope)
  const elements = Array.isArray(over) || isJsonObject(over) ? Object.entries(over) : []
  const said = elements.map(([key, element]) =>
    isJsonObject(element) ? nameElement(key, testIn(clause.clause, {...scope, here: element})) : undefined,
  )
  if (clause.kind === 'any') return said.find((text) => text !== undefined)
  return said.length > 0 && said.every((text) => text !== undefined) ? said[0] : undefined
}

// A list's index tells nobody anything.
function nameElement(key: string, said: string | undefined): string | undefined {
  return said === undefined || /^\d+$/.test(key) ? said : `${key}: ${said}`
}

function testAll(tests: readonly Test[], scope: Scope): string | undefined {
  let all = ''
  for (const test of tests) {
    const said = testOne(test, scope)
    if ((said === undefined) !== test.negated) return undefined
    all ||= said ?? ''
  }
  return all
}

function testOne(test: Test, scope: Scope): string | undefined {
  if (test.kind === 'compare') return compare(test, scope)
  if (test.kind === 'field') {
    const value = readPath(test.path, scope)
    if (!isThere(value) || (test.words !== undefined && !matches(test.words, value))) return undefined
    return describeField(test.path, value, scope)
  }
  const found = readConditions({status: scope.here}).find(
    ({type, status, reason}) =>
      type === test.type &&
      (test.status === undefined || matches(test.status, status)) &&
      (test.reason === undefined || matches(test.reason, reason)),
  )
  return found === undefined ? undefined : describeCondition(found)
}

function compare({left, operator, right}: Test & {kind: 'compare'}, scope: Scope): string | undefined {
  const from = readPath(left, scope)
  const to = typeof right === 'object' ? readPath(right, scope) : right
  if (!holds(operator, from, to)) return undefined
  const name = left.text.replace(/^\./, '')
  if (typeof right !== 'object') return `${name} is ${show(from)}`
  return `${name} is ${show(from)}, ${right.text.replace(/^\./, '')} is ${show(to)}`
}

function holds(operator: string, left: Json | undefined, right: Json | undefined): boolean {
  if (typeof left === 'string' && typeof right === 'string' && Number.isNaN(Number(left))) {
    return operator === '=' ? left === right : operator === '!=' && left !== right
  }
  const [a, b] = [toNumber(left), toNumber(right)]
  // Of a number and a bigint `===` would say that they differ.
  if (operator === '=') return a <= b && a >= b
  if (operator === '!=') return !(a <= b && a >= b)
  if (operator === '<') return a < b
  if (operator === '<=') return a <= b
  return operator === '>' ? a > b : a >= b
}

function toNumber(value: Json | undefined): number | bigint {
  return typeof value === 'bigint' ? value : Number(value ?? 0)
}

function readPath({from, keys}: Path, {object, here}: Scope): Json | undefined {
  let value: Json | undefined = from === 'scope' ? here : object
  for (const key of keys) {
    if (Array.isArray(value)) value = value[Number(key)]
    else value = isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined
  }
  return value
}

function isThere(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === '') return false
  return typeof value !== 'object' || Object.keys(value).length > 0
}

function matches({negated, patterns}: Words, value: Json | undefined): boolean {
  const text = String(value).toLowerCase()
  return patterns.some((pieces) => fits(pieces, text)) !== negated
}

// Piece after piece, the leftmost place each: linear, whatever a user's pattern is.
function fits(pieces: readonly string[], text: string): boolean {
  const [first = '', ...rest] = pieces
  const last = rest.pop()
  if (last === undefined) return text === first
  if (!text.startsWith(first)) return false
  let at = first.length
  for (const piece of rest) {
    const found = text.indexOf(piece, at)
    if (found < 0) return false
    at = found + piece.length
  }
  return text.length - last.length >= at && text.endsWith(last)
}

function describeField({keys, text}: Path, value: Json | undefined, {here}: Scope): string {
  if (typeof value === 'object') return ''
  if (tellingKeys.includes(keys.at(-1) ?? '')) return String(value)
  const why = tellingKeys.map((key) => readText(here, key)).find((telling) => telling !== '' && telling !== value)
  return `${text.replace(/^\./, '')} is ${show(value)}${why === undefined ? '' : `: ${why}`}`
}

// Objects and lists are never shown: who knows what is in them.
function show(value: Json | undefined): string {
  return value === undefined || value === null ? 'absent' : typeof value === 'object' ? 'set' : String(value)
}
