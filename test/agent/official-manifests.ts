import type {JsonObject, Manifest} from '#shared/model/manifest.ts'
import {annotated, configMap, deployment, namespace} from './start-test-agent.ts'

const RBAC = 'rbac.authorization.k8s.io'

function account(space: string, name: string): Manifest {
  return {apiVersion: 'v1', kind: 'ServiceAccount', metadata: {name, namespace: space}}
}

/** A role and who has it; cluster-wide without `space`. */
function role(
  name: string,
  subject: {space: string; account: string},
  rules: JsonObject[],
  space?: string,
): Manifest[] {
  const cluster = space === undefined ? 'Cluster' : ''
  const metadata = space === undefined ? {name} : {name, namespace: space}
  return [
    {apiVersion: `${RBAC}/v1`, kind: `${cluster}Role`, metadata, rules},
    {
      apiVersion: `${RBAC}/v1`,
      kind: `${cluster}RoleBinding`,
      metadata,
      roleRef: {apiGroup: RBAC, kind: `${cluster}Role`, name},
      subjects: [{kind: 'ServiceAccount', name: subject.account, namespace: subject.space}],
    },
  ]
}

export function job(
  space: string,
  name: string,
  image: string,
  {serviceAccountName, ...more}: JsonObject = {},
): Manifest {
  const containers = [{name: 'run', image}]
  const user = serviceAccountName === undefined ? {} : {serviceAccountName}
  const spec: JsonObject = {backoffLimit: 1, template: {spec: {containers, restartPolicy: 'Never', ...user}}, ...more}
  return {apiVersion: 'batch/v1', kind: 'Job', metadata: {name, namespace: space}, spec}
}

function service(space: string, name: string, app: string, port: number): Manifest {
  const spec = {selector: {app}, ports: [{name: 'main', port, targetPort: port}]}
  return {apiVersion: 'v1', kind: 'Service', metadata: {name, namespace: space}, spec}
}

function helmHook(manifest: Manifest, events: string, policy: string, weight = '0'): Manifest {
  return annotated(manifest, {
    'helm.sh/hook': events,
    'helm.sh/hook-delete-policy': policy,
    'helm.sh/hook-weight': weight,
  })
}

/** A controller of ingresses as its project publishes it: a webhook, and Jobs that make its certificate and enter it. */
export function ingressController(space: string, version: string, jobs: 'hooks' | 'plain'): Manifest[] {
  const image = `certgen:${version}`
  const isHook = jobs === 'hooks'
  const admission = [
    account(space, 'admission'),
    ...role(
      'admission',
      {space, account: 'admission'},
      [{apiGroups: [''], resources: ['secrets'], verbs: ['get', 'create']}],
      space,
    ),
    ...role(`${space}-admission`, {space, account: 'admission'}, [
      {
        apiGroups: ['admissionregistration.k8s.io'],
        resources: ['validatingwebhookconfigurations'],
        verbs: ['get', 'update'],
      },
    ]),
  ]
  const ended = {serviceAccountName: 'admission', ttlSecondsAfterFinished: 0}
  const [create, patch] = ['create', 'patch'].map((name) => job(space, `admission-${name}`, image, ended)) as [
    Manifest,
    Manifest,
  ]
  const policy = 'before-hook-creation,hook-succeeded'
  const both = 'pre-install,pre-upgrade,post-install,post-upgrade'
  return [
    namespace(space),
    account(space, 'controller'),
    ...role(space, {space, account: 'controller'}, [
      {apiGroups: ['networking.k8s.io'], resources: ['ingresses'], verbs: ['list', 'watch']},
    ]),
    ...role(
      'controller',
      {space, account: 'controller'},
      [{apiGroups: [''], resources: ['configmaps'], verbs: ['get']}],
      space,
    ),
    configMap(space, 'controller', {'allow-snippet-annotations': 'false'}),
    service(space, 'controller', 'controller', 80),
    service(space, 'controller-admission', 'controller', 443),
    deployment(space, 'controller', 1, `controller:${version}`),
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: {name: space},
      spec: {controller: `example.com/${space}`},
    },
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: {name: space},
      webhooks: [
        {
          name: 'validate.ingress.example.com',
          admissionReviewVersions: ['v1'],
          clientConfig: {service: {name: 'controller-admission', namespace: space, path: '/networking/v1/ingresses'}},
          failurePolicy: 'Fail',
          matchPolicy: 'Equivalent',
          rules: [
            {
              apiGroups: ['networking.k8s.io'],
              apiVersions: ['v1'],
              operations: ['CREATE', 'UPDATE'],
              resources: ['ingresses'],
            },
          ],
          sideEffects: 'None',
        },
      ],
    },
    ...(isHook ? admission.map((manifest) => helmHook(manifest, both, policy)) : admission),
    isHook ? helmHook(create, 'pre-install,pre-upgrade', policy) : create,
    isHook ? helmHook(patch, 'post-install,post-upgrade', policy) : patch,
  ]
}

/** An operator with the definition of its kind, and in a later wave an object of it. */
export function operator(space: string, version: string): Manifest[] {
  const group = `${space}.example.com`
  const spec = {type: 'object', properties: {size: {type: 'integer'}, tier: {type: 'string', default: 'basic'}}}
  const status = {type: 'object', 'x-kubernetes-preserve-unknown-fields': true}
  return [
    namespace(space),
    {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: {name: `databases.${group}`},
      spec: {
        group,
        scope: 'Namespaced',
        names: {kind: 'Database', plural: 'databases', singular: 'database', listKind: 'DatabaseList'},
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            subresources: {status: {}},
            additionalPrinterColumns: version === '1' ? [] : [{name: 'Tier', type: 'string', jsonPath: '.spec.tier'}],
            schema: {openAPIV3Schema: {type: 'object', properties: {spec, status}}},
          },
        ],
      },
    },
    account(space, 'operator'),
    ...role(space, {space, account: 'operator'}, [{apiGroups: [group], resources: ['*'], verbs: ['*']}]),
    ...role(
      'leader',
      {space, account: 'operator'},
      [{apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['*']}],
      space,
    ),
    deployment(space, 'operator', 1, `operator:${version}`),
    {
      ...annotated(
        {apiVersion: `${group}/v1`, kind: 'Database', metadata: {name: 'main', namespace: space}},
        {
          'argocd.argoproj.io/sync-wave': '1',
        },
      ),
      spec: {size: Number(version)},
    },
  ]
}

/** A chart with hooks of each sort, one of which needs an account that is a hook too, and something to keep when it is uninstalled. */
export function chartWithHooks(space: string, version: string): Manifest[] {
  const once = 'before-hook-creation,hook-succeeded'
  const checker = [account(space, 'checker'), ...role('checker', {space, account: 'checker'}, [], space)]
  const asChecker = {serviceAccountName: 'checker'}
  return [
    configMap(space, 'settings', {version}),
    deployment(space, 'web', 1, `web:${version}`),
    service(space, 'web', 'web', 80),
    annotated(
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: {name: 'password', namespace: space},
        stringData: {password: 'first'},
      },
      {
        'helm.sh/resource-policy': 'keep',
      },
    ),
    helmHook(job(space, 'prepare', 'web:1'), 'pre-install', 'hook-succeeded'),
    ...checker.map((manifest) => helmHook(manifest, 'post-install', once, '-5')),
    helmHook(job(space, 'check', 'web:1', asChecker), 'post-install', once, '1'),
    helmHook(job(space, 'migrate', `web:${version}`), 'pre-upgrade', 'before-hook-creation', '1'),
    helmHook(job(space, 'announce', `web:${version}`), 'post-upgrade', 'hook-succeeded'),
    helmHook(job(space, 'smoke', 'web:1'), 'test', 'before-hook-creation'),
    helmHook(job(space, 'farewell', 'web:1'), 'pre-delete', 'hook-succeeded'),
  ]
}
