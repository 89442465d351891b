import {setTimeout as sleep} from 'node:timers/promises'
import {describeError} from '#shared/model/drawbridge-error.ts'
import {formatRef} from '#shared/model/object-ref.ts'
import {type AgentContext, aboutApp} from './agent-context.ts'
import {isSuspended} from './app-orders.ts'
import type {AppState, Drift} from './app-state.ts'
import {applyObject} from './apply-objects.ts'
import {describeDrift, describeUnread, undescribed} from './describe-drift.ts'
import {appliedAs, driftOf, isWriting} from './detect-drift.ts'
import {declaresNow, owns} from './judge-claims.ts'
import {createHealRecord, type HealRecord, noteFailure, noteHeal} from './pace-heals.ts'
import {requestReconcile} from './request-reconcile.ts'
import {tellEvent} from './tell-event.ts'

/** Looks whether an object drifted, and if so tells it and, where the app asks for that, applies it again. One at a time per object. */
export function handleDrift(ctx: AgentContext, app: AppState, key: string): void {
  const asked = app.target?.state === 'present' ? app.target.sync.drift : 'off'
  const policy = asked === 'heal' && isSuspended(ctx, app) ? 'detect' : asked
  if (app.healing.has(key)) {
    app.seenMeanwhile.add(key)
    return
  }
  const kind = policy === 'off' ? undefined : driftOf(ctx, app, key)
  if (kind === undefined) {
    const record = app.heals.get(key)
    if (record !== undefined) record.failures = 0
    if (app.drifted.delete(key)) ctx.changed()
    return
  }
  if (policy === 'off') return
  app.healing.add(key)
  void healWhileDrifted(ctx, app, key, policy)
    .catch((error: unknown) => pauseAfterFailure(ctx, app, key, error))
    .finally(() => {
      app.healing.delete(key)
      if (app.seenMeanwhile.delete(key) && !ctx.signal.aborted) handleDrift(ctx, app, key)
    })
}

/** Compares an object with a dry run, whatever its metadata says; what differs is then handled as drift. */
export async function verifyObject(ctx: AgentContext, app: AppState, key: string): Promise<void> {
  const entry = app.inventory.get(key)
  const applied = appliedAs(ctx, app, key)
  const idle = !isWriting(app) && !app.busy.has(key) && !app.healing.has(key)
  if (applied === undefined || entry === undefined || entry.applied === '' || !idle) return
  const drift = await describeDrift(ctx, app, applied.bundle, applied.object, 'reapplied')
  if (drift === 'no-difference' || app.inventory.get(key) !== entry) return
  // Its metadata did not tell, so it is not believed any more.
  entry.fields = ''
  handleDrift(ctx, app, key)
}

async function healWhileDrifted(
  ctx: AgentContext,
  app: AppState,
  key: string,
  policy: 'heal' | 'detect',
): Promise<void> {
  // Something may change again while it is healed: its event was ignored meanwhile. Bounded by the pause for fights.
  for (let round = 0; round < 20 && !ctx.signal.aborted; round++) {
    const kind = driftOf(ctx, app, key)
    const entry = app.inventory.get(key)
    if (kind === undefined || entry === undefined) return
    const applied = appliedAs(ctx, app, key)
    const drift = await (applied === undefined
      ? describeUnread(ctx, app, entry, kind)
      : describeDrift(ctx, app, applied.bundle, applied.object, kind)
    ).catch((error: unknown) => undescribed(ctx, entry, error))
    // It was put right, or is under our own hands, by now.
    if (driftOf(ctx, app, key) === undefined) return
    if (drift !== 'no-difference') noteDrift(ctx, app, key, drift)
    else if (app.drifted.delete(key)) ctx.changed()
    if (policy === 'detect' || applied === undefined || isSuspended(ctx, app)) return
    const {bundle, object} = applied
    // It cannot be made anew before it is gone; that it is gone is told by the watch.
    if (kind === 'terminating') return
    if (kind === 'other-owner') {
      const other = ctx.apps.get(ctx.live.get(key)?.app ?? '')
      if (other !== undefined && owns(ctx, other, key) && declaresNow(other, key) !== false) return
    }
    if (drift !== 'no-difference') await pauseInFight(ctx, app, key)
    await ctx.acceptance
    await ctx.requireLead()
    const healed = await ctx.ports.limit.run(async () => {
      if (ctx.signal.aborted || isSuspended(ctx, app) || isWriting(app) || app.bundle !== bundle) return false
      await applyObject(ctx, app, bundle, object)
      return true
    }, app.name)
    // A newer bundle, or a reconcile that looks again when it is through: what is wanted may be another thing by now.
    if (!healed) continue
    recordOf(app, key).failures = 0
    if (app.drifted.delete(key) && drift !== 'no-difference') {
      tellEvent(ctx, app, {
        event: 'healed',
        at: ctx.ports.clock.now(),
        object: object.ref,
        message: `${formatRef(object.ref)} is as desired again`,
      })
    }
    requestReconcile(ctx, app, 'inventory')
  }
  requestReconcile(ctx, app, 'soon')
}

function noteDrift(ctx: AgentContext, app: AppState, key: string, drift: Drift): void {
  const known = app.drifted.get(key)
  app.drifted.set(key, {...drift, since: known?.since ?? drift.since})
  if (known?.what === drift.what && known.manager === drift.manager) {
    ctx.changed()
    return
  }
  const by = drift.manager === undefined ? '' : ` (last changed by ${drift.manager})`
  tellEvent(ctx, app, {
    event: 'drifted',
    at: ctx.ports.clock.now(),
    object: drift.ref,
    message: `${formatRef(drift.ref)} ${drift.what}${by}`,
  })
}

/** Waits where somebody keeps changing it back. */
async function pauseInFight(ctx: AgentContext, app: AppState, key: string): Promise<void> {
  const pauseMs = noteHeal(recordOf(app, key), performance.now())
  if (pauseMs === 0) return
  ctx.ports.telemetry.fought()
  const drift = app.drifted.get(key)
  if (drift !== undefined) {
    noteDrift(ctx, app, key, {...drift, what: `${drift.what}; it is changed back again and again, so healing pauses`})
  }
  await sleep(pauseMs, undefined, {signal: ctx.signal}).catch(() => undefined)
}

/** Waits before a heal that failed is tried again, longer each time. */
async function pauseAfterFailure(ctx: AgentContext, app: AppState, key: string, error: unknown): Promise<void> {
  if (ctx.signal.aborted) return
  const words = describeError(error)
  ctx.ports.log('warn', `healing ${key} of app ${app.name}: ${words}`, aboutApp(app, key))
  const drift = app.drifted.get(key)
  if (drift !== undefined && !drift.what.endsWith(words))
    noteDrift(ctx, app, key, {...drift, what: `${drift.what}; it cannot be healed: ${words}`})
  // The app is to say that it is not as desired: a reconcile tries it too, and fails in its name.
  requestReconcile(ctx, app, 'soon')
  await sleep(noteFailure(recordOf(app, key)), undefined, {signal: ctx.signal}).catch(() => undefined)
  app.seenMeanwhile.add(key)
}

function recordOf(app: AppState, key: string): HealRecord {
  const record = app.heals.get(key) ?? createHealRecord()
  app.heals.set(key, record)
  return record
}
