import {readFileSync} from 'node:fs'
import {type BridgeConfig, parseBridgeConfig} from './bridge-config.ts'
import {BridgeConfigError} from './bridge-config-error.ts'

/**
 * Finds the configuration of a deployment: the JSON file that DRAWBRIDGE_CONFIG names, else the CDK context `drawbridge` (an
 * object in cdk.json, or JSON text after `-c drawbridge=`). Throws `BridgeConfigError`: ABSENT where there is neither,
 * UNREADABLE where it is no JSON, INVALID.
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>>, context: unknown): BridgeConfig {
  const file = env.DRAWBRIDGE_CONFIG
  if (file !== undefined && file !== '') return loadConfigFile(file)
  if (context === undefined || context === null) {
    throw new BridgeConfigError(
      'ABSENT',
      'no configuration: set DRAWBRIDGE_CONFIG to a JSON file (infra/aws/example.json shows one), or put an object under "context"."drawbridge" in cdk.json',
    )
  }
  const where = 'the CDK context "drawbridge"'
  return parseBridgeConfig(typeof context === 'string' ? parseJson(context, where) : context, where)
}

/** Reads the configuration of a deployment from a JSON file. Throws `BridgeConfigError` UNREADABLE or INVALID. */
export function loadConfigFile(file: string): BridgeConfig {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new BridgeConfigError('UNREADABLE', `cannot read the configuration file ${file}`, {file}, {cause})
  }
  return parseBridgeConfig(parseJson(text, file), file)
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new BridgeConfigError('UNREADABLE', `the configuration in ${where} is not JSON`, {where}, {cause})
  }
}
