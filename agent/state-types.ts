import type {ResourceType} from './kube/kube-client.ts'

/** The few built-in types that the agent keeps its own state in. */
export const stateTypes = {
  configMap: {group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true},
  namespace: {group: '', version: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false},
  lease: {group: 'coordination.k8s.io', version: 'v1', kind: 'Lease', plural: 'leases', namespaced: true},
} as const satisfies Record<string, ResourceType>
