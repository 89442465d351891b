import type {App} from '#shared/model/app.ts'
import {DrawbridgeError} from '#shared/model/drawbridge-error.ts'
import {CONFIG_FILE} from '#shared/model/keys.ts'
import type {Finding} from '#shared/model/outcome.ts'
import {loadExpressionCompiler} from '#shared/plan/evaluate-expression.ts'
import {findCycle} from '#shared/plan/find-cycle.ts'

/**
 * Finds Apps of one declaration that depend on each other, with the path of the cycle, and ready expressions that cannot be compiled. An
 * app of another declaration may be depended on as well, so a name that is not known here is none.
 */
export async function checkDependencies(apps: readonly App[]): Promise<Finding[]> {
  const finding = (app: App, words: string): Finding => ({
    code: 'CONFIG_INVALID',
    message: `${CONFIG_FILE}: App ${app.metadata.name}, dependsOn: ${words}`,
    file: CONFIG_FILE,
    app: app.metadata.name,
  })
  const findings: Finding[] = []
  const named = new Map(apps.map(({metadata, spec}) => [metadata.name, (spec.dependsOn ?? []).map(({name}) => name)]))
  const told = new Set<string>()
  for (const app of apps) {
    const cycle = told.has(app.metadata.name)
      ? undefined
      : findCycle(app.metadata.name, (name) => named.get(name) ?? [])
    if (cycle === undefined) continue
    const words = `apps depend on each other: ${cycle.join(' → ')}; take one of the dependencies away`
    const members = new Set(cycle)
    for (const name of members) told.add(name)
    findings.push(...apps.filter(({metadata}) => members.has(metadata.name)).map((member) => finding(member, words)))
  }
  for (const app of apps) {
    for (const {readyExpr} of app.spec.dependsOn ?? []) {
      if (readyExpr === undefined) continue
      const compile = await loadExpressionCompiler()
      try {
        compile(readyExpr)
      } catch (error) {
        if (!(error instanceof DrawbridgeError)) throw error
        findings.push(finding(app, error.message))
      }
    }
  }
  return findings
}
