import {appDefinition, appType, definitionType} from '#agent/app-definition.ts'
import type {JsonObject} from '#shared/model/manifest.ts'
import {AGENT_NAME, type AgentInstall, INSTALL_LABELS} from './agent-install.ts'
import {type InstallObject, type ReasonedRule, reasonedRole} from './install-object.ts'

/** Built-in kinds that apps are made of and that hold no secret, by API group. */
const followedResources: Readonly<Record<string, readonly string[]>> = {
  '': [
    'configmaps',
    'limitranges',
    'namespaces',
    'persistentvolumeclaims',
    'pods',
    'replicationcontrollers',
    'resourcequotas',
    'serviceaccounts',
    'services',
  ],
  apps: ['daemonsets', 'deployments', 'replicasets', 'statefulsets'],
  autoscaling: ['horizontalpodautoscalers'],
  batch: ['cronjobs', 'jobs'],
  'networking.k8s.io': ['ingresses', 'networkpolicies'],
  policy: ['poddisruptionbudgets'],
  'rbac.authorization.k8s.io': ['rolebindings', 'roles'],
}

/** Makes the roles and bindings of the agent: those for its own state, and those of its profile. */
export function installAccess(install: AgentInstall): InstallObject[] {
  return [...ownState(install), ...(install.profile === 'platform' ? platformAccess(install) : tenantAccess(install))]
}

function ownState({namespace}: AgentInstall): InstallObject[] {
  const rules: ReasonedRule[] = [
    {
      why: 'what was accepted last, and the inventory of each app: names are made from app names, so they cannot be listed here',
      rule: {apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'create', 'patch', 'delete']},
    },
    {
      why: 'one agent writes at a time; a Lease that was deleted is made anew, which RBAC cannot limit to a name',
      rule: {apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create']},
    },
    {
      why: 'to take, renew and give up the one Lease',
      rule: {
        apiGroups: ['coordination.k8s.io'],
        resources: ['leases'],
        resourceNames: [AGENT_NAME],
        verbs: ['get', 'update'],
      },
    },
    {
      why: 'to show each app, to hear what its annotations ask for, and to take away what is no app any more',
      rule: {
        apiGroups: [appType.group],
        resources: [appType.plural],
        verbs: ['list', 'watch', 'create', 'delete'],
      },
    },
    {
      why: 'to say how each app is',
      rule: {apiGroups: [appType.group], resources: [`${appType.plural}/status`], verbs: ['patch']},
    },
    {
      why: 'to tell of what it does, all of it about App objects of its own namespace',
      rule: {apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create', 'patch']},
    },
  ]
  const metadata = {name: AGENT_NAME, namespace}
  return [
    {...reasonedRole('Role', metadata, rules), why: "The agent's own state, in its own namespace."},
    {object: bindingOf(agentSubject(namespace), metadata, {kind: 'Role', name: AGENT_NAME})},
  ]
}

function platformAccess({namespace}: AgentInstall): InstallObject[] {
  return [
    {
      object: bindingOf(agentSubject(namespace), {name: AGENT_NAME}, {kind: 'ClusterRole', name: 'cluster-admin'}),
      why: [
        'PROFILE platform: THE AGENT MAY DO ANYTHING IN THIS CLUSTER. Whoever can sign for it can too, unless an app names a',
        'serviceAccount. Where that is too much, install --profile tenant, or bind less than cluster-admin here.',
      ].join('\n'),
    },
  ]
}

function tenantAccess({namespace, impersonate, watch}: AgentInstall): InstallObject[] {
  const anywhere = impersonate.filter((name) => !name.includes('/'))
  const rules: ReasonedRule[] = [
    ...Object.entries(followedResources).map(([group, resources]) => ({
      why: `to follow what apps are made of, and to see drift and health: ${group === '' ? 'the core group, but for Secrets' : group}`,
      rule: readRule(group, resources),
    })),
    ...watch.map((name) => {
      const [resource = '', ...group] = name.split('.')
      return {why: `asked for: ${name}`, rule: readRule(group.join('.'), [resource])}
    }),
  ]
  rules.push(
    {
      why: 'to say why a workload has no pods, in the words of whoever refused them',
      rule: {apiGroups: [''], resources: ['events'], verbs: ['list']},
    },
    {
      why: 'to see whether the definition of App objects is its own; to change it is for whoever installs',
      rule: {
        apiGroups: [definitionType.group],
        resources: [definitionType.plural],
        resourceNames: [appDefinition.metadata.name],
        verbs: ['get'],
      },
    },
  )
  if (anywhere.length > 0) {
    rules.push({
      why: 'to apply as these ServiceAccounts, in whatever namespace made one: what each may do is for its own roles to say',
      rule: impersonateRule(anywhere),
    })
  }
  const subject = agentSubject(namespace)
  return [
    {
      ...reasonedRole('ClusterRole', {name: AGENT_NAME}, rules),
      why: [
        'PROFILE tenant: the agent itself reads, and writes nothing outside its namespace. It applies an app as the serviceAccount that',
        'the app names; one that names none can write nothing.',
      ].join('\n'),
    },
    {object: bindingOf(subject, {name: AGENT_NAME}, {kind: 'ClusterRole', name: AGENT_NAME})},
    ...[...namesByNamespace(impersonate)].flatMap(([inNamespace, names]) => {
      const metadata = {name: `${AGENT_NAME}-impersonate`, namespace: inNamespace}
      const rule = {why: 'to apply as these ServiceAccounts of this namespace', rule: impersonateRule(names)}
      return [
        reasonedRole('Role', metadata, [rule]),
        {object: bindingOf(subject, metadata, {kind: 'Role', name: metadata.name})},
      ]
    }),
  ]
}

function readRule(group: string, resources: readonly string[]): JsonObject {
  return {apiGroups: [group], resources: [...resources], verbs: ['get', 'list', 'watch']}
}

function impersonateRule(names: readonly string[]): JsonObject {
  return {apiGroups: [''], resources: ['serviceaccounts'], resourceNames: [...names], verbs: ['impersonate']}
}

function namesByNamespace(impersonate: readonly string[]): Map<string, string[]> {
  const names = new Map<string, string[]>()
  for (const entry of impersonate) {
    const [namespace = '', name] = entry.split('/')
    if (name !== undefined) names.set(namespace, [...(names.get(namespace) ?? []), name])
  }
  return names
}

function agentSubject(namespace: string): JsonObject {
  return {kind: 'ServiceAccount', name: AGENT_NAME, namespace}
}

function bindingOf(
  subject: JsonObject,
  metadata: {name: string; namespace?: string},
  role: {kind: 'Role' | 'ClusterRole'; name: string},
): InstallObject['object'] {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: metadata.namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
    metadata: {...metadata, labels: {...INSTALL_LABELS}},
    roleRef: {apiGroup: 'rbac.authorization.k8s.io', ...role},
    subjects: [subject],
  }
}
