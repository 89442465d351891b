import type {App} from '#shared/model/app.ts'
import {DrawbridgeError} from '#shared/model/drawbridge-error.ts'
import {CONFIG_FILE} from '#shared/model/keys.ts'
import type {Finding} from '#shared/model/outcome.ts'
import {compileHealthExprs} from '#shared/plan/health-rules/compile-health-exprs.ts'
import {compileIgnoreRules} from '#shared/plan/ignore/compile-ignore-rules.ts'

/** Finds expressions and paths in an App's `sync` that its agents could not use: better said before anything is published. */
export async function checkSyncOptions({metadata, spec: {sync}}: App): Promise<Finding[]> {
  const findings: Finding[] = []
  const check = async (field: string, compile: () => unknown): Promise<void> => {
    try {
      await compile()
    } catch (error) {
      if (!(error instanceof DrawbridgeError)) throw error
      const message = `${CONFIG_FILE}: App ${metadata.name}, sync.${field}: ${error.message}`
      findings.push({code: 'CONFIG_INVALID', message, file: CONFIG_FILE, app: metadata.name})
    }
  }
  for (const [index, rule] of (sync.ignoreDifferences ?? []).entries()) {
    await check(`ignoreDifferences[${index}]`, () => compileIgnoreRules([rule]))
  }
  for (const [index, expr] of (sync.healthCheckExprs ?? []).entries()) {
    await check(`healthCheckExprs[${index}]`, () => compileHealthExprs([expr]))
  }
  return findings
}
