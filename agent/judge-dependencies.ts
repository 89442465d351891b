import type {PresentApp} from '#shared/model/desired-state.ts'
import type {JsonObject} from '#shared/model/manifest.ts'
import {ExpressionError, loadExpressionCompiler} from '#shared/plan/evaluate-expression.ts'
import {findCycle} from '#shared/plan/find-cycle.ts'
import type {AgentContext} from './agent-context.ts'
import {AppFailure} from './app-failure.ts'
import type {AppState} from './app-state.ts'
import {listSome} from './list-some.ts'
import {healthOf} from './track-health.ts'
import {dependencyNames} from './wake-dependents.ts'

const MAX_SHOWN = 10

/** What an app waits for: `cause` is the same as long as it waits for the same thing, however that is worded. */
export interface DependencyWait {
  /** False where nothing that runs is going to end the wait. */
  ready: 'Unknown' | 'False'
  cause: string
  message: string
}

/**
 * Decides whether an app may change now: all apps that it depends on are ready at what the desired state says of them, and their ready
 * expressions hold. Undefined where it may, else what it waits for. Throws `AppFailure` DEPENDENCY_CYCLE with the path.
 */
export async function judgeDependencies(
  ctx: Pick<AgentContext, 'apps'>,
  app: AppState,
  target: PresentApp,
): Promise<DependencyWait | undefined> {
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
    if (dependency?.target?.state !== 'present') {
      return {ready: 'False', cause: `${name} absent`, message: describeAbsent(ctx, app, name)}
    }
    const {condition, revision, target: wanted} = dependency
    const waitsFor = (cause: string, why: string): DependencyWait => ({
      ready: 'Unknown',
      cause: `${name} ${cause}`,
      message: `waits for app ${name}: ${why}`,
    })
    const words = mayKnow(target, wanted) ? `${condition.reason}: ${condition.message}` : condition.reason
    if (condition.ready !== 'True') return waitsFor(condition.reason, words)
    if (revision !== wanted.revision) return waitsFor('revision', `has not applied ${wanted.revision} yet`)
    const problem =
      readyExpr === undefined ? undefined : await evaluateReady(readyExpr, app, dependency, mayKnow(target, wanted))
    if (problem !== undefined) return waitsFor('readyExpr', problem)
  }
  return undefined
}

function describeAbsent({apps}: Pick<AgentContext, 'apps'>, app: AppState, name: string): string {
  const declared = [...apps.values()].filter((other) => other !== app && other.target?.state === 'present')
  const names = declared.map((other) => other.name).sort()
  const shown = names.length === 0 ? 'no others' : listSome(names, MAX_SHOWN, String, ', ')
  return `depends on app ${name}, which is not declared in this cluster: declare it, or take it out of dependsOn; declared are: ${shown}`
}

/** Why an app is not ready is told to those that are applied as the same identity, or as the agent itself. */
function mayKnow(app: PresentApp, dependency: PresentApp): boolean {
  return app.serviceAccount === undefined || app.serviceAccount === dependency.serviceAccount
}

async function evaluateReady(
  expression: string,
  app: AppState,
  dependency: AppState,
  isTold: boolean,
): Promise<string | undefined> {
  const compile = await loadExpressionCompiler()
  try {
    const dep = factsOf(dependency)
    const result = compile(expression)({app: factsOf(app), dep: isTold ? dep : {...dep, message: ''}})
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
