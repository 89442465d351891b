import {setTimeout as sleep} from 'node:timers/promises'
import {refKey} from '#shared/model/object-ref.ts'
import type {AgentContext} from './agent-context.ts'
import {isSuspended} from './app-orders.ts'
import {type AppliedEntry, type AppState, currentBundle} from './app-state.ts'
import {findServed} from './find-served.ts'
import {claimantsOf, declaresNow, isRefused} from './judge-claims.ts'
import {proveClaim} from './prove-claim.ts'

/** How long a prune waits for an app that is about to take an object over, before that is told. */
const MOVE_LIMIT_MS = 5_000

/** What keeps an app from deleting an object: another app may take it and has not yet, or declares it only to leave it as it is. */
export type Claim =
  | {action: 'retain'; code: 'WAITS'; reason: string; claimant: AppState}
  | {action: 'forget'; code: 'OTHER_OWNER'; reason: string}

/** How claims on an app's objects were settled. */
export interface Settlement {
  /** Undefined where nothing keeps the object from being deleted. */
  claimOn(key: string): Claim | undefined
}

/**
 * Decides which of an app's objects other apps have a claim on: only those have one that may take the object, by a dry run as their own
 * identity. Waits a moment for those that are about to; what they took meanwhile carries their mark. Call when the bundles of all
 * apps were loaded or refused.
 */
export async function settleClaims(
  ctx: AgentContext,
  app: AppState,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<Settlement> {
  const claimed = keys.filter((key) => claimantsOf(ctx, app, key).length > 0)
  await awaitMoves(ctx, app, claimed, signal)
  const claims = new Map<string, Claim>()
  /** Of which app, and of which of its bundles, it is known that it has no claim. */
  const refused = new Map<string, Set<string>>()
  await Promise.all(
    claimed.map(async (key) => {
      const entry = app.inventory.get(key)
      if (entry === undefined || isTaken(ctx, app, key)) return
      const unfounded = new Set<string>()
      refused.set(key, unfounded)
      for (const claimant of claimantsOf(ctx, app, key)) {
        const claim = await ctx.ports.limit.run(() => judgeClaim(ctx, claimant, entry), app.name)
        if (claim === undefined) unfounded.add(claimId(claimant))
        else if (!claims.has(key)) claims.set(key, claim)
      }
    }),
  )
  return {
    claimOn(key) {
      const settled = claims.get(key)
      if (settled !== undefined || isTaken(ctx, app, key)) return settled
      // What is published meanwhile was not asked about.
      const newer = claimantsOf(ctx, app, key).find((claimant) => refused.get(key)?.has(claimId(claimant)) !== true)
      return newer === undefined ? undefined : keptFor(newer, `app ${newer.name} declares it now`)
    },
  }
}

async function judgeClaim(ctx: AgentContext, claimant: AppState, entry: AppliedEntry): Promise<Claim | undefined> {
  const key = refKey(entry.ref)
  const unread = declaresNow(claimant, key) === 'unread'
  const {target} = claimant
  // What is applied as the agent itself may take whatever the agent may.
  const isAgent = target?.state === 'present' && target.serviceAccount === undefined
  const type = unread && isAgent ? undefined : await findServed(ctx, entry)
  const proof = type === undefined ? 'unknown' : await proveClaim(ctx, claimant, entry.ref, type)
  if (proof === 'forbidden' || proof === 'refused') return undefined
  const {name} = claimant
  if (unread) {
    const why = `the bundle of app ${name} could not be read, and the object may have moved there`
    return keptFor(claimant, `${why}; mend that app or remove it`)
  }
  if (isRefused(claimant)) {
    return keptFor(
      claimant,
      `app ${name}, which is refused, declares it; it goes when that app is applied or gives it up`,
    )
  }
  if (proof === 'may' && isLeft(claimant, key)) {
    return {action: 'forget', code: 'OTHER_OWNER', reason: `app ${name} declares it, and leaves it as it is`}
  }
  return keptFor(
    claimant,
    proof === 'may'
      ? `app ${name} declares it and may take it over, but has not done so; it goes when that app gives it up`
      : `app ${name} declares it, and the API server could not say whether it may take it over; it is asked again`,
  )
}

function keptFor(claimant: AppState, reason: string): Claim {
  return {action: 'retain', code: 'WAITS', reason, claimant}
}

/** Waits while apps that declare objects of this one are at it, and have not come to an end. */
async function awaitMoves(
  ctx: AgentContext,
  app: AppState,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const wanted = new Map<AppState, string[]>()
  for (const key of keys) {
    for (const claimant of claimantsOf(ctx, app, key)) {
      const theirs = wanted.get(claimant)
      if (theirs === undefined) wanted.set(claimant, [key])
      else theirs.push(key)
    }
  }
  const isAwaited = ([claimant, theirs]: [AppState, string[]]): boolean =>
    isOnItsWay(ctx, claimant) && theirs.some((key) => !isTaken(ctx, app, key))
  const giveUpAt = performance.now() + MOVE_LIMIT_MS
  while (!signal.aborted && !ctx.signal.aborted && performance.now() < giveUpAt) {
    if (![...wanted].some(isAwaited)) return
    await sleep(10)
  }
}

function isOnItsWay(ctx: AgentContext, app: AppState): boolean {
  const {running, wanted, target, revision} = app
  const isBusy = running !== undefined || wanted !== 'nothing'
  return isBusy && !isSuspended(ctx, app) && target?.state === 'present' && target.revision !== revision
}

/** Another app has it by now: it carries the mark of that. */
function isTaken(ctx: AgentContext, app: AppState, key: string): boolean {
  const live = ctx.live.get(key)
  return live !== undefined && live.app !== '' && live.app !== app.name
}

/** It is declared only to be there, or not to be touched: no apply ever takes it over. */
function isLeft(app: AppState, key: string): boolean {
  const bundle = currentBundle(app)
  return bundle !== undefined && !bundle.objects.has(key) && !bundle.hooks.has(key)
}

function claimId({name, target}: AppState): string {
  return target?.state === 'present' ? `${name} ${target.bundle.digest} ${target.serviceAccount ?? ''}` : name
}
