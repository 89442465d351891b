import * as z from 'zod'
import {compileHealthRules} from './compile-health-rules.ts'
import {type HealthRule, HealthRuleError, type HealthRules} from './health-rule.ts'

const ruleSchema = z.strictObject({
  kinds: z.array(z.string()).min(1),
  awaits: z.string().exactOptional(),
  verdicts: z
    .array(z.tuple([z.enum(['Current', 'InProgress', 'Failed', 'Unknown']), z.string(), z.string().optional()]))
    .exactOptional(),
})

/**
 * Parses rules that someone else wrote: a list of `{kinds, awaits, verdicts: [[health, clause, says]]}`, every clause of which is read at once. Throws
 * HealthRuleError BAD_RULE, BAD_KIND or BAD_CLAUSE.
 */
export function parseHealthRules(input: unknown): HealthRules {
  const parsed = z.array(ruleSchema).safeParse(input)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const [index, ...path] = issue?.path ?? []
    const where = typeof index === 'number' ? `rule ${index + 1}${path.length > 0 ? `, ${path.join('.')}` : ''}: ` : ''
    throw new HealthRuleError(
      'BAD_RULE',
      `health rules: ${where}${issue?.message ?? 'not a list of rules'}; a rule is {kinds: [group/Kind], awaits: CLAUSE, verdicts: [[Failed, CLAUSE, TEXT]]}`,
    )
  }
  const rules: readonly HealthRule[] = parsed.data
  return compileHealthRules(rules, {eager: true})
}
