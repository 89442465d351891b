import type {ResourceType} from '#agent/kube/kube-client.ts'
import type {JsonObject, Manifest} from '#shared/model/manifest.ts'
import {configMap, deployment, namespace, types} from './start-test-agent.ts'

/** What a step of an apply holds: stages, each begun when all of the former was applied. */
export type ExpectedStep = Manifest[][]

const argo = 'argocd.argoproj.io'
const rbacGroup = 'rbac.authorization.k8s.io'
const rbac = `${rbacGroup}/v1`
const space = 'order'
const other = 'order-more'

function typeOf(group: string, version: string, kind: string, plural: string, namespaced = true): ResourceType {
  return {group, version, kind, plural, namespaced}
}

/** The kinds of the app that the server knows from the start, to be watched. */
export const builtInTypes: ResourceType[] = [
  types.namespace,
  types.configMap,
  types.secret,
  types.deployment,
  typeOf('', 'v1', 'Service', 'services'),
  typeOf('', 'v1', 'ServiceAccount', 'serviceaccounts'),
  typeOf('batch', 'v1', 'Job', 'jobs'),
  typeOf('policy', 'v1', 'PodDisruptionBudget', 'poddisruptionbudgets'),
  typeOf(rbacGroup, 'v1', 'Role', 'roles'),
  typeOf(rbacGroup, 'v1', 'RoleBinding', 'rolebindings'),
  typeOf(rbacGroup, 'v1', 'ClusterRole', 'clusterroles', false),
  typeOf(rbacGroup, 'v1', 'ClusterRoleBinding', 'clusterrolebindings', false),
  typeOf('scheduling.k8s.io', 'v1', 'PriorityClass', 'priorityclasses', false),
  typeOf('storage.k8s.io', 'v1', 'StorageClass', 'storageclasses', false),
  typeOf('apiextensions.k8s.io', 'v1', 'CustomResourceDefinition', 'customresourcedefinitions', false),
  typeOf(
    'admissionregistration.k8s.io',
    'v1',
    'ValidatingWebhookConfiguration',
    'validatingwebhookconfigurations',
    false,
  ),
]

/** The kinds that the app itself brings. */
export const customTypes: ResourceType[] = [
  typeOf('order.example', 'v1', 'Gadget', 'gadgets'),
  typeOf('order.example', 'v1', 'GadgetClass', 'gadgetclasses', false),
]

const annotated = (manifest: Manifest, annotations: Record<string, string>): Manifest => ({
  ...manifest,
  metadata: {...manifest.metadata, annotations},
})
const inWave = (wave: number, ...manifests: Manifest[]): Manifest[] =>
  wave === 0 ? manifests : manifests.map((manifest) => annotated(manifest, {[`${argo}/sync-wave`]: String(wave)}))
const named = (apiVersion: string, kind: string, name: string, more: JsonObject = {}, within = space): Manifest => ({
  apiVersion,
  kind,
  metadata: {name, ...(within === '' ? {} : {namespace: within})},
  ...more,
})

function definition(kind: string, plural: string, scope: string): Manifest {
  const schema = {openAPIV3Schema: {type: 'object', 'x-kubernetes-preserve-unknown-fields': true}}
  const names = {kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List`}
  const versions: JsonObject[] = [{name: 'v1', served: true, storage: true, schema}]
  const spec = {group: 'order.example', names, scope, versions}
  return named('apiextensions.k8s.io/v1', 'CustomResourceDefinition', `${plural}.order.example`, {spec}, '')
}

const gadget = (name: string): Manifest => named('order.example/v1', 'Gadget', name)
const service = (name: string): Manifest =>
  named('v1', 'Service', name, {spec: {selector: {app: name}, ports: [{port: 80}]}})
const numbered = (count: number, make: (index: number) => Manifest): Manifest[] =>
  Array.from({length: count}, (_, index) => make(index))

function hook(name: string, annotations: Record<string, string>): Manifest {
  const containers: JsonObject[] = [{name: 'run', image: 'run:1'}]
  const job = named('batch/v1', 'Job', name, {spec: {template: {spec: {containers, restartPolicy: 'Never'}}}})
  return annotated(job, annotations)
}

/** A big app of every sort of ordering, as the steps and stages that it must be applied in. `interceptor` is applied last of its wave, the last one. */
export function orderApp(interceptor: Manifest): {steps: ExpectedStep[]; never: Manifest[]} {
  const roleRef = (kind: string, name: string) => ({apiGroup: rbacGroup, kind, name})
  const subjects: JsonObject[] = [{kind: 'ServiceAccount', name: 'sa-0', namespace: space}]
  return {
    steps: [
      [[namespace(space)], [hook('prepare', {'helm.sh/hook': 'pre-install,pre-upgrade', 'helm.sh/hook-weight': '-5'})]],
      [[hook('migrate', {[`${argo}/hook`]: 'PreSync', [`${argo}/hook-delete-policy`]: 'HookSucceeded'})]],
      [
        [definition('Gadget', 'gadgets', 'Namespaced')],
        inWave(-1, ...numbered(4, (index) => configMap(space, `early-${index}`))),
        inWave(-1, deployment(space, 'database')),
        inWave(-1, gadget('early')),
      ],
      [
        [
          namespace(other),
          definition('GadgetClass', 'gadgetclasses', 'Cluster'),
          named('scheduling.k8s.io/v1', 'PriorityClass', 'order', {value: 10}, ''),
          named('storage.k8s.io/v1', 'StorageClass', 'order', {provisioner: 'order.example/none'}, ''),
          ...numbered(2, (index) => named(rbac, 'ClusterRole', `order-${index}`, {rules: []}, '')),
        ],
        [
          ...numbered(2, (index) => named('order.example/v1', 'GadgetClass', `class-${index}`, {}, '')),
          ...numbered(3, (index) => named('v1', 'ServiceAccount', `sa-${index}`)),
          ...numbered(2, (index) => named(rbac, 'Role', `role-${index}`, {rules: []})),
          ...numbered(2, (index) =>
            named(
              rbac,
              'ClusterRoleBinding',
              `order-${index}`,
              {roleRef: roleRef('ClusterRole', 'order-0'), subjects},
              '',
            ),
          ),
          ...numbered(3, (index) => named('v1', 'Secret', `secret-${index}`, {stringData: {v: '1'}})),
          ...numbered(6, (index) => configMap(space, `middle-${index}`)),
          ...numbered(3, (index) => configMap(other, `more-${index}`)),
          ...numbered(3, (index) => service(`middle-${index}`)),
        ],
        [
          ...numbered(2, (index) =>
            named(rbac, 'RoleBinding', `role-${index}`, {roleRef: roleRef('Role', 'role-0'), subjects}),
          ),
          ...numbered(3, (index) => deployment(space, `middle-${index}`)),
          named('policy/v1', 'PodDisruptionBudget', 'middle', {
            spec: {maxUnavailable: 1, selector: {matchLabels: {app: 'middle-0'}}},
          }),
        ],
        numbered(4, (index) => gadget(`middle-${index}`)),
      ],
      [
        inWave(1, ...numbered(3, (index) => configMap(space, `late-${index}`)), service('late')),
        inWave(1, deployment(space, 'late')),
      ],
      [
        inWave(2, ...numbered(3, (index) => configMap(space, `later-${index}`))),
        [
          hook('check', {[`${argo}/hook`]: 'Sync', [`${argo}/sync-wave`]: '2'}),
          ...inWave(2, deployment(space, 'later')),
        ],
        inWave(2, gadget('later')),
      ],
      [
        inWave(3, ...numbered(3, (index) => configMap(space, `last-${index}`)), service('last')),
        inWave(3, deployment(space, 'last')),
        inWave(3, interceptor),
      ],
      [
        [
          hook('announce', {
            'helm.sh/hook': 'post-install,post-upgrade',
            'helm.sh/hook-delete-policy': 'hook-succeeded',
          }),
        ],
      ],
      [[hook('verify', {[`${argo}/hook`]: 'PostSync', [`${argo}/sync-wave`]: '1'})]],
    ],
    never: [
      hook('rescue', {[`${argo}/hook`]: 'SyncFail'}),
      hook('skipped', {[`${argo}/hook`]: 'Skip'}),
      hook('undo', {'helm.sh/hook': 'pre-delete'}),
    ],
  }
}
