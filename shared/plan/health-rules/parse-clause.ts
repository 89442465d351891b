import {readWhole} from '../../bundle/exact-json.ts'
import {HealthRuleError} from './health-rule.ts'

/** Where a value is read: in the scope (the status, or the element that `any` or `every` is at) where the path begins with a dot, else in the object. */
export interface Path {
  from: 'scope' | 'object'
  keys: readonly string[]
  text: string
}

/** Words to compare with, in lower case, each as the pieces between its stars: `*Failed` is `['', 'failed']`. */
export interface Words {
  negated: boolean
  patterns: readonly (readonly string[])[]
}

export type Test =
  | {kind: 'condition'; negated: boolean; type: string; status: Words | undefined; reason: Words | undefined}
  | {kind: 'field'; negated: boolean; path: Path; words: Words | undefined}
  | {kind: 'compare'; negated: boolean; left: Path; operator: string; right: Path | number | bigint}

export type Clause = {kind: 'all'; tests: readonly Test[]} | {kind: 'any' | 'every'; path: Path; clause: Clause}

const scoped = /^(any|every) (\S+): (.+)$/
const conditionTest = /^(?:\[([^\]]+)\]|([A-Z]\w*))(?:(!?=)([\w|*]+))?(?:\((!?)([^)]+)\))?$/
const fieldTest = /^((?:\.|spec|status|metadata)[^\s=!<>]*)(?:(!?=|<=|>=|<|>)(.+))?$/
const pathPart = /\.?([\w-]+)|\[([^\]]+)\]/gy

/**
 * Parses a clause of the rule language. Tests joined by ` & ` must all hold. A test is a condition (`Ready`, `Ready=False`, `Ready!=True`,
 * `Ready=False(InvalidSpec|*Error)`, `Ready=False(!Pending)`; a type that is no plain word in brackets: `[ACK.Terminal]=True`) or a field: `.phase` in the status,
 * `spec.…`, `status.…` and `metadata.…` in the object (`metadata.annotations[example.com/key]`), which is there and not empty, `=` or `!=` words, or by number `<`, `<=`,
 * `>`, `>=`, `=`, `!=` another field or a number (absent is 0). `!` in front turns a test round. `any PATH: …` and `every PATH: …` test the elements of a list or an
 * object, in which `.x` and conditions are the element's. Words ignore case, `|` separates alternatives and `*` stands for any text. Throws HealthRuleError BAD_CLAUSE.
 */
export function parseClause(text: string): Clause {
  const [, quantifier, over, rest] = scoped.exec(text) ?? []
  if (quantifier !== undefined && over !== undefined && rest !== undefined) {
    return {kind: quantifier === 'any' ? 'any' : 'every', path: parsePath(over, text), clause: parseClause(rest)}
  }
  return {kind: 'all', tests: text.split(' & ').map((test) => parseTest(test.trim(), text))}
}

function parseTest(text: string, clause: string): Test {
  const negated = text.startsWith('!')
  const body = negated ? text.slice(1) : text
  const field = fieldTest.exec(body)
  if (field !== null) return parseFieldTest(negated, field, clause)
  const [match, quoted, plain, operator, status, not, reasons] = conditionTest.exec(body) ?? []
  if (match === undefined) throw badClause(clause, `"${text}" is neither a condition nor a field`)
  return {
    kind: 'condition',
    negated,
    type: quoted ?? plain ?? '',
    status: status === undefined ? undefined : parseWords(status, operator === '!='),
    reason: reasons === undefined ? undefined : parseWords(reasons, not === '!'),
  }
}

function parseFieldTest(negated: boolean, [, from = '', operator, to = '']: RegExpExecArray, clause: string): Test {
  const path = parsePath(from, clause)
  if (operator === undefined) return {kind: 'field', negated, path, words: undefined}
  const right = /^(\.|spec\.|status\.|metadata\.)/.test(to) ? parsePath(to, clause) : readNumber(to)
  if (right !== undefined) return {kind: 'compare', negated, left: path, operator, right}
  if (operator !== '=' && operator !== '!=') throw badClause(clause, `"${to}" is neither a number nor a field`)
  return {kind: 'field', negated, path, words: parseWords(to, operator === '!=')}
}

function readNumber(text: string): number | bigint | undefined {
  if (/^-?\d+$/.test(text)) return readWhole(text)
  const value = Number(text)
  return Number.isNaN(value) ? undefined : value
}

function parsePath(text: string, clause: string): Path {
  const keys: string[] = []
  let end = 0
  for (const match of text.matchAll(pathPart)) {
    keys.push(match[1] ?? match[2] ?? '')
    end = match.index + match[0].length
  }
  if (end !== text.length || keys.length === 0) throw badClause(clause, `"${text}" is not a path`)
  return {from: text.startsWith('.') ? 'scope' : 'object', keys, text}
}

function parseWords(text: string, negated: boolean): Words {
  const patterns = text.split('|').map((word) => word.trim().toLowerCase().split('*'))
  return {negated, patterns}
}

function badClause(clause: string, why: string): HealthRuleError {
  return new HealthRuleError('BAD_CLAUSE', `health rule clause "${clause}": ${why}`)
}
