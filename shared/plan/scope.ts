import {childObject, isJsonObject, type Manifest} from '../model/manifest.ts'
import {groupOf} from '../model/object-ref.ts'

export type Scope = 'Namespaced' | 'Cluster'

// What Kubernetes 1.36 itself serves (its published discovery documents), by group; '' is the core group.
const namespaced: Record<string, string> = {
  '': 'Binding ConfigMap Endpoints Event LimitRange PersistentVolumeClaim Pod PodTemplate ReplicationController ResourceQuota Secret Service ServiceAccount',
  apps: 'ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet',
  'authorization.k8s.io': 'LocalSubjectAccessReview',
  autoscaling: 'HorizontalPodAutoscaler',
  batch: 'CronJob Job',
  'certificates.k8s.io': 'PodCertificateRequest',
  'coordination.k8s.io': 'Lease LeaseCandidate',
  'discovery.k8s.io': 'EndpointSlice',
  'events.k8s.io': 'Event',
  'networking.k8s.io': 'Ingress NetworkPolicy',
  policy: 'PodDisruptionBudget',
  'rbac.authorization.k8s.io': 'Role RoleBinding',
  'resource.k8s.io': 'ResourceClaim ResourceClaimTemplate',
  'scheduling.k8s.io': 'PodGroup Workload',
  'storage.k8s.io': 'CSIStorageCapacity',
}

const clusterScoped: Record<string, string> = {
  '': 'ComponentStatus Namespace Node PersistentVolume',
  'admissionregistration.k8s.io':
    'MutatingAdmissionPolicy MutatingAdmissionPolicyBinding MutatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration',
  'apiextensions.k8s.io': 'CustomResourceDefinition',
  'apiregistration.k8s.io': 'APIService',
  'authentication.k8s.io': 'SelfSubjectReview TokenReview',
  'authorization.k8s.io': 'SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview',
  'certificates.k8s.io': 'CertificateSigningRequest ClusterTrustBundle',
  'flowcontrol.apiserver.k8s.io': 'FlowSchema PriorityLevelConfiguration',
  'internal.apiserver.k8s.io': 'StorageVersion',
  'networking.k8s.io': 'IPAddress IngressClass ServiceCIDR',
  'node.k8s.io': 'RuntimeClass',
  'rbac.authorization.k8s.io': 'ClusterRole ClusterRoleBinding',
  'resource.k8s.io': 'DeviceClass DeviceTaintRule ResourcePoolStatusRequest ResourceSlice',
  'scheduling.k8s.io': 'PriorityClass',
  'storage.k8s.io': 'CSIDriver CSINode StorageClass VolumeAttachment VolumeAttributesClass',
  'storagemigration.k8s.io': 'StorageVersionMigration',
}

const scopes = new Map<string, Scope>([...entriesOf(namespaced, 'Namespaced'), ...entriesOf(clusterScoped, 'Cluster')])

/** Tells the scope of a kind that Kubernetes 1.36 itself serves; `'unknown'` for every other kind. `group` is '' for the core group. */
export function builtInScope(group: string, kind: string): Scope | 'unknown' {
  return scopes.get(`${group}/${kind}`) ?? 'unknown'
}

/**
 * Gives every namespaced object that names no namespace the given one (none given: they stay as they are), and takes the
 * namespace from cluster-scoped ones, so that refs agree with what the API server stores. Scopes are those of the built-in
 * kinds and of kinds whose CustomResourceDefinition is among `manifests`; objects of other kinds are left alone.
 * The order is kept, nothing is changed in place.
 */
export function defaultNamespaces(manifests: Manifest[], namespace?: string): Manifest[] {
  const defined = definedScopes(manifests)
  return manifests.map((manifest) => {
    const group = groupOf(manifest.apiVersion)
    const builtIn = builtInScope(group, manifest.kind)
    const scope = builtIn === 'unknown' ? defined.get(`${group}/${manifest.kind}`) : builtIn
    if (scope === 'Cluster' && manifest.metadata.namespace !== undefined) {
      const {namespace: _, ...metadata} = manifest.metadata
      return {...manifest, metadata}
    }
    if (scope === 'Namespaced' && !manifest.metadata.namespace && namespace !== undefined) {
      return {...manifest, metadata: {...manifest.metadata, namespace}}
    }
    return manifest
  })
}

function definedScopes(manifests: Manifest[]): Map<string, Scope> {
  const defined = new Map<string, Scope>()
  for (const manifest of manifests) {
    if (manifest.kind !== 'CustomResourceDefinition' || groupOf(manifest.apiVersion) !== 'apiextensions.k8s.io')
      continue
    const spec = childObject(manifest, 'spec')
    const names = childObject(spec, 'names')
    const scope = spec?.scope
    if (!isJsonObject(spec) || typeof spec.group !== 'string' || typeof names?.kind !== 'string') continue
    if (scope === 'Namespaced' || scope === 'Cluster') defined.set(`${spec.group}/${names.kind}`, scope)
  }
  return defined
}

function entriesOf(kindsByGroup: Record<string, string>, scope: Scope): [string, Scope][] {
  return Object.entries(kindsByGroup).flatMap(([group, kinds]) =>
    kinds.split(' ').map((kind): [string, Scope] => [`${group}/${kind}`, scope]),
  )
}
