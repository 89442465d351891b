import type {ResourceType} from '#agent/kube/kube-client.ts'
import type {JsonObject, Manifest} from '#shared/model/manifest.ts'
import type {TestCluster} from './open-test-cluster.ts'
import {applyAs, namespace, types} from './start-test-agent.ts'

const group = 'rbac.authorization.k8s.io'
const apiVersion = `${group}/v1`

export const rbacTypes = {
  role: {group, version: 'v1', kind: 'Role', plural: 'roles', namespaced: true},
  roleBinding: {group, version: 'v1', kind: 'RoleBinding', plural: 'rolebindings', namespaced: true},
  clusterRoleBinding: {
    group,
    version: 'v1',
    kind: 'ClusterRoleBinding',
    plural: 'clusterrolebindings',
    namespaced: false,
  },
} as const satisfies Record<string, ResourceType>

/** What a tenant's ServiceAccount may do in a namespace. */
export interface Grant {
  namespace: string
  /** @default ConfigMaps, Secrets and Deployments, with all verbs */
  rules?: JsonObject[]
}

const own: JsonObject[] = [{apiGroups: ['', 'apps'], resources: ['configmaps', 'secrets', 'deployments'], verbs: ['*']}]

/**
 * Makes a tenant: a namespace with a ServiceAccount `deployer` that may do what is granted, in its own namespace by default, and nothing
 * else. Returns the name to apply as.
 */
export async function addTenant(
  {admin}: TestCluster,
  name: string,
  grants: Grant[] = [{namespace: name}],
): Promise<string> {
  await applyAs(admin, 'somebody', types.namespace, namespace(name))
  for (const {namespace: inNamespace, rules = own} of grants) {
    await applyAs(admin, 'somebody', types.namespace, namespace(inNamespace))
    const metadata = {name: `of-${name}`, namespace: inNamespace}
    const role: Manifest & {rules: JsonObject[]} = {apiVersion, kind: 'Role', metadata, rules}
    await applyAs(admin, 'somebody', rbacTypes.role, role)
    await applyAs(admin, 'somebody', rbacTypes.roleBinding, binding('RoleBinding', metadata, 'Role', name))
  }
  return `${name}/deployer`
}

/** A binding of a tenant's ServiceAccount to a role of the same name as the binding, or to `cluster-admin`. */
function binding(kind: string, metadata: Manifest['metadata'], roleKind: string, tenant: string): Manifest {
  const roleName = roleKind === 'ClusterRole' ? 'cluster-admin' : metadata.name
  const subjects = [{kind: 'ServiceAccount', name: 'deployer', namespace: tenant}]
  return {apiVersion, kind, metadata, roleRef: {apiGroup: group, kind: roleKind, name: roleName}, subjects} as Manifest
}

/** A ClusterRoleBinding that makes a tenant the administrator of the cluster. */
export function adminBinding(name: string, tenant: string): Manifest {
  return binding('ClusterRoleBinding', {name}, 'ClusterRole', tenant)
}
