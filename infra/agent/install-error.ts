import {DrawbridgeError} from '#shared/model/drawbridge-error.ts'

/** One value of an installation that cannot be used; `path` begins with its name. */
export interface InstallProblem {
  path: readonly string[]
  message: string
}

/** What was given does not make an installation. */
export class InstallError extends DrawbridgeError<'INVALID'> {
  readonly problems: readonly InstallProblem[]

  constructor(problems: readonly InstallProblem[]) {
    const lines = problems.map(({path, message}) => `\n  ${path.join('.')}: ${message}`)
    super('INVALID', `this makes no installation:${lines.join('')}`)
    this.problems = problems
  }
}
