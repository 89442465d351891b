import {refKey} from '#shared/model/object-ref.ts'
import type {AgentContext} from './agent-context.ts'
import {type AppState, impersonatedUser} from './app-state.ts'
import {owns} from './judge-claims.ts'
import type {Detail, KubeClient, ObjectName, ResourceType} from './kube/kube-client.ts'
import {isKubeError} from './kube/kube-error.ts'
import {type KubeObject, labelOf} from './kube/kube-object.ts'
import {APP_LABEL} from './marks.ts'

/** Whose rights an app's objects are applied with. */
type Identity = {serviceAccount?: string | undefined}

/**
 * Reads an object for an app, as the identity that the app is applied as: what the agent itself may see must not reach an app by
 * its status. Only what the app owns is read with the agent's rights where its identity may write it and not read it. Throws `KubeError`
 * FORBIDDEN for all else, whether there is such an object or not.
 */
export async function readAs(
  ctx: Pick<AgentContext, 'live' | 'ports'>,
  app: AppState,
  identity: Identity,
  type: ResourceType,
  target: ObjectName,
  detail: Detail,
): Promise<KubeObject | 'absent'> {
  const {kube} = ctx.ports
  const key = refKey({group: type.group, kind: type.kind, ...target})
  try {
    return await kube.get(type, target, detail, impersonatedUser(identity).impersonate)
  } catch (error) {
    if (!isKubeError(error, 'FORBIDDEN') || !owns(ctx, app, key)) throw error
    const found = await kube.get(type, target, detail)
    const isOwn =
      found !== 'absent' && labelOf(found, APP_LABEL) === app.name && found.metadata.uid === app.inventory.get(key)?.uid
    if (found === 'absent' || isOwn) return found
    throw error
  }
}

/** A client that reads so, to which what the identity may not see is absent: for what is then sent as that identity, which the server judges. */
export function readerAs(
  ctx: Pick<AgentContext, 'live' | 'ports'>,
  app: AppState,
  identity: Identity,
): Pick<KubeClient, 'get'> {
  return {
    get: (type, target, detail) =>
      readAs(ctx, app, identity, type, target, detail).catch((error: unknown) => {
        if (isKubeError(error, 'FORBIDDEN')) return 'absent'
        throw error
      }),
  }
}
