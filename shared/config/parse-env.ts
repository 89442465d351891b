import type * as z from 'zod'
import {DrawbridgeError} from '../model/drawbridge-error.ts'

/** Why a program cannot start: its settings. `message` lists every problem, one a line, by the variable's name. */
export class ConfigError extends DrawbridgeError<'INVALID_CONFIG'> {}

/** The environment as a program sees it. */
export type Env = Readonly<Record<string, string | undefined>>

/**
 * Reads settings from environment variables by a schema; an empty variable counts as absent. Throws `ConfigError` with every
 * problem at once; the values themselves are not in it.
 */
export function parseEnv<Output>(schema: z.ZodType<Output>, env: Env): Output {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
  const parsed = schema.safeParse(given)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(({path, message, code}) => {
    const name = path.join('.')
    const isMissing = code === 'invalid_type' && given[String(path[0])] === undefined
    return `  ${name}: ${isMissing ? 'is not set' : message}`
  })
  throw new ConfigError(
    'INVALID_CONFIG',
    `the environment is not usable; set these variables and start again:\n${problems.join('\n')}`,
    {variables: parsed.error.issues.map(({path}) => path.join('.'))},
  )
}
