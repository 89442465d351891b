import {formatRef} from '#shared/model/object-ref.ts'
import {isPrunedLast, mostPruned} from '#shared/plan/order-prune.ts'
import {type AgentContext, dropEntry} from './agent-context.ts'
import {AppFailure} from './app-failure.ts'
import {APPROVE_PRUNE_ANNOTATION, isPruneApproved} from './app-orders.ts'
import {type AppState, impersonatedUser, type LoadedBundle} from './app-state.ts'
import type {StepRun} from './apply-steps.ts'
import {awaitHealth} from './await-health.ts'
import {listSome} from './list-some.ts'
import {declares, isEmpty, isFormerRun} from './plan-objects.ts'
import {type PruneResult, pruneObjects} from './prune-objects.ts'
import {settleClaims} from './settle-claims.ts'

const SHOWN = 5

/** Deletes what the app applied and no longer declares, unless something speaks against it. What asks for `PruneLast` goes when all else is healthy. */
export async function pruneApp(run: StepRun): Promise<PruneResult> {
  const {ctx, app, bundle, signal} = run
  const gone = goneFrom(app, bundle)
  const {sync} = bundle.app
  if (gone.length === 0) return {pruned: [], retained: [], finalizing: 0}
  if (!sync.prune) return {pruned: [], retained: await leaveThere(run, gone), finalizing: 0}
  const refuse = (code: string, reason: string): PruneResult => ({
    pruned: [],
    retained: gone.flatMap((key) => {
      const ref = app.inventory.get(key)?.ref
      return ref === undefined ? [] : [{ref, code, reason}]
    }),
    finalizing: 0,
  })
  if (isEmpty(bundle) && !sync.allowEmpty) {
    return refuse('EMPTY', 'the app renders to nothing; set sync.allowEmpty to let that prune everything')
  }
  // An object may have moved to another app: who wants it must be known of every app before anything is deleted.
  await othersLoaded(ctx, app)
  await ctx.acceptance
  const options = {
    ...impersonatedUser(bundle.app),
    purpose: 'prune' as const,
    propagation: sync.prunePropagation ?? 'Background',
    patienceSeconds: sync.timeoutSeconds,
  }
  const last = gone.filter((key) => isLast(ctx, key))
  const first = last.length === 0 ? gone : gone.filter((key) => !last.includes(key))
  const result = await pruneObjects(ctx, app, first, signal, options)
  if (last.length === 0 || signal.aborted) return result
  const objects = [...bundle.objects.values()]
  await awaitHealth(ctx, app, objects, {what: 'PruneLast', timeoutSeconds: sync.timeoutSeconds, signal})
  if (signal.aborted) return result
  const rest = await pruneObjects(ctx, app, last, signal, options)
  return {
    pruned: [...result.pruned, ...rest.pruned],
    retained: [...result.retained, ...rest.retained],
    finalizing: result.finalizing + rest.finalizing,
  }
}

/**
 * Stops an app before its first change where it would then delete more than `sync.pruneLimit` lets it: throws `AppFailure` PRUNE_LIMIT. What
 * moves to another app is not deleted, and does not count. `approved`: it does, and somebody in the cluster let it.
 */
export async function checkPruneLimit({ctx, app, bundle, signal}: StepRun): Promise<'within' | 'approved'> {
  const {sync} = bundle.app
  const limit = sync.pruneLimit
  if (limit === undefined || !sync.prune) return 'within'
  const total = [...app.inventory.values()].filter(({hook}) => hook === undefined).length
  const most = mostPruned(limit, total)
  const gone = goneFrom(app, bundle).filter((key) => app.inventory.get(key)?.hook === undefined)
  if (gone.length <= most) return 'within'
  await othersLoaded(ctx, app)
  const claims = await settleClaims(ctx, app, gone, signal)
  const lost = gone.filter((key) => claims.claimOn(key) === undefined && !isOthers(ctx, app, key))
  if (lost.length <= most) return 'within'
  if (isPruneApproved(ctx, bundle.app)) return 'approved'
  const refs = lost.flatMap((key) => app.inventory.get(key)?.ref ?? [])
  const approved = ctx.orders.get(app.name)?.prune
  const other = approved === undefined ? '' : `; approved is ${approved}, and this is ${bundle.app.revision}`
  throw new AppFailure(
    'PRUNE_LIMIT',
    `it would delete ${lost.length} of its ${total} object(s), ${listSome(refs, SHOWN, formatRef, ', ')}, and sync.pruneLimit allows ${Math.floor(most)}; nothing is changed: put them back, raise sync.pruneLimit, or let this revision do it by the annotation ${APPROVE_PRUNE_ANNOTATION}=${bundle.app.revision} of App ${ctx.config.namespace}/${app.name}${other}`,
  )
}

/** What stays since the app prunes nothing remains known, so that it is told, and pruned once the app does; unless it is no longer ours. */
async function leaveThere({ctx, app, signal}: StepRun, gone: readonly string[]): Promise<PruneResult['retained']> {
  await othersLoaded(ctx, app)
  const claims = await settleClaims(ctx, app, gone, signal)
  return gone.flatMap((key) => {
    const ref = app.inventory.get(key)?.ref
    const claim = claims.claimOn(key)
    if (claim?.action === 'retain') app.awaited.add(claim.claimant.name)
    const isOurs = ctx.live.get(key)?.app === app.name && claim?.action !== 'forget'
    if (ref !== undefined && isOurs) return [{ref, code: 'PRUNE_OFF', reason: 'sync.prune is off'}]
    dropEntry(ctx, app, key)
    return []
  })
}

function isOthers(ctx: Pick<AgentContext, 'live'>, app: AppState, key: string): boolean {
  const owner = ctx.live.get(key)?.app ?? ''
  return owner !== '' && owner !== app.name
}

function goneFrom(app: AppState, bundle: LoadedBundle): string[] {
  return [...app.inventory]
    .filter(([key, entry]) => !declares(bundle, key) && !isFormerRun(bundle, entry))
    .map(([key]) => key)
}

function isLast(ctx: Pick<AgentContext, 'live'>, key: string): boolean {
  return isPrunedLast(ctx.live.get(key)?.keep)
}

async function othersLoaded(ctx: AgentContext, app: AppState): Promise<void> {
  await Promise.all([...ctx.apps.values()].map((other) => (other === app ? undefined : other.loading)))
}
