import type {PresentApp} from '#shared/model/desired-state.ts'
import {groupOf} from '#shared/model/object-ref.ts'
import {compileHealthExprs} from '#shared/plan/health-rules/compile-health-exprs.ts'
import {HealthRuleError} from '#shared/plan/health-rules/health-rule.ts'
import type {AgentContext} from './agent-context.ts'
import {AppFailure} from './app-failure.ts'
import type {AppState} from './app-state.ts'

/**
 * Makes the health expressions that an app names its rules. Where they changed, its objects of those kinds are read and judged anew.
 * Throws `AppFailure` REFUSED for an expression that cannot be used.
 */
export async function takeHealthRules(ctx: AgentContext, app: AppState, target: PresentApp): Promise<void> {
  const exprs = target.sync.healthCheckExprs ?? []
  if (JSON.stringify(exprs) === JSON.stringify(app.healthExprs)) return
  const before = app.healthExprs
  try {
    app.healthRules = exprs.length === 0 ? undefined : await compileHealthExprs(exprs)
  } catch (cause) {
    if (!(cause instanceof HealthRuleError)) throw cause
    throw new AppFailure('REFUSED', 'its health expressions cannot be used', {code: cause.code}, {cause})
  }
  app.healthExprs = exprs
  const kinds = new Set([...before, ...exprs].map(({apiVersion, kind}) => `${groupOf(apiVersion)}/${kind}`))
  for (const [key, {ref, version}] of app.inventory) {
    if (!kinds.has(`${ref.group}/${ref.kind}`) || ctx.live.get(key)?.app !== app.name) continue
    const type = await ctx.discovery.find(version, ref.kind)
    const live = type === undefined ? 'absent' : await ctx.ports.kube.get(type, ref, 'whole')
    if (type !== undefined && live !== 'absent') ctx.live.rejudge(type, live)
  }
}
