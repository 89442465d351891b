import type {CelEnv, CelFunc, CelValue} from '@bufbuild/cel'
import {matchPattern, PatternTooLarge} from './match-pattern.ts'

/** Counts what an evaluation costs, and stops one that would keep everything else waiting. */
export interface Meter {
  /** An environment whose functions are counted by the size of what they are given. */
  meter(env: CelEnv): CelEnv
  /** Makes each macro of a parsed expression count the items that it goes through. */
  countMacros(expr: Node): void
  /** Runs an evaluation with a budget of its own. `'over-budget'`: it did not end, or what it answered rests on a part that did not. */
  run<T>(evaluation: () => T): T | 'over-budget'
}

type Cel = typeof import('@bufbuild/cel')
/** An expression of CEL's syntax tree. */
type Node = ReturnType<Cel['parse']>['expr']

/** One microsecond each, two where a machine is busy: 50 ms at most. */
const MAX_COST = 25_000
/** Items of a list are compared or joined this much faster than a macro takes a step. */
const ITEMS_PER_COST = 16
/** An expression's parts, such as a name or an operator. */
const NODES_PER_COST = 16
const CHARACTERS_PER_COST = 64
/** A state of a pattern at one place of a text. */
const STEPS_PER_COST = 3
/** Where one text is looked for in another each place may be compared with all of it. */
const COMPARED_PER_COST = 512
/** Where a function goes through a text in JavaScript, and not in the engine. */
const ONE_BY_ONE_PER_COST = 8
const ONE_BY_ONE = CHARACTERS_PER_COST / ONE_BY_ONE_PER_COST
/** What it takes to format a number or a time by the rules of a language. */
const FORMAT_COST = 200
/** A name that cannot be written in an expression. */
const COUNT = '@count'
const deep = new Set(['_==_', '_!=_', '@in', '_in_', 'in'])

/** Creates a meter. What one evaluation may cost is fixed, so that the same object is judged alike on every machine. */
export function createMeter(cel: Cel): Meter {
  let left = MAX_COST
  /** Patterns that this evaluation has made programs of. */
  const paid = new Set<string>()

  function charge(cost: number): void {
    left -= cost
    if (left < 0) throw new Error('it costs too much')
  }

  const {DYN, INT} = cel.CelScalar
  const count = cel.celFunc(COUNT, [DYN, INT], DYN, (range, nodes) => {
    // An error does not end the macros around it, and each error costs more than a step: they go through nothing instead.
    if (left < 0) return []
    const items = cel.isCelList(range) || cel.isCelMap(range) ? range.size : 0
    charge(1 + items * Math.max(1, Number(nodes) / NODES_PER_COST))
    return range
  })

  function costOf(value: CelValue | undefined, isDeep: boolean): number {
    if (typeof value === 'string') return value.length / CHARACTERS_PER_COST
    if (!cel.isCelList(value) && !cel.isCelMap(value)) return 1 / ITEMS_PER_COST
    let cost = value.size / ITEMS_PER_COST
    if (!isDeep) return cost
    for (const item of cel.isCelList(value) ? value : value.values()) {
      cost += costOf(item as CelValue, true)
      if (cost > left) break
    }
    return cost
  }

  function matches(pattern: string, text: string): boolean {
    try {
      return matchPattern(pattern, text, (steps) => charge(steps / STEPS_PER_COST), paid)
    } catch (error) {
      if (error instanceof PatternTooLarge) left = -1
      throw error
    }
  }

  function sizeOf(value: CelValue | undefined): number {
    return cel.isCelList(value) ? value.size : 0
  }

  const spent = cel.celError('it costs too much')
  function metered(func: CelFunc): CelFunc {
    const call: CelFunc['call'] = (id, target, args) => {
      if (left < 0) return spent
      const before = left
      const values = [target, ...args]
      charge(1 + values.reduce((sum: number, value) => sum + costOf(value, deep.has(func.name)), 0))
      if (func.name === 'format')
        charge(ONE_BY_ONE * (costOf(target, false) + costOf(args[0], true)) + FORMAT_COST * sizeOf(args[0]))
      if (func.name === 'matches') {
        const pattern = args[0]
        if (typeof target === 'string' && typeof pattern === 'string') return matches(pattern, target)
      }
      charge(extraCostOf(func.name, target, args))
      const replaced = func.name === 'replace' ? replaceText(target, args) : undefined
      const result = replaced ?? func.call(id, target, args)
      // Another overload is meant.
      if (result === undefined) left = before
      else if (!cel.isCelError(result)) charge(costOf(result as CelValue, false))
      return result
    }
    return Object.create(func, {call: {value: call}})
  }

  return {
    meter: (env) => cel.celEnv({funcs: [...[...env.funcs].map(metered), count]}),
    countMacros,
    run(evaluation) {
      left = MAX_COST
      paid.clear()
      // The library makes an error for each item that a macro cannot judge; where it was made takes longest to find out, and nobody reads it.
      const {stackTraceLimit} = Error
      Error.stackTraceLimit = 0
      try {
        const result = evaluation()
        return left < 0 ? 'over-budget' : result
      } finally {
        Error.stackTraceLimit = stackTraceLimit
      }
    },
  }
}

/** What a function costs beyond going once through what it is given. */
function extraCostOf(name: string, target: CelValue | undefined, args: readonly CelValue[]): number {
  const [first, second] = args
  switch (name) {
    case 'contains':
    case 'indexOf':
    case 'lastIndexOf':
    case 'split':
      return (lengthOf(target) * lengthOf(first)) / COMPARED_PER_COST
    case 'replace':
      return (lengthOf(target) * (lengthOf(first) + 1) * (lengthOf(second) + 1)) / COMPARED_PER_COST
    // Of digits, the work grows faster than their number.
    case 'int':
    case 'uint':
    case 'double':
    case 'timestamp':
    case 'duration':
      return lengthOf(first)
    case 'lowerAscii':
    case 'upperAscii':
    case 'trim':
    case 'reverse':
      return lengthOf(target) / ONE_BY_ONE_PER_COST
    case 'strings.quote':
    case 'quote':
      return lengthOf(first) / ONE_BY_ONE_PER_COST
    default:
      // A time in a place of the world is formatted anew.
      return name.startsWith('get') && first !== undefined ? FORMAT_COST : 0
  }
}

/** The library builds the whole text anew for each place that it replaces. Undefined where another overload is meant. */
function replaceText(target: CelValue | undefined, [from, to, most]: readonly CelValue[]): string | undefined {
  if (typeof target !== 'string' || typeof from !== 'string' || typeof to !== 'string' || from === '') return undefined
  if (most !== undefined && typeof most !== 'bigint') return undefined
  let left = most === undefined || most < 0n ? Number.POSITIVE_INFINITY : Number(most)
  const parts: string[] = []
  let start = 0
  for (let at = target.indexOf(from); at >= 0 && left > 0; at = target.indexOf(from, start)) {
    parts.push(target.slice(start, at))
    start = at + from.length
    left--
  }
  parts.push(target.slice(start))
  return parts.join(to)
}

function lengthOf(value: CelValue | undefined): number {
  return typeof value === 'string' ? value.length : 0
}

/** Returns how many nodes there are, since each item that a macro goes through costs as many. */
function countMacros(expr: Node | undefined): number {
  const kind = expr?.exprKind
  const all = (parts: readonly (Node | undefined)[]) => parts.reduce((sum, part) => sum + countMacros(part), 1)
  switch (kind?.case) {
    case 'comprehensionExpr': {
      const fold = kind.value
      const eachItem = all([fold.loopCondition, fold.loopStep])
      const nodes = eachItem + all([fold.iterRange, fold.accuInit, fold.result])
      if (fold.iterRange !== undefined) fold.iterRange = counted(fold.iterRange, eachItem)
      return nodes
    }
    case 'callExpr':
      return all([kind.value.target, ...kind.value.args])
    case 'selectExpr':
      return all([kind.value.operand])
    case 'listExpr':
      return all(kind.value.elements)
    case 'structExpr':
      return all(
        kind.value.entries.flatMap(({keyKind, value}) => [
          keyKind.case === 'mapKey' ? keyKind.value : undefined,
          value,
        ]),
      )
    default:
      return 1
  }
}

function counted(range: Node, nodesOfEachItem: number): Node {
  const constantKind = {case: 'int64Value' as const, value: BigInt(nodesOfEachItem)}
  const nodes: Node = {
    ...range,
    exprKind: {case: 'constExpr', value: {$typeName: 'cel.expr.Constant', constantKind}},
  }
  const call = {$typeName: 'cel.expr.Expr.Call' as const, function: COUNT, args: [range, nodes]}
  return {...range, exprKind: {case: 'callExpr', value: call}}
}
