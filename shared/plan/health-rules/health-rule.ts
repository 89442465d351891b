import type {Health} from '../../model/cluster-report.ts'
import {DrawbridgeError} from '../../model/drawbridge-error.ts'
import type {JsonObject} from '../../model/manifest.ts'
import type {ObjectHealth} from '../health/read-status.ts'

/** One answer of a rule: the health, the clause (see `parseClause`) that must hold for it, and what to say where the object's own words don't. */
export type Verdict = readonly [
  health: Exclude<Health, 'Terminating' | 'NotFound'>,
  when: string,
  says?: string | undefined,
]

/** How objects of some kinds tell their health; plain data, so that a rule may come from anywhere. */
export interface HealthRule {
  /** `group/Kind`, `group/*` or, for a group and all below it, `*.group/*`; the core group is empty (`/Pod`). The most specific rule of a kind counts. */
  kinds: readonly string[]
  /** A clause that holds as soon as the kind's controller has reported; until then the object is in progress. */
  awaits?: string
  /** The first whose clause holds counts; where none does, the generic engine judges. */
  verdicts?: readonly Verdict[]
}

/** Judges an object of a kind that it knows; undefined where the rule leaves it to the built-in and generic ways. Must not throw. */
export type JudgeObject = (object: JsonObject, now?: Date) => ObjectHealth | undefined

/** Finds the judge of a kind (`group/Kind`), undefined where there is none. */
export type HealthRules = (kind: string) => JudgeObject | undefined

/**
 * Rules that cannot be read. `BAD_RULE`: not shaped as a rule; `BAD_KIND`: a kind is not written as rules write kinds; `BAD_CLAUSE`: a clause is not in the language.
 * Never worth a retry.
 */
export class HealthRuleError extends DrawbridgeError<'BAD_RULE' | 'BAD_KIND' | 'BAD_CLAUSE'> {}
