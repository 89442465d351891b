import type {AgentContext} from './agent-context.ts'
import type {AppCondition, AppState} from './app-state.ts'
import {shortenText} from './shorten-text.ts'

/** Sets what the report says of an app; `since` moves only when `ready` does. */
export function setCondition(
  ctx: Pick<AgentContext, 'ports' | 'changed' | 'conditionChanged'>,
  app: AppState,
  ready: AppCondition['ready'],
  reason: string,
  words: string,
): void {
  const {condition} = app
  const message = shortenText(words)
  if (condition.ready === ready && condition.reason === reason && condition.message === message) return
  const since = condition.ready === ready ? condition.since : ctx.ports.clock.now().toISOString()
  app.condition = {ready, reason, message, since}
  ctx.conditionChanged(app)
  ctx.changed()
}
