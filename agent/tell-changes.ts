import {formatRef, type ObjectRef, refKey} from '#shared/model/object-ref.ts'
import {type AgentContext, aboutApp} from './agent-context.ts'
import type {AppState} from './app-state.ts'
import {listSome} from './list-some.ts'
import type {Change} from './plan-changes.ts'
import type {PruneResult} from './prune-objects.ts'
import {tellEvent} from './tell-event.ts'
import {wasKept} from './was-told.ts'

const SHOWN = 5

/** Tells what was pruned (`why` ends the sentence), and what was kept though it is no longer desired. */
export function tellPruned(ctx: AgentContext, app: AppState, {pruned, retained}: PruneResult, why = ''): void {
  const at = ctx.ports.clock.now()
  const failed = retained.find(({code}) => code === 'FAILED')
  const kept = failed ?? retained[0]
  const message = `not pruned: ${summarize(retained.map(({ref}) => ref))}: ${kept?.reason}`
  const isKnown = kept !== undefined && wasKept(ctx, app, {code: kept.code, message})
  const [first] = pruned
  if (first !== undefined) {
    tellEvent(ctx, app, {event: 'pruned', at, object: first, message: `pruned ${summarize(pruned)}${why}`})
  }
  app.notice = undefined
  if (kept === undefined) {
    app.toldNotice = undefined
    return
  }
  app.notice = {message, failed: failed !== undefined}
  if (app.toldNotice === message) return
  app.toldNotice = message
  if (kept.code === 'PRUNE_OFF' || isKnown) return
  ctx.ports.log('warn', `app ${app.name}: ${message}`, aboutApp(app, refKey(kept.ref)))
  tellEvent(ctx, app, {event: 'failed', at, object: kept.ref, code: kept.code, message})
}

/** Tells what drifted while nobody watched. */
export function tellDrifted(ctx: AgentContext, app: AppState, changes: Change[]): void {
  for (const change of changes) {
    if (change.why !== 'drifted' || app.drifted.has(change.object.key)) continue
    const {key, ref} = change.object
    const at = ctx.ports.clock.now()
    const what = `${change.drift === 'missing' ? 'deleted' : 'changed'} while nobody watched`
    app.drifted.set(key, {ref, what, since: at.toISOString()})
    tellEvent(ctx, app, {event: 'drifted', at, object: ref, message: `${formatRef(ref)} ${what}`})
  }
}

/** Tells what of it is as desired again. */
export function tellHealed(ctx: AgentContext, app: AppState, changes: Change[]): void {
  for (const {object, why} of changes) {
    if (why !== 'drifted') continue
    app.drifted.delete(object.key)
    const message = `${formatRef(object.ref)} is as desired again`
    tellEvent(ctx, app, {event: 'healed', at: ctx.ports.clock.now(), object: object.ref, message})
  }
}

function summarize(refs: ObjectRef[]): string {
  return listSome(refs, SHOWN, formatRef, ', ')
}
