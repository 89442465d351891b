import type {PresentApp} from '#shared/model/desired-state.ts'
import type {JsonObject} from '#shared/model/manifest.ts'
import {ExpressionError, loadExpressionCompiler} from '#shared/plan/evaluate-expression.ts'
import {findCycle} from '#shared/plan/find-cycle.ts'
import type {AgentContext} from './agent-context.ts'
import {AppFailure} from './app-failure.ts'
import type {AppState} from './app-state.ts'
import {healthOf} from './track-health.ts'
import {dependencyNames} from './wake-dependents.ts'

/**
 * Decides whether an app may change now: all apps that it depends on are ready at what the desired state says of them, and their ready
 * expressions hold. Undefined where it may, else what it waits for. Throws `AppFailure` DEPENDENCY_CYCLE with the path.
 */
export async function judgeDependencies(
  ctx: Pick<AgentContext, 'apps'>,
  app: AppState,
  target: PresentApp,
): Promise<string | undefined> {
  const dependencies = target.dependsOn ?? []
  const cycle = findCycle(app.name, (name) => dependencyNames(ctx.apps.get(name)))
  if (cycle !== undefined) {
    throw new AppFailure(
      'DEPENDENCY_CYCLE',
      `apps depend on each other: ${cycle.join(' → ')}; take one of the dependsOn away`,
    )
  }
  for (const {name, readyExpr} of dependencies) {
    const dependency = ctx.apps.get(name)
    if (dependency?.target?.state !== 'present') return `app ${name}, which it depends on, is not in this cluster`
    const {condition, revision, target: wanted} = dependency
    if (condition.ready !== 'True' || revision !== wanted.revision) {
      return `waits for app ${name}: ${condition.reason}: ${condition.message}`
    }
    const problem = readyExpr === undefined ? undefined : await evaluateReady(readyExpr, app, dependency)
    if (problem !== undefined) return `waits for app ${name}: ${problem}`
  }
  return undefined
}

async function evaluateReady(expression: string, app: AppState, dependency: AppState): Promise<string | undefined> {
  const compile = await loadExpressionCompiler()
  try {
    const result = compile(expression)({app: factsOf(app), dep: factsOf(dependency)})
    if (result === true) return undefined
    return `its readyExpr ${expression} ${result === false ? 'does not hold' : `cannot be told: ${result.problem}`}`
  } catch (error) {
    if (error instanceof ExpressionError) return error.message
    throw error
  }
}

/** What an expression may ask of an app. */
function factsOf(app: AppState): JsonObject {
  const {ready, reason, message} = app.condition
  return {name: app.name, revision: app.revision ?? '', ready, reason, message, health: healthOf(app)}
}
