import type {ReportEvent} from '#shared/model/cluster-report.ts'
import {refKey} from '#shared/model/object-ref.ts'
import {passStage} from '#shared/model/trace.ts'
import type {AgentContext, Telling} from './agent-context.ts'
import type {AppState} from './app-state.ts'
import {shortenText} from './shorten-text.ts'

const MAX_EVENTS = 500
/** Of the clocks of two nodes. */
const MAX_CLOCK_SKEW_MS = 3_600_000

/** Tells what happened to an app: one line in the journal, one event in the report, and its stage in the app's trace. */
export function tellEvent(ctx: AgentContext, app: AppState, {event, at, message, object, code}: Telling): void {
  const target = app.target
  const revision = target?.state === 'present' ? target.revision : undefined
  if (
    app.trace !== undefined &&
    (event === 'pulled' || event === 'verified' || event === 'applied' || event === 'healthy')
  ) {
    app.trace = passStage(app.trace, event, at)
  }
  const told = {
    event,
    at: at.toISOString(),
    app: app.name,
    ...(revision === undefined ? {} : {revision}),
    ...(code === undefined ? {} : {code}),
    ...(message === undefined ? {} : {message: shortenText(message)}),
  }
  ctx.ports.journal.record({
    ...told,
    cluster: ctx.config.cluster,
    ...(target?.state === 'present'
      ? {repository: target.source.repository, ref: target.source.ref, commit: target.source.commit}
      : {}),
    ...(object === undefined ? {} : {object: refKey(object)}),
    ...(ctx.desired === undefined ? {} : {version: ctx.desired.version}),
    ...(app.trace === undefined ? {} : {traceparent: app.trace.traceparent}),
  })
  if (event === 'pulled') return
  const trace = event === 'applied' || event === 'healthy' ? app.trace : undefined
  addEvent(ctx, {
    ...told,
    event,
    ...(object === undefined ? {} : {object}),
    ...(trace === undefined ? {} : {trace}),
  })
}

/** Tells of a desired state as a whole that was refused. */
export function tellRefusal(ctx: AgentContext, at: Date, code: string, message: string): void {
  const told = {event: 'refused' as const, at: at.toISOString(), code, message}
  ctx.ports.journal.record({...told, cluster: ctx.config.cluster})
  addEvent(ctx, told)
}

function addEvent(ctx: AgentContext, event: Omit<ReportEvent, 'id'>): void {
  const told = {...event, id: nextEventId(ctx.events.at(-1)?.id, new Date(event.at))}
  ctx.events.push(told)
  ctx.announce(told)
  if (ctx.events.length > MAX_EVENTS) ctx.events.splice(0, ctx.events.length - MAX_EVENTS)
  ctx.changed()
}

/**
 * Keeps those of a former report's events that may have happened by now. Ids go on where the last ends, so that one far in the future (a
 * clock that was wrong, somebody who may write to the bucket) would make all that come later unreadable.
 */
export function datedUntil(now: Date, events: readonly ReportEvent[]): ReportEvent[] {
  return events.filter(({id}) => Number(id.split('-')[0]) <= now.getTime() + MAX_CLOCK_SKEW_MS)
}

/** An id after `last`, even where the clock went back. */
export function nextEventId(last: string | undefined, at: Date): string {
  const [lastMs = '', lastCount = ''] = last?.split('-') ?? []
  const ms = Math.max(at.getTime(), Number(lastMs))
  const count = ms === Number(lastMs) ? Number(lastCount) + 1 : 0
  if (count > 999_999) return nextEventId(undefined, new Date(ms + 1))
  return `${String(ms).padStart(13, '0')}-${String(count).padStart(6, '0')}`
}
