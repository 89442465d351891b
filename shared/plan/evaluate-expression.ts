import {DrawbridgeError} from '../model/drawbridge-error.ts'
import {isJsonObject, type Json, type JsonObject} from '../model/manifest.ts'
import {createMeter} from './meter-expression.ts'

/** A CEL expression that cannot be used: `BAD_EXPRESSION`. Never worth a retry. */
export class ExpressionError extends DrawbridgeError<'BAD_EXPRESSION'> {}

/** What came of an evaluation: a truth, or why there is none (a field that is not there, a value that is no bool, a cost beyond all reason). */
export type Evaluation = boolean | {problem: string; tooCostly?: true}

/** A compiled expression over variables of JSON values. Never throws. */
export type Expression = (variables: Readonly<Record<string, Json>>) => Evaluation

type Cel = typeof import('@bufbuild/cel')

const MAX_LENGTH = 4_096
/** Each nesting multiplies the work by the length of a list. */
const MAX_NESTED_MACROS = 2
const OVER_BUDGET =
  'it costs too much to evaluate on this object: go through shorter lists, or not through a list for each item of another'
const macroCall = /\b(all|exists|exists_one|existsOne|map|filter)\s*\(/

let loading: Promise<(text: string) => Expression> | undefined

/**
 * Compiles CEL expressions (cel.dev) that answer true or false. The library is loaded with the first call. What is returned throws
 * `ExpressionError` for what cannot be parsed, is longer than 4,096 characters, or nests macros over lists more than 2 deep.
 */
export function loadExpressionCompiler(): Promise<(text: string) => Expression> {
  loading ??= load()
  return loading
}

async function load(): Promise<(text: string) => Expression> {
  const [cel, {strings}] = await Promise.all([import('@bufbuild/cel'), import('@bufbuild/cel/ext')])
  const meter = createMeter(cel)
  const env = meter.meter(cel.celEnv({funcs: [...strings]}))
  return (text) => {
    refuseCostly(text)
    let run: (variables: Record<string, never>) => unknown
    try {
      const parsed = cel.parse(text)
      meter.countMacros(parsed.expr)
      const planned = cel.plan(env, parsed)
      run = (variables) => meter.run(() => planned(variables))
    } catch (cause) {
      const words = cause instanceof Error ? cause.message : String(cause)
      throw new ExpressionError('BAD_EXPRESSION', `CEL expression ${JSON.stringify(text)}: ${words}`, {}, {cause})
    }
    return (variables) => evaluate(cel, run, variables)
  }
}

function evaluate(
  cel: Cel,
  run: (variables: Record<string, never>) => unknown,
  variables: Readonly<Record<string, Json>>,
): Evaluation {
  try {
    const bound = Object.entries(variables).map(([name, value]) => [name, toCel(value)])
    const result = run(Object.fromEntries(bound))
    if (result === 'over-budget') return {problem: OVER_BUDGET, tooCostly: true}
    if (typeof result === 'boolean') return result
    return {problem: cel.isCelError(result) ? result.message : 'the expression gives no bool'}
  } catch (error) {
    return {problem: error instanceof Error ? error.message : String(error)}
  }
}

/** The cluster's JSON in CEL's types: whole numbers are int, as in Kubernetes' own expressions; what int64 cannot hold is a double there. */
function toCel(value: Json): unknown {
  if (typeof value === 'bigint') return BigInt.asIntN(64, value) === value ? value : Number(value)
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value
  if (Array.isArray(value)) return value.map(toCel)
  if (isJsonObject(value)) return new Map(Object.entries(value as JsonObject).map(([key, item]) => [key, toCel(item)]))
  return value
}

function refuseCostly(text: string): void {
  if (text.length > MAX_LENGTH) {
    throw new ExpressionError(
      'BAD_EXPRESSION',
      `a CEL expression may have ${MAX_LENGTH} characters, not ${text.length}`,
    )
  }
  if (nestedMacros(text) > MAX_NESTED_MACROS) {
    throw new ExpressionError(
      'BAD_EXPRESSION',
      `CEL expression ${JSON.stringify(text)}: macros over lists nest more than ${MAX_NESTED_MACROS} deep`,
    )
  }
}

/** How deep calls of macros are within each other's parentheses; texts in quotes do not count. */
function nestedMacros(text: string): number {
  const code = text.replaceAll(/"(\\.|[^"\\])*"|'(\\.|[^'\\])*'/g, '""')
  const stack: boolean[] = []
  let deepest = 0
  for (let index = 0; index < code.length; index++) {
    if (code[index] === ')') stack.pop()
    if (code[index] !== '(') continue
    stack.push(macroCall.test(code.slice(Math.max(0, index - 12), index + 1).match(/[a-zA-Z_]+\s*\($/)?.[0] ?? ''))
    deepest = Math.max(deepest, stack.filter(Boolean).length)
  }
  return deepest
}
