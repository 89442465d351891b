import type {DesiredApp, DesiredState} from '#shared/model/desired-state.ts'
import {passStage} from '#shared/model/trace.ts'
import type {AgentContext} from './agent-context.ts'
import {type AppState, createAppState, currentBundle} from './app-state.ts'
import {endDependencyWait, refreshWaits} from './await-dependencies.ts'
import {beginAnew, requestReconcile} from './request-reconcile.ts'
import {targetOf} from './roll-back.ts'
import {setCondition} from './set-condition.ts'
import {tellEvent} from './tell-event.ts'
import {tellSuspension} from './tell-suspension.ts'
import {endWaiting} from './track-health.ts'

/**
 * Makes an accepted desired state the one to bring about: apps whose entry changed are reconciled at once, whatever they were at; the
 * others are not touched. An app that it does not name, not even as removed, is left alone and reported.
 */
export function setDesired(ctx: AgentContext, desired: DesiredState, pulledAt: Date): void {
  ctx.desired = desired
  const changed: AppState[] = []
  for (const published of desired.apps) {
    const app = ctx.apps.get(published.name) ?? createAppState(published.name, ctx.ports.clock.now())
    ctx.apps.set(published.name, app)
    if (isSame(app.published, published)) continue
    app.published = published
    const target = targetOf(ctx, app, published)
    app.target = target
    tellSuspension(ctx, app)
    const restarted = target.state === 'present' && target.revision === app.revision && app.trace !== undefined
    if (!restarted) app.trace = passStage(target.trace, 'pulled', pulledAt)
    changed.push(app)
    // Set before any app runs: whoever asks what this app wants now waits until it is known.
    if (target.state === 'present' && currentBundle(app) === undefined) {
      const {promise, resolve} = Promise.withResolvers<void>()
      const before = app.loaded
      app.loading = promise
      app.loaded = () => {
        before()
        resolve()
      }
    } else app.loaded()
  }
  const named = new Set(desired.apps.map(({name}) => name))
  const unread = new Map((desired.unread ?? []).map((each) => [each.name, each.problem]))
  for (const [name, problem] of unread) {
    const app = ctx.apps.get(name) ?? createAppState(name, ctx.ports.clock.now())
    ctx.apps.set(name, app)
    holdUnread(ctx, app, problem)
  }
  for (const app of ctx.apps.values()) if (!named.has(app.name) && !unread.has(app.name)) leaveAlone(ctx, app)
  for (const app of changed) {
    if (app.target?.state === 'present' && app.target.revision !== app.revision) {
      tellEvent(ctx, app, {event: 'pulled', at: pulledAt})
    }
    app.abort?.abort()
    endWaiting(app, 'due')
    endDependencyWait(app)
    beginAnew(app)
    ctx.reconcile(app, 'all')
  }
  // What was another app's may be free by now.
  const refused = [...ctx.apps.values()].filter(({condition}) => condition.reason === 'OwnedByOther')
  if (changed.length > 0)
    for (const app of refused) if (!changed.includes(app) && app.target !== undefined) requestReconcile(ctx, app, 'now')
  refreshWaits(ctx)
  ctx.changed()
}

/** What is not understood may be there to keep something from happening, so nothing is done to this app. */
function holdUnread(ctx: AgentContext, app: AppState, problem: string): void {
  stopWork(app)
  const message = `the desired state says of this app what this agent does not understand (${problem}); nothing of it is changed. Upgrade the agent`
  setCondition(ctx, app, 'False', 'NotUnderstood', message)
}

function stopWork(app: AppState): void {
  app.published = undefined
  app.target = undefined
  app.loaded()
  app.abort?.abort()
  endWaiting(app, 'due')
  endDependencyWait(app)
}

function leaveAlone(ctx: AgentContext, app: AppState): void {
  stopWork(app)
  if (app.inventory.size === 0) {
    ctx.apps.delete(app.name)
    return
  }
  const message =
    'the desired state no longer names this app, and does not say that it was removed; its objects are left alone'
  setCondition(ctx, app, 'Unknown', 'Orphaned', message)
}

/** Equal but for the trace. */
function isSame(present: DesiredApp | undefined, next: DesiredApp): boolean {
  return present !== undefined && JSON.stringify({...present, trace: null}) === JSON.stringify({...next, trace: null})
}
