import {formatRef} from '#shared/model/object-ref.ts'
import type {AgentContext} from './agent-context.ts'
import {type AppState, currentBundle} from './app-state.ts'
import {declaresNow, owns} from './judge-claims.ts'
import type {PlannedObject} from './plan-objects.ts'
import {proveClaim} from './prove-claim.ts'

/** `outage`: it could not be told whose it is. */
export type OwnerVerdict = 'ours' | {refused: string; outage: boolean}

/**
 * Decides whether an app may apply an object: not where another app owns it and still wants it, or wants it first and may have it. What
 * another app gave up in the accepted desired state is a move, and is taken over; an app that may not write the object stands in nobody's way.
 * Every app's bundle must have been loaded or refused before.
 */
export async function judgeOwner(
  ctx: Pick<AgentContext, 'apps' | 'live' | 'ports' | 'signal'>,
  app: AppState,
  object: PlannedObject,
): Promise<OwnerVerdict> {
  if (ctx.live.get(object.key)?.app === app.name) return 'ours'
  for (const other of ctx.apps.values()) {
    const verdict = other === app ? 'ours' : await judgeRival(ctx, app, other, object)
    if (verdict === 'ours') continue
    // The API server refuses it then, in words that tell nothing of what others have.
    const isForbidden = (await proveOwn(ctx, app, object)) === 'forbidden'
    return isForbidden ? 'ours' : verdict
  }
  return 'ours'
}

async function judgeRival(
  ctx: Pick<AgentContext, 'live' | 'ports' | 'signal'>,
  app: AppState,
  other: AppState,
  object: PlannedObject,
): Promise<OwnerVerdict> {
  const {key} = object
  const {name} = other
  const isMarked = ctx.live.get(key)?.app === name
  if (other.target === undefined) {
    return isMarked && other.inventory.has(key)
      ? refuse(object, `app ${name} owns it, which the desired state no longer names; remove that app in git first`)
      : 'ours'
  }
  const bundle = currentBundle(other)
  const declared = bundle === undefined ? declaresNow(other, key) : bundle.objects.has(key)
  if (declared === false) return 'ours'
  if (declared === 'unread' && !isMarked) return 'ours'
  const had = other.inventory.get(key)?.uid !== undefined
  // Nobody's yet: the first by name has it, whoever comes first. What is only refused applies nothing.
  const isFirst = name < app.name && bundle !== undefined
  const owned = owns(ctx, other, key)
  if (!owned) {
    if (!isMarked && !had && !isFirst) return 'ours'
    if (other.outlook === 'given-up' || object.type === undefined) return 'ours'
    const proof = await proveClaim(ctx, other, object.ref, object.type)
    if (proof === 'unknown') return refuse(object, `app ${name} declares it too, and may have it or not`, true)
    if (proof !== 'may') return 'ours'
  }
  if (declared === 'unread') {
    return refuse(object, `app ${name} owns it, and the bundle of that app could not be read`)
  }
  const what = isMarked ? `app ${name} owns it and declares it too` : `app ${name} declares it too`
  return refuse(object, `${what}; keep it in one of the two`)
}

function proveOwn(
  ctx: Pick<AgentContext, 'ports' | 'signal'>,
  app: AppState,
  {ref, type}: PlannedObject,
): Promise<string> | string {
  const isAgent = app.target?.state === 'present' && app.target.serviceAccount === undefined
  return isAgent || type === undefined ? 'may' : proveClaim(ctx, app, ref, type)
}

function refuse(object: PlannedObject, why: string, outage = false): OwnerVerdict {
  return {refused: `${formatRef(object.ref)}: ${why}`, outage}
}
