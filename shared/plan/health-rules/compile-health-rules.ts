import type {JsonObject} from '../../model/manifest.ts'
import {inProgress, type ObjectHealth, shorten} from '../health/read-status.ts'
import {type HealthRule, HealthRuleError, type HealthRules, type JudgeObject, type Verdict} from './health-rule.ts'
import {type Clause, parseClause} from './parse-clause.ts'
import {testClause} from './test-clause.ts'

const kindPattern = /^(\*\.)?[a-z0-9.-]*\/([A-Za-z][A-Za-z0-9]*|\*)$/

/** No rules: every kind is judged the built-in and generic ways. */
export const noHealthRules: HealthRules = () => undefined

/**
 * Compiles rules for `computeHealth`. Clauses are parsed when a kind is first judged, or all at once with `eager`, which is for rules of others.
 * Throws HealthRuleError BAD_KIND (at once) or BAD_CLAUSE.
 */
export function compileHealthRules(rules: readonly HealthRule[], {eager = false} = {}): HealthRules {
  const byKind = new Map<string, () => JudgeObject>()
  for (const rule of rules) {
    const judge = once(() => compileRule(rule))
    if (eager) judge()
    for (const kind of rule.kinds) {
      if (!kindPattern.test(kind)) {
        throw new HealthRuleError('BAD_KIND', `health rule for "${kind}": write group/Kind, group/* or *.group/*`)
      }
      byKind.set(kind, judge)
    }
  }
  const found = new Map<string, JudgeObject | undefined>()
  return (kind) => {
    if (!found.has(kind)) found.set(kind, namesOf(kind).flatMap((name) => byKind.get(name)?.() ?? [])[0])
    return found.get(kind)
  }
}

/** Puts rules on top of others: the first that knows a kind judges it, and the next where it has no answer. */
export function layerHealthRules(...layers: readonly HealthRules[]): HealthRules {
  return (kind) => {
    const judges = layers.flatMap((rules) => rules(kind) ?? [])
    if (judges.length < 2) return judges[0]
    return (object, now) => {
      for (const judge of judges) {
        const health = judge(object, now)
        if (health !== undefined) return health
      }
      return undefined
    }
  }
}

// `a.b/Kind`, `a.b/*`, then with a star for ever more of the group: `*.a.b/Kind`, `*.a.b/*`, `*.b/Kind`, `*.b/*`.
function namesOf(kind: string): string[] {
  const [group = '', name = ''] = kind.split('/')
  const labels = group.split('.')
  const groups = [group, ...labels.map((_, index) => `*.${labels.slice(index).join('.')}`)]
  return groups.flatMap((pattern) => [`${pattern}/${name}`, `${pattern}/*`])
}

function compileRule({awaits, verdicts = []}: HealthRule): JudgeObject {
  const reported = awaits === undefined ? undefined : parseClause(awaits)
  const compiled = verdicts.map(([health, when, says]) => ({health, clause: parseClause(when), says}))
  return (object) => {
    for (const {health, clause, says} of compiled) {
      const reason = explain(clause, object, says)
      if (reason !== undefined) return {health, reason}
    }
    if (reported === undefined || testClause(reported, object) !== undefined) return undefined
    return inProgress('its controller has not reported on it yet')
  }
}

function explain(clause: Clause, object: JsonObject, says: Verdict[2]): string | undefined {
  const said = testClause(clause, object)
  if (said === undefined) return undefined
  const parts = [says ?? '', said].filter((part) => part !== '')
  return shorten(parts.length === 0 ? 'as its status says' : parts.join(': ')) satisfies ObjectHealth['reason']
}

function once<T>(make: () => T): () => T {
  let made: {value: T} | undefined
  return () => {
    made ??= {value: make()}
    return made.value
  }
}
