import type {PresentApp} from '#shared/model/desired-state.ts'
import type {Manifest} from '#shared/model/manifest.ts'
import {type ObjectRef, refOf} from '#shared/model/object-ref.ts'
import {appDefinition, appType} from './app-definition.ts'

export type PolicyVerdict = {allowed: true} | {allowed: false; reason: string}

/** The one place where the cluster says no: asked for every object of an app before anything of the app is applied. */
export type Policy = (app: PresentApp, manifest: Manifest) => PolicyVerdict

/**
 * Kinds of the agent's namespace in which it keeps what it must remember (the accepted version, inventories, the trust root), its
 * credentials, and its Lease. Refused by kind, not by name or label: no way to write one of them must depend on how the agent finds its own.
 */
const STATE_KINDS = new Set(['/ConfigMap', '/Secret', 'coordination.k8s.io/Lease'])

/**
 * Refuses what would let an app write the agent's own memory, by which it could make it forget a version, delete another app's objects
 * or suspend it; all else, the agent's own Deployment too, is decided by the cluster's RBAC for the identity that applies.
 */
export function protectAgentState(agentNamespace: string): Policy {
  return (app, manifest) => {
    const ref = refOf(manifest)
    const what = stateOf({...ref, namespace: ref.namespace || (app.namespace ?? '')}, agentNamespace)
    return what === undefined ? {allowed: true} : {allowed: false, reason: what}
  }
}

function stateOf({group, kind, namespace, name}: ObjectRef, agentNamespace: string): string | undefined {
  if (group === appType.group && kind === appType.kind)
    return `App objects are the agent's own state, which no app may write: declare apps in drawbridge.yaml, and annotate App objects in the cluster`
  if (kind === 'CustomResourceDefinition' && name === appDefinition.metadata.name)
    return "the definition of App objects is the agent's own state, which no app may write: it comes with the agent's installation"
  if (group === '' && kind === 'Namespace' && name === agentNamespace)
    return "the agent's namespace holds its own state, which no app may write: it comes with the agent's installation"
  if (namespace === agentNamespace && STATE_KINDS.has(`${group}/${kind}`))
    return `each ${kind} in ${agentNamespace} counts as the agent's own state, which no app may write: use another namespace`
  return undefined
}
