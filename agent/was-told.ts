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

/** Tells whether the bundle of an app's revision was told as verified, as the last one: also one of which nothing came. */
export function wasVerified({events}: Pick<AgentContext, 'events'>, name: string, revision: string): boolean {
  const last = events.findLast(({app, event}) => app === name && (event === 'verified' || event === 'removed'))
  return last?.event === 'verified' && last.revision === revision
}

/** Tells whether it was told last of an app's prunes that, and why, this is kept. */
export function wasKept(
  {events}: Pick<AgentContext, 'events'>,
  {name, target}: Pick<AppState, 'name' | 'target'>,
  {code, message}: {code: string; message: string},
): boolean {
  const last = events.findLast(
    ({app, event, object}) =>
      app === name && (event === 'pruned' || event === 'removed' || (event === 'failed' && object !== undefined)),
  )
  const revision = target?.state === 'present' ? target.revision : undefined
  return last?.code === code && last.message === shortenText(message) && last.revision === revision
}
