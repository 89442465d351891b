import type {PresentApp} from '#shared/model/desired-state.ts'
import type {Manifest} from '#shared/model/manifest.ts'
import {refOf} from '#shared/model/object-ref.ts'

export type PolicyVerdict = {allowed: true} | {allowed: false; reason: string}

/** The one place where the cluster says no: asked for every object of an app before anything of the app is applied. */
export type Policy = (app: PresentApp, manifest: Manifest) => PolicyVerdict

/** Kinds in which the agent keeps what it must remember: the accepted version, the inventories, the trust root, the Lease. */
const STATE_KINDS = new Set(['/ConfigMap', '/Secret', 'coordination.k8s.io/Lease'])

/**
 * Refuses what would let an app write the agent's own memory, by which it could make it forget a version or an inventory; all else
 * is decided by the cluster's RBAC for the identity that applies.
 */
export function protectAgentState(agentNamespace: string): Policy {
  return (app, manifest) => {
    const {group, kind, namespace, name} = refOf(manifest)
    const inOwnNamespace = (namespace || app.namespace) === agentNamespace
    if (!inOwnNamespace || !STATE_KINDS.has(`${group}/${kind}`) || !name.startsWith('drawbridge-'))
      return {allowed: true}
    return {
      allowed: false,
      reason: `${kind} ${agentNamespace}/${name} is of the agent's own state, which no app may write: rename it or use another namespace`,
    }
  }
}
