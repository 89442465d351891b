import {setTimeout as sleep} from 'node:timers/promises'
import {describeError} from '#shared/model/drawbridge-error.ts'
import {formatRef, type ObjectRef, refKey} from '#shared/model/object-ref.ts'
import type {Propagation} from '#shared/model/plan-options.ts'
import {guardPrune, type LiveFacts, type PruneDecision} from '#shared/plan/guard-prune.ts'
import {type AgentContext, dropEntry} from './agent-context.ts'
import type {AppliedEntry, AppState} from './app-state.ts'
import {awaitGone} from './await-gone.ts'
import {recountHeld} from './count-held.ts'
import {findAnew, findServed, mayHaveMoved} from './find-served.ts'
import type {ResourceType} from './kube/kube-client.ts'
import {isKubeError} from './kube/kube-error.ts'
import {annotationsOf, labelOf, metaText} from './kube/kube-object.ts'
import {APP_LABEL} from './marks.ts'
import {orderEntries} from './order-entries.ts'
import {type Claim, type Settlement, settleClaims} from './settle-claims.ts'

export interface PruneResult {
  pruned: ObjectRef[]
  /** What stays in the inventory, and why; `code` as `guardPrune` names it; `FAILED`, `WAITS`, `STAGE`, `EMPTY` or `PRUNE_OFF`. */
  retained: {ref: ObjectRef; code: string; reason: string}[]
  /** How many were deleted, and are kept for now by their finalizers; they stay in the inventory. */
  finalizing: number
}

export interface PruneOptions {
  impersonate?: string
  purpose: 'prune' | 'removal'
  propagation: Propagation
  /** How long one that its finalizers keep holds back what is deleted after it. @default 300 */
  patienceSeconds?: number
}

type Outcome = (PruneDecision | Claim) & {finalizing?: boolean; since?: number}
type Live = LiveFacts & {resourceVersion: string; since?: number}
/** An object whose deletion has begun: since when, in milliseconds of the epoch. */
type Slow = {ref: ObjectRef; since: number}
const DEFAULT_PATIENCE_SECONDS = 300
/** Longer waits are left to the next reconcile. */
const STAGE_WAIT_MS = 5_000
const MAX_CONFLICTS = 5
const GONE: PruneDecision = {action: 'forget', code: 'GONE', reason: 'its kind is no longer served'}

/**
 * Deletes objects of an app's inventory in the reverse of the order of applying, unless `guardPrune` says otherwise or another app
 * has a claim on them: a stage begins when all that the one before ordered to go is gone, so that an operator is there as long as its finalizers are.
 * Each deletion holds only for the very object that was judged. An abort stops before the next object. Call when the
 * bundles of all apps were loaded or refused.
 */
export async function pruneObjects(
  ctx: AgentContext,
  app: AppState,
  keys: string[],
  signal: AbortSignal,
  options: PruneOptions,
): Promise<PruneResult> {
  const result: PruneResult = {pruned: [], retained: [], finalizing: 0}
  const ours = new Set(keys)
  const entries = keys.flatMap((key) => app.inventory.get(key) ?? [])
  app.awaited.clear()
  const claims = await settleClaims(ctx, app, keys, signal)
  const stages = orderEntries(ctx, entries)
  for (const [index, stage] of stages.entries()) {
    const slow: Slow[] = []
    await Promise.all(
      stage.map((ref) =>
        ctx.ports.limit.run(async () => {
          const key = refKey(ref)
          const entry = app.inventory.get(key)
          if (signal.aborted || ctx.signal.aborted || entry === undefined) return
          try {
            const decision = await pruneObject(ctx, app, entry, ours, claims, options)
            if (staysThere(decision)) ours.delete(key)
            if (decision.action === 'retain') {
              if (decision.code === 'DELETING')
                slow.push({ref, since: decision.since ?? ctx.ports.clock.now().getTime()})
              result.retained.push({ref, code: decision.code, reason: decision.reason})
              if (decision.code === 'WAITS') app.awaited.add(decision.claimant.name)
              return
            }
            if (decision.action === 'delete') result.pruned.push(ref)
            if (decision.action === 'delete' && decision.finalizing) {
              result.finalizing++
              slow.push({ref, since: ctx.ports.clock.now().getTime()})
              return
            }
            dropEntry(ctx, app, key)
          } catch (error) {
            ours.delete(key)
            if (isKubeError(error, 'ABORTED')) return
            result.retained.push({ref, code: 'FAILED', reason: describeError(error)})
          }
        }, app.name),
      ),
    )
    const later = stages.slice(index + 1).flat()
    if (later.length === 0 || signal.aborted || ctx.signal.aborted) continue
    const hanging = await awaitStage(ctx, app, result, slow, signal, options)
    if (hanging === undefined) continue
    const reason = `it is deleted when ${formatRef(hanging)} is gone, which its finalizers still keep`
    result.retained.push(...later.map((ref) => ({ref, code: 'STAGE', reason})))
    break
  }
  return inOrder(result, stages.flat())
}

/** The answers come in another order each time, and what is told of them must not. */
function inOrder({pruned, retained, finalizing}: PruneResult, order: readonly ObjectRef[]): PruneResult {
  const places = new Map(order.map((ref, place) => [refKey(ref), place]))
  const placeOf = (ref: ObjectRef) => places.get(refKey(ref)) ?? order.length
  return {
    pruned: pruned.toSorted((a, b) => placeOf(a) - placeOf(b)),
    retained: retained.toSorted((a, b) => placeOf(a.ref) - placeOf(b.ref)),
    finalizing,
  }
}

/** Waits a while until what is slow to go is gone. Gives one that is not, unless it has been going for so long that nothing waits for it any more. */
async function awaitStage(
  ctx: AgentContext,
  app: AppState,
  result: PruneResult,
  slow: readonly Slow[],
  signal: AbortSignal,
  {patienceSeconds = DEFAULT_PATIENCE_SECONDS}: PruneOptions,
): Promise<ObjectRef | undefined> {
  const oldest = ctx.ports.clock.now().getTime() - patienceSeconds * 1_000
  const waitedFor = slow.filter(({since}) => since > oldest)
  if (waitedFor.length === 0) return undefined
  const left = new Set(
    await awaitGone(
      ctx,
      waitedFor.map(({ref}) => ref),
      signal,
      STAGE_WAIT_MS,
    ),
  )
  for (const {ref} of waitedFor) {
    const key = refKey(ref)
    if (left.has(key) || signal.aborted || ctx.signal.aborted) continue
    const kept = result.retained.findIndex((each) => refKey(each.ref) === key)
    if (kept === -1) result.finalizing--
    else result.retained.splice(kept, 1)
    dropEntry(ctx, app, key)
  }
  return waitedFor.find(({ref}) => left.has(refKey(ref)))?.ref
}

/** What stays is lost with its Namespace or definition, which come after it, so it must count as held by them. */
function staysThere(decision: Outcome): boolean {
  return decision.action !== 'delete' && decision.code !== 'GONE' && decision.code !== 'DELETING'
}

async function pruneObject(
  ctx: AgentContext,
  app: AppState,
  entry: AppliedEntry,
  ours: ReadonlySet<string>,
  claims: Settlement,
  {impersonate, purpose, propagation}: PruneOptions,
): Promise<Outcome> {
  const {ref} = entry
  const key = refKey(ref)
  const claim = claims.claimOn(key)
  if (claim !== undefined) return claim
  let type = await findServed(ctx, entry)
  if (type === undefined) return GONE
  // A heal of the same object may be under way: deleted before that lands, it would be made anew and never be pruned.
  while (app.busy.has(key)) await sleep(5)
  app.busy.add(key)
  try {
    const known = knownLive(ctx, key)
    // Only the object itself names the finalizers that keep it.
    let live = known === undefined || known.deleting ? await readLive(ctx, type, ref) : known
    for (let attempt = 0; attempt < MAX_CONFLICTS; attempt++) {
      if (live === 'absent' && mayHaveMoved(entry)) {
        const served = await findAnew(ctx, entry)
        if (served === undefined) return GONE
        if (served.version !== type.version) live = await readLive(ctx, served, ref)
        type = served
      }
      const facts = live === 'absent' ? live : {...live, held: await recountHeld(ctx.ports, app.held, type, ref, ours)}
      const decision = guardPrune({ref, app: app.name, appliedUid: entry.uid, live: facts, purpose}, [
        ctx.config.namespace,
      ])
      if (decision.action !== 'delete' || live === 'absent') {
        const {since} = live === 'absent' ? {} : live
        return {...decision, finalizing: false, ...(since === undefined ? {} : {since})}
      }
      const answer = await ctx.ports.kube.delete(type, ref, {
        uid: live.uid,
        resourceVersion: live.resourceVersion,
        propagation,
        lastTry: ctx.signal,
        ...(impersonate === undefined ? {} : {impersonate}),
      })
      if (answer === 'deleted' || answer === 'finalizing') return {...decision, finalizing: answer === 'finalizing'}
      // Also where it was not found: it is known as absent only from a version that is served.
      live = await readLive(ctx, type, ref)
    }
  } finally {
    app.busy.delete(key)
  }
  return {action: 'retain', code: 'DELETING', reason: `${formatRef(ref)} changes all the time; it is tried again`}
}

function knownLive(ctx: AgentContext, key: string): Live | undefined {
  const known = ctx.live.get(key)
  if (known === undefined) return undefined
  return {
    uid: known.uid,
    resourceVersion: known.resourceVersion,
    owner: known.app === '' ? undefined : known.app,
    annotations: known.keep ?? {},
    deleting: known.terminating,
    held: 0,
  }
}

async function readLive(ctx: AgentContext, type: ResourceType, ref: ObjectRef): Promise<Live | 'absent'> {
  const object = await ctx.ports.kube.get(type, ref, 'metadata')
  if (object === 'absent') return 'absent'
  const since = Date.parse(metaText(object, 'deletionTimestamp'))
  return {
    ...(Number.isNaN(since) ? {} : {since}),
    uid: object.metadata.uid,
    resourceVersion: object.metadata.resourceVersion,
    owner: labelOf(object, APP_LABEL),
    annotations: annotationsOf(object),
    deleting: metaText(object, 'deletionTimestamp') !== '',
    finalizers: Array.isArray(object.metadata.finalizers) ? object.metadata.finalizers.map(String) : [],
    held: 0,
  }
}
