import {formatRef} from '#shared/model/object-ref.ts'
import type {AgentContext} from './agent-context.ts'
import {type AppState, currentBundle} from './app-state.ts'
import {declaresNow} from './judge-claims.ts'
import type {PlannedObject} from './plan-objects.ts'

export type OwnerVerdict = 'ours' | {refused: string}

/**
 * Decides whether an app may apply an object: not where another app owns it and still wants it. What another app gave up in the
 * accepted desired state is a move, and is taken over. Every app's bundle must have been loaded or refused before.
 */
export function judgeOwner(
  ctx: Pick<AgentContext, 'apps' | 'live'>,
  app: AppState,
  object: PlannedObject,
): OwnerVerdict {
  const live = ctx.live.get(object.key)
  const owner = live === undefined || live.app === '' ? undefined : live.app
  if (owner === app.name) return 'ours'
  if (owner === undefined) {
    // Nobody's yet. Where two apps declare it, the first by name has it, whoever comes first.
    const rival = [...ctx.apps.values()].find(
      (other) => other.name < app.name && currentBundle(other)?.objects.has(object.key) === true,
    )
    return rival === undefined ? 'ours' : refuse(object, `app ${rival.name} declares it too; keep it in one of the two`)
  }
  const other = ctx.apps.get(owner)
  if (other === undefined || other.target?.state === 'removed') return 'ours'
  if (other.target === undefined) {
    return other.inventory.has(object.key)
      ? refuse(object, `app ${owner} owns it, which the desired state no longer names; remove that app in git first`)
      : 'ours'
  }
  const bundle = currentBundle(other)
  const declared = bundle === undefined ? declaresNow(other, object.key) : bundle.objects.has(object.key)
  if (declared === 'unread') return refuse(object, `app ${owner} owns it, and the bundle of that app could not be read`)
  return declared ? refuse(object, `app ${owner} owns it and declares it too; keep it in one of the two`) : 'ours'
}

function refuse(object: PlannedObject, why: string): {refused: string} {
  return {refused: `${formatRef(object.ref)}: ${why}`}
}
