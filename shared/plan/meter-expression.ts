import type {CelEnv, CelFunc, CelValue} from '@bufbuild/cel'

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

/** About one microsecond each: 50 ms at most. */
const MAX_COST = 50_000
/** Items of a list are compared or joined this much faster than a macro takes a step. */
const ITEMS_PER_COST = 16
/** An expression's parts, such as a name or an operator. */
const NODES_PER_COST = 16
const CHARACTERS_PER_COST = 64
/** A name that cannot be written in an expression. */
const COUNT = '@count'
const deep = new Set(['_==_', '_!=_', '@in', '_in_', 'in'])

/** Creates a meter. What one evaluation may cost is fixed, so that the same object is judged alike on every machine. */
export function createMeter(cel: Cel): Meter {
  let left = MAX_COST

  function charge(cost: number): void {
    left -= cost
    if (left < 0) throw new Error('it costs too much')
  }

  const {DYN, INT} = cel.CelScalar
  const count = cel.celFunc(COUNT, [DYN, INT], DYN, (range, nodes) => {
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

  function metered(func: CelFunc): CelFunc {
    const call: CelFunc['call'] = (id, target, args) => {
      const before = left
      const values = [target, ...args]
      charge(1 + values.reduce((sum: number, value) => sum + costOf(value, deep.has(func.name)), 0))
      if (func.name === 'replace') charge(lengthOf(target) * (lengthOf(args[1]) / CHARACTERS_PER_COST))
      const result = func.call(id, target, args)
      // Another overload is meant.
      if (result === undefined) left = before
      return result
    }
    return Object.create(func, {call: {value: call}})
  }

  return {
    meter: (env) => cel.celEnv({funcs: [...[...env.funcs].map(metered), count]}),
    countMacros,
    run(evaluation) {
      left = MAX_COST
      const result = evaluation()
      return left < 0 ? 'over-budget' : result
    },
  }
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
