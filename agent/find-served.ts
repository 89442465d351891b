import {groupOf} from '#shared/model/object-ref.ts'
import type {InventoryEntry} from '#shared/plan/inventory.ts'
import {builtInScope} from '#shared/plan/scope.ts'
import type {AgentContext} from './agent-context.ts'
import type {ResourceType} from './kube/kube-client.ts'
import {KubeError} from './kube/kube-error.ts'

/** How an inventory's object can be addressed: by the version that it was applied with, as long as that is served. */
export async function findServed(ctx: AgentContext, entry: InventoryEntry): Promise<ResourceType | undefined> {
  return (await ctx.discovery.find(entry.version, entry.ref.kind)) ?? (await findAnew(ctx, entry))
}

/**
 * Asks anew for a kind that seems to be gone: in the version that the object was applied with, or in any other of its group. Undefined
 * only where the server has no such kind. Throws `KubeError` UNAVAILABLE while the server is not ready, since it does not know its
 * custom kinds yet.
 */
export async function findAnew(ctx: AgentContext, {version, ref}: InventoryEntry): Promise<ResourceType | undefined> {
  const {kube} = ctx.ports
  if (!(await kube.isReady())) throw new KubeError('UNAVAILABLE', 'the API server is not ready yet')
  ctx.discovery.forget(ref.group)
  const others = (await kube.listApiVersions()).filter((other) => groupOf(other) === ref.group && other !== version)
  for (const apiVersion of [version, ...others]) {
    const type = await ctx.discovery.find(apiVersion, ref.kind)
    if (type !== undefined) return type
  }
  return undefined
}

/** Whether an object that was not found may only be no longer served in the version that it was asked for in. */
export function mayHaveMoved(entry: InventoryEntry): boolean {
  return builtInScope(entry.ref.group, entry.ref.kind) === 'unknown'
}
