import type {JsonObject, Manifest} from '#shared/model/manifest.ts'
import {INSTALL_LABELS} from './agent-install.ts'

/** An object of the installation, and what its reader should know. */
export interface InstallObject {
  object: Manifest
  /** Why it is there. */
  why?: string
  /** Why each of its rules is there, in the order of `rules`. */
  ruleReasons?: readonly string[]
}

/** A rule of a role, and why the agent needs it. */
export interface ReasonedRule {
  why: string
  rule: JsonObject
}

/** A Role or ClusterRole of rules that each have their reason. */
export function reasonedRole(
  kind: 'Role' | 'ClusterRole',
  metadata: {name: string; namespace?: string},
  rules: readonly ReasonedRule[],
): InstallObject {
  return {
    object: {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind,
      metadata: {...metadata, labels: {...INSTALL_LABELS}},
      rules: rules.map(({rule}) => rule),
    },
    ruleReasons: rules.map(({why}) => why),
  }
}
