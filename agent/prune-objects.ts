import {setTimeout as sleep} from 'node:timers/promises'
import {describeError} from '#shared/model/drawbridge-error.ts'
import {formatRef, type ObjectRef, refKey} from '#shared/model/object-ref.ts'
import type {Propagation} from '#shared/model/plan-options.ts'
import {guardPrune, type LiveFacts, type PruneDecision} from '#shared/plan/guard-prune.ts'
import {type AgentContext, dropEntry} from './agent-context.ts'
import type {AppliedEntry, AppState} from './app-state.ts'
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
  /** What stays in the inventory, and why; `code` as `guardPrune` names it; `FAILED`, `WAITS`, `EMPTY` or `PRUNE_OFF`. */
  retained: {ref: ObjectRef; code: string; reason: string}[]
  /** How many were deleted, and are kept for now by their finalizers; they stay in the inventory. */
  finalizing: number
}

export interface PruneOptions {
  impersonate?: string
  purpose: 'prune' | 'removal'
  propagation: Propagation
}

type Outcome = (PruneDecision | Claim) & {finalizing?: boolean}
type Live = LiveFacts & {resourceVersion: string}
const MAX_CONFLICTS = 5
const GONE: PruneDecision = {action: 'forget', code: 'GONE', reason: 'its kind is no longer served'}

/**
 * Deletes objects of an app's inventory in the reverse of the order of applying, unless `guardPrune` says otherwise or another app
 * has a claim on them. Each deletion holds only for the very object that was judged. An abort stops before the next object. Call when the
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
  for (const stage of orderEntries(ctx, entries)) {
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
              result.retained.push({ref, code: decision.code, reason: decision.reason})
              if (decision.code === 'WAITS') app.awaited.add(decision.claimant.name)
              return
            }
            if (decision.action === 'delete') result.pruned.push(ref)
            if (decision.action === 'delete' && decision.finalizing) {
              result.finalizing++
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
  }
  return result
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
      if (decision.action !== 'delete' || live === 'absent') return {...decision, finalizing: false}
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
  return {
    uid: object.metadata.uid,
    resourceVersion: object.metadata.resourceVersion,
    owner: labelOf(object, APP_LABEL),
    annotations: annotationsOf(object),
    deleting: metaText(object, 'deletionTimestamp') !== '',
    finalizers: Array.isArray(object.metadata.finalizers) ? object.metadata.finalizers.map(String) : [],
    held: 0,
  }
}
