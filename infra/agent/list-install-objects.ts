import {appDefinition} from '#agent/app-definition.ts'
import {digestHex, digestOf} from '#shared/model/digest.ts'
import type {Manifest} from '#shared/model/manifest.ts'
import {AGENT_NAME, type AgentInstall, ENDPOINTS_PORT, INSTALL_LABELS} from './agent-install.ts'
import {installAccess} from './install-access.ts'
import type {InstallObject} from './install-object.ts'
import {installDeployment, TRUST_ROOT_FILE} from './install-workload.ts'

/** Lists the objects of an installation, in the order in which they are to be applied. The same installation makes the same objects. */
export function listInstallObjects(install: AgentInstall): InstallObject[] {
  const trustRoot = trustRootOf(install)
  return [
    {
      object: namespaceOf(install),
      why: 'The API server refuses any pod here that is not as restricted as the agent is.',
    },
    {
      object: appDefinition,
      why: [
        'App objects: how each app is, for kubectl and others to see. They hold no intent but annotations that suspend an app or ask for',
        'a reconcile. The agent finds its own digest here and changes nothing.',
      ].join('\n'),
    },
    {
      object: {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: {
          ...named(install),
          ...(Object.keys(install.serviceAccountAnnotations).length === 0
            ? {}
            : {annotations: {...install.serviceAccountAnnotations}}),
        },
        automountServiceAccountToken: false,
      },
    },
    ...installAccess(install),
    {
      object: trustRoot,
      why: [
        'Whose signatures the agent believes. It cannot be changed in place, not even by the agent; another root gets another name,',
        'and the Deployment restarts with it.',
      ].join('\n'),
    },
    {
      object: {apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: named(install)},
      why: 'Held by the one agent that writes; its spec is filled in by whoever holds it.',
    },
    {object: installDeployment(install, trustRoot.metadata.name)},
    {
      object: disruptionBudget(install),
      why: [
        'A drain may always move the agent, since what runs goes on without it; a budget that kept the only pod would block every drain.',
        'While one pod takes the place of another, not both are evicted at once.',
      ].join('\n'),
    },
    {
      object: networkPolicy(install),
      why: 'Nothing gets in but whoever reads metrics; out go only DNS, HTTPS (AWS), the API server and EKS Pod Identity.',
    },
  ]
}

function named({namespace}: AgentInstall): Manifest['metadata'] {
  return {name: AGENT_NAME, namespace, labels: {...INSTALL_LABELS}}
}

function namespaceOf({namespace}: AgentInstall): Manifest {
  const levels = ['enforce', 'audit', 'warn'].map((mode) => [`pod-security.kubernetes.io/${mode}`, 'restricted'])
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {name: namespace, labels: {...INSTALL_LABELS, ...Object.fromEntries(levels)}},
  }
}

function trustRootOf({trustRoot, namespace}: AgentInstall): Manifest {
  const name = `drawbridge-trust-root-${digestHex(digestOf(trustRoot)).slice(0, 10)}`
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {name, namespace, labels: {...INSTALL_LABELS}},
    immutable: true,
    data: {[TRUST_ROOT_FILE]: trustRoot},
  }
}

function disruptionBudget(install: AgentInstall): Manifest {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: named(install),
    spec: {
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: {matchLabels: {'app.kubernetes.io/name': AGENT_NAME}},
    },
  }
}

function networkPolicy(install: AgentInstall): Manifest {
  const tcp = (port: number) => ({protocol: 'TCP', port})
  const reader =
    install.metricsFrom === undefined ? {} : {matchLabels: {'kubernetes.io/metadata.name': install.metricsFrom}}
  const apiServerPorts = [...new Set([443, install.apiServerPort])]
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: named(install),
    spec: {
      podSelector: {matchLabels: {'app.kubernetes.io/name': AGENT_NAME}},
      policyTypes: ['Ingress', 'Egress'],
      ingress: [{from: [{namespaceSelector: reader}], ports: [tcp(ENDPOINTS_PORT)]}],
      egress: [
        {ports: [{protocol: 'UDP', port: 53}, tcp(53)]},
        {ports: apiServerPorts.map(tcp)},
        // The addresses of the EKS Pod Identity agent on every node.
        {
          to: [{ipBlock: {cidr: '169.254.170.23/32'}}, {ipBlock: {cidr: 'fd00:ec2::23/128'}}],
          ports: [tcp(80)],
        },
      ],
    },
  }
}
