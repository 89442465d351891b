import {DrawbridgeError} from '../../model/drawbridge-error.ts'
import type {JsonObject} from '../../model/manifest.ts'
import {groupOf} from '../../model/object-ref.ts'
import type {HealthCheckExpr} from '../../model/sync-options.ts'
import {type Evaluation, type Expression, loadExpressionCompiler} from '../evaluate-expression.ts'
import {failed, inProgress, type ObjectHealth} from '../health/read-status.ts'
import {HealthRuleError, type HealthRules, type JudgeObject} from './health-rule.ts'

/**
 * Compiles an app's `healthCheckExprs` into rules for `computeHealth`: inProgress, failed and current are asked in this order, and an
 * object of which none holds, or that they cannot be evaluated on (yet), is in progress; one on which they cost too much is unknown. Rejects with HealthRuleError BAD_CLAUSE.
 */
export async function compileHealthExprs(exprs: readonly HealthCheckExpr[]): Promise<HealthRules> {
  const compile = await loadExpressionCompiler()
  const judges = new Map<string, JudgeObject>()
  for (const {apiVersion, kind, ...texts} of exprs) {
    const expression = (name: 'inProgress' | 'failed' | 'current'): Expression | undefined => {
      const text = texts[name]
      if (text === undefined) return undefined
      try {
        return compile(text)
      } catch (cause) {
        if (!(cause instanceof DrawbridgeError)) throw cause
        throw new HealthRuleError('BAD_CLAUSE', `${name} of ${apiVersion} ${kind}: ${cause.message}`, {}, {cause})
      }
    }
    const waits = expression('inProgress')
    const fails = expression('failed')
    const current = expression('current')
    if (current !== undefined)
      judges.set(`${groupOf(apiVersion)}/${kind}`, (object) => judge(object, waits, fails, current))
  }
  return (kind) => judges.get(kind)
}

function judge(
  object: JsonObject,
  waits: Expression | undefined,
  fails: Expression | undefined,
  current: Expression,
): ObjectHealth {
  // Fields that are often not there yet are empty rather than unknown, so that has(status.x) can be asked.
  const variables = {metadata: {}, spec: {}, status: {}, data: {}, ...object, object}
  const waiting = waits?.(variables) ?? false
  // What was not evaluated to its end is no `no`, and the next one would cost as much.
  if (isTooCostly(waiting)) return unknown(waiting)
  if (waiting === true) return inProgress('the expression inProgress holds')
  const failing = fails?.(variables) ?? false
  if (failing === true) return failed('the expression failed holds')
  if (isTooCostly(failing)) return unknown(failing)
  const healthy = current(variables)
  if (isTooCostly(healthy)) return unknown(healthy)
  if (healthy === true) return {health: 'Current', reason: 'the expression current holds'}
  const problem = [waiting, failing, healthy].find((answer) => typeof answer === 'object')
  return inProgress(
    typeof problem === 'object'
      ? `an expression of its health: ${problem.problem}`
      : 'the expression current does not hold yet',
  )
}

function isTooCostly(answer: Evaluation): answer is {problem: string; tooCostly: true} {
  return typeof answer === 'object' && answer.tooCostly === true
}

function unknown({problem}: {problem: string}): ObjectHealth {
  return {health: 'Unknown', reason: `an expression of its health: ${problem}`}
}
