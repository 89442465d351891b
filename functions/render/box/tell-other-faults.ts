import {formatPlace} from '#shared/model/outcome.ts'
import {RenderError} from '../render-error.ts'
import {explainProblem, type ProblemContext} from './explain-problem.ts'
import type {ProgramResult} from './program.ts'

const maxTold = 5
const maxWordsLength = 300
/** The thread is ended where it says nothing for long, and the first fault would be lost with it. */
const maxLookingMs = 5_000

/**
 * Adds to what is wrong with one file of a plain folder what is wrong with the files after it, so that its author need not push once for
 * each. Only files that are no YAML are looked for; at most five are told.
 */
export function tellOtherFaults(
  first: RenderError,
  files: readonly string[],
  context: ProblemContext,
  run: (files: readonly string[]) => ProgramResult,
): RenderError {
  const others: string[] = []
  let rest = filesAfter(first, files)
  const started = performance.now()
  while (first.code === 'YAML_INVALID' && rest.length > 0) {
    const fault = findFault(rest, context, run)
    if (fault === undefined) break
    if (others.length + 1 === maxTold || performance.now() - started > maxLookingMs) {
      others.push('there are more')
      break
    }
    others.push(`${formatPlace(fault.place)}: ${fault.message.slice(0, maxWordsLength)}`)
    rest = filesAfter(fault, rest)
  }
  if (others.length === 0) return first
  return new RenderError(first.code, `${first.message}; also ${others.join('; ')}`, first.place, {cause: first})
}

function findFault(
  files: readonly string[],
  context: ProblemContext,
  run: (files: readonly string[]) => ProgramResult,
): RenderError | undefined {
  try {
    const {problem} = run(files)
    if (problem?.code !== 'YAML_INVALID') return undefined
    return explainProblem(new RenderError(problem.code, problem.message, problem.place), context)
  } catch (error) {
    // Whatever else there is, the first fault is told.
    if (error instanceof RenderError) return undefined
    throw error
  }
}

function filesAfter({place}: RenderError, files: readonly string[]): readonly string[] {
  const index = place.file === undefined ? -1 : files.indexOf(place.file)
  return index < 0 ? [] : files.slice(index + 1)
}
