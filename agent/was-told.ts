import type {AgentContext} from './agent-context.ts'
import type {AppState} from './app-state.ts'
import {shortenText} from './shorten-text.ts'

/**
 * Tells whether an app's failure stands among the events already, those of an earlier agent included, and nothing was well since: a
 * restart tells the same story as none.
 */
export function wasTold(
  {events}: Pick<AgentContext, 'events'>,
  {name, target}: Pick<AppState, 'name' | 'target'>,
  {code, message}: {code: string; message: string},
): boolean {
  const revision = target?.state === 'present' ? target.revision : undefined
  const own = events.filter(({app}) => app === name)
  const last = own.findLastIndex(
    (told) =>
      (told.event === 'failed' || told.event === 'refused') &&
      told.revision === revision &&
      told.code === code &&
      told.message === shortenText(message),
  )
  return last !== -1 && !own.slice(last).some(({event}) => event === 'healthy' || event === 'removed')
}
