import {childObject} from '../../model/manifest.ts'
import {
  current,
  describeCondition,
  failed,
  findCondition,
  inProgress,
  type JudgeKind,
  readNumber,
  readText,
} from './read-status.ts'

/** Job: Current once it has begun (its end is not waited for), Failed where it gave up. */
export const judgeJob: JudgeKind = (object) => {
  const spec = childObject(object, 'spec')
  const status = childObject(object, 'status')
  const completions = readNumber(spec, 'completions', readNumber(spec, 'parallelism', 1))
  const counts = `${readNumber(status, 'succeeded', 0)} of ${completions} succeeded, ${readNumber(status, 'failed', 0)} failed, ${readNumber(status, 'active', 0)} active`
  if (findCondition(object, 'Complete')?.status === 'True') return current(`the job is complete: ${counts}`)
  const failure = findCondition(object, 'Failed')
  if (failure?.status === 'True') return failed(`the job has failed (${counts}): ${describeCondition(failure)}`)
  if (spec?.suspend === true) return current('the job is suspended, as its spec asks')
  if (readText(status, 'startTime') === '') return inProgress('the job has not begun')
  return current(`the job runs: ${counts}`)
}

/** CronJob: always Current, its jobs are objects of their own. */
export const judgeCronJob: JudgeKind = (object) => {
  const suspended = childObject(object, 'spec')?.suspend === true
  const last = readText(childObject(object, 'status'), 'lastScheduleTime')
  if (suspended) return current('suspended, as its spec asks')
  return current(last === '' ? 'not yet due' : `last scheduled at ${last}`)
}
