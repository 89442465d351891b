import type {DesiredApp, PresentApp} from '#shared/model/desired-state.ts'
import {describeError} from '#shared/model/drawbridge-error.ts'
import {type AgentContext, aboutApp} from './agent-context.ts'
import type {AppState} from './app-state.ts'
import type {HealthyBundle} from './healthy-store.ts'
import {beginAnew} from './request-reconcile.ts'
import {tellEvent} from './tell-event.ts'

const MAX_REASON_LENGTH = 1_000

/**
 * What is to be brought about for a published app: itself, or the last healthy bundle where this very publication was rolled back.
 * Anything newer ends the hold.
 */
export function targetOf(ctx: AgentContext, app: AppState, published: DesiredApp): DesiredApp {
  const {rolledBack, healthy} = app
  if (rolledBack === undefined) return published
  const held =
    published.state === 'present' &&
    published.sync.rollback === true &&
    published.revision === rolledBack.revision &&
    published.bundle.digest === rolledBack.digest
  if (held && healthy !== undefined) return withBundle(published, healthy)
  app.rolledBack = undefined
  save(ctx, app)
  return published
}

/** Goes back to the last healthy bundle, where the app asks for that and there is one. The next reconcile applies it. */
export function rollBack(ctx: AgentContext, app: AppState, reason: string): 'rolling-back' | 'stays' {
  const {published, healthy} = app
  if (published?.state !== 'present' || published.sync.rollback !== true || healthy === undefined) return 'stays'
  if (app.rolledBack !== undefined || healthy.bundle.digest === published.bundle.digest) return 'stays'
  app.rolledBack = {
    revision: published.revision,
    digest: published.bundle.digest,
    reason: reason.slice(0, MAX_REASON_LENGTH),
    since: ctx.ports.clock.now().toISOString(),
  }
  save(ctx, app)
  const message = `rolled back to ${healthy.revision}: ${reason}`
  tellEvent(ctx, app, {event: 'rolledback', at: ctx.ports.clock.now(), message})
  app.target = withBundle(published, healthy)
  app.trace = healthy.trace
  beginAnew(app)
  ctx.reconcile(app, 'all')
  return 'rolling-back'
}

/** Says why there is no rollback though the app asks for one; '' where that is not so. */
export function describeNoRollback({published, healthy}: AppState): string {
  const isAsked = published?.state === 'present' && published.sync.rollback === true
  return isAsked && healthy === undefined ? '; no rollback: no revision of it is known to have been healthy' : ''
}

/**
 * Notes that an app's bundle is healthy: the next publication may ask for it. The cluster remembers it where the app asks for rollback by now, and
 * else forgets an older one, which would no longer be the last.
 */
export function noteHealthy(ctx: AgentContext, app: AppState): void {
  const {target} = app
  if (target?.state !== 'present') return
  if (app.rolledBack !== undefined) {
    if (!app.isHealthyKept) save(ctx, app)
    return
  }
  const asks = target.sync.rollback === true
  const isNoted = app.healthy?.bundle.digest === target.bundle.digest && app.healthy.revision === target.revision
  if (!isNoted) {
    const {revision, source, inputs, bundle} = target
    app.healthy = {revision, source, inputs, bundle, trace: app.trace ?? target.trace}
  }
  if (asks && !(isNoted && app.isHealthyKept)) save(ctx, app)
  if (!asks && app.isHealthyKept) forget(ctx, app)
}

/** Only what is verified again comes from memory; whose rights it is applied with, and how, from what is signed now. */
function withBundle(published: PresentApp, {revision, source, inputs, bundle, trace}: HealthyBundle): PresentApp {
  return {...published, revision, source, inputs, bundle, trace}
}

function save(ctx: AgentContext, app: AppState): void {
  const {healthy, rolledBack} = app
  if (healthy === undefined) return
  const record = {healthy, ...(rolledBack === undefined ? {} : {rolledBack})}
  remember(ctx, app, true, () => ctx.healthy.save(app.name, record))
}

function forget(ctx: AgentContext, app: AppState): void {
  remember(ctx, app, false, () => ctx.healthy.remove(app.name))
}

/** What fails is tried again when the app is next found healthy. */
function remember(ctx: AgentContext, app: AppState, isKept: boolean, write: () => Promise<void>): void {
  app.isHealthyKept = isKept
  app.remembering = app.remembering
    .then(() => (ctx.signal.aborted ? undefined : write()))
    .catch((error: unknown) => {
      app.isHealthyKept = !isKept
      ctx.ports.log(
        'warn',
        `app ${app.name}: its last healthy bundle cannot be kept: ${describeError(error)}`,
        aboutApp(app),
      )
    })
}
