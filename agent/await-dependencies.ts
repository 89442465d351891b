import type {PresentApp} from '#shared/model/desired-state.ts'
import type {AgentContext} from './agent-context.ts'
import {isSuspended} from './app-orders.ts'
import type {AppState} from './app-state.ts'
import {type DependencyWait, judgeDependencies} from './judge-dependencies.ts'
import {requestReconcile} from './request-reconcile.ts'
import {setCondition} from './set-condition.ts'
import {tellEvent} from './tell-event.ts'
import {dependencyNames} from './wake-dependents.ts'
import {wasTold} from './was-told.ts'

const REASON = 'DependencyNotReady'
/** What others are ready for sooner is not worth an event. */
const LASTING_MS = 5_000

/** Decides whether an app may change now; where it may not, says in its condition what it waits for, and goes on to say it. */
export async function awaitDependencies(
  ctx: AgentContext,
  app: AppState,
  target: PresentApp,
): Promise<'ready' | 'waiting'> {
  const wait = await judgeDependencies(ctx, app, target)
  if (wait === undefined) {
    endDependencyWait(app)
    return 'ready'
  }
  if (app.dependencyWait?.target !== target) {
    endDependencyWait(app)
    app.dependencyWait = {target, cause: wait.cause, lasts: false, told: new Set(), timer: startTimer(ctx, app)}
  }
  sayWait(ctx, app, wait)
  return 'waiting'
}

/** Nothing is waited for any more, or by something else. */
export function endDependencyWait(app: AppState): void {
  clearTimeout(app.dependencyWait?.timer)
  app.dependencyWait = undefined
}

/** Lets the apps that wait for one that changed, or for any, say what it is now. */
export function refreshWaits(ctx: AgentContext, changed?: AppState): void {
  for (const app of ctx.apps.values()) {
    if (app === changed || !app.dependent) continue
    if (changed === undefined || dependencyNames(app).includes(changed.name)) void refreshWait(ctx, app)
  }
}

async function refreshWait(ctx: AgentContext, app: AppState): Promise<void> {
  // What runs may have asked before the change, and says so only now.
  await app.running
  const {dependencyWait} = app
  if (dependencyWait === undefined || app.condition.reason !== REASON || isSuspended(ctx, app)) return
  try {
    const wait = await judgeDependencies(ctx, app, dependencyWait.target)
    if (ctx.signal.aborted || app.dependencyWait !== dependencyWait || app.running !== undefined) return
    if (wait === undefined) requestReconcile(ctx, app, 'now')
    else sayWait(ctx, app, wait)
  } catch {
    // A cycle: its reconcile says so.
    requestReconcile(ctx, app, 'now')
  }
}

function sayWait(ctx: AgentContext, app: AppState, {ready, cause, message}: DependencyWait): void {
  if (app.dependencyWait !== undefined) app.dependencyWait.cause = cause
  setCondition(ctx, app, ready, REASON, message)
  tellLasting(ctx, app)
}

function startTimer(ctx: AgentContext, app: AppState): NodeJS.Timeout {
  const timer = setTimeout(() => {
    if (app.dependencyWait === undefined || ctx.signal.aborted || isSuspended(ctx, app)) return
    app.dependencyWait.lasts = true
    tellLasting(ctx, app)
  }, LASTING_MS)
  timer.unref()
  return timer
}

/** Once per cause: what a dependency says of its progress changes too often. */
function tellLasting(ctx: AgentContext, app: AppState): void {
  const {dependencyWait, condition} = app
  if (dependencyWait?.lasts !== true || condition.reason !== REASON) return
  if (dependencyWait.told.has(dependencyWait.cause)) return
  dependencyWait.told.add(dependencyWait.cause)
  const told = {code: 'DEPENDENCY_NOT_READY', message: condition.message}
  if (!wasTold(ctx, app, told)) tellEvent(ctx, app, {event: 'failed', at: ctx.ports.clock.now(), ...told})
}
