import {type CorpusCase, text} from '../corpus-case.ts'
import {bare, configMap, deployment, kustomization, referring, service} from './objects.ts'

const everyKind = [
  deployment('d'),
  service('s'),
  bare(
    'apps/v1',
    'DaemonSet',
    'ds',
    'spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}}}\n',
  ),
  bare('batch/v1', 'Job', 'j', 'spec: {template: {spec: {containers: []}}}\n'),
  bare('batch/v1', 'CronJob', 'cj', 'spec: {jobTemplate: {spec: {template: {spec: {containers: []}}}}}\n'),
  bare(
    'networking.k8s.io/v1',
    'NetworkPolicy',
    'np',
    'spec: {podSelector: {matchLabels: {a: b}}, ingress: [{from: [{podSelector: {matchLabels: {a: b}}}]}]}\n',
  ),
  bare('policy/v1', 'PodDisruptionBudget', 'pdb', 'spec: {selector: {matchLabels: {a: b}}}\n'),
  bare(
    'apps/v1',
    'StatefulSet',
    'st',
    'spec: {selector: {matchLabels: {a: b}}, template: {metadata: {}}, volumeClaimTemplates: [{metadata: {name: v}}]}\n',
  ),
  bare('example.com/v1', 'Thing', 't', 'spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {}}}}\n'),
  bare('v1', 'Namespace', 'n'),
].join('---\n')

const references = [
  referring('web'),
  bare('v1', 'ConfigMap', 'settings'),
  bare('v1', 'Secret', 'secrets'),
  bare('v1', 'Secret', 'pull'),
  bare('v1', 'Service', 'headless', 'spec: {clusterIP: None}\n'),
  bare('v1', 'ServiceAccount', 'runner', 'imagePullSecrets: [{name: pull}]\n'),
  bare('v1', 'PersistentVolumeClaim', 'data'),
  bare('scheduling.k8s.io/v1', 'PriorityClass', 'high', 'value: 1\n'),
  bare(
    'autoscaling/v2',
    'HorizontalPodAutoscaler',
    'h',
    'spec: {scaleTargetRef: {apiVersion: apps/v1, kind: StatefulSet, name: web}}\n',
  ),
  bare(
    'networking.k8s.io/v1',
    'Ingress',
    'i',
    'spec: {tls: [{secretName: secrets}], defaultBackend: {service: {name: headless}}, rules: [{http: {paths: [{path: /, backend: {service: {name: headless}}}]}}]}\n',
  ),
  bare(
    'rbac.authorization.k8s.io/v1',
    'Role',
    'r',
    'rules: [{apiGroups: [""], resources: [secrets], resourceNames: [secrets], verbs: [get]}]\n',
  ),
  bare(
    'rbac.authorization.k8s.io/v1',
    'RoleBinding',
    'rb',
    'roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}\nsubjects: [{kind: ServiceAccount, name: runner, namespace: default}, {kind: User, name: runner}]\n',
  ),
  bare(
    'rbac.authorization.k8s.io/v1',
    'ClusterRoleBinding',
    'crb',
    'roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cr}\nsubjects: [{kind: ServiceAccount, name: runner, namespace: other}]\n',
  ),
  bare('rbac.authorization.k8s.io/v1', 'ClusterRole', 'cr', 'aggregationRule: {}\n'),
  bare(
    'admissionregistration.k8s.io/v1',
    'ValidatingWebhookConfiguration',
    'w',
    'webhooks: [{name: a.b.c, clientConfig: {service: {name: headless, namespace: default}}}]\n',
  ),
  bare(
    'apiregistration.k8s.io/v1',
    'APIService',
    'v1.example.com',
    'spec: {service: {name: headless, namespace: default}}\n',
  ),
  bare(
    'apiextensions.k8s.io/v1',
    'CustomResourceDefinition',
    'things.example.com',
    'spec: {conversion: {webhook: {clientConfig: {service: {name: headless}}}}}\n',
  ),
  bare('storage.k8s.io/v1', 'StorageClass', 'fast', 'provisioner: x\n'),
  bare('v1', 'PersistentVolume', 'pv', 'spec: {storageClassName: fast, claimRef: {name: data}}\n'),
].join('---\n')

const bindings = [
  bare('v1', 'ServiceAccount', 'default'),
  bare('v1', 'ServiceAccount', 'own'),
  bare(
    'rbac.authorization.k8s.io/v1',
    'RoleBinding',
    'b',
    'roleRef: {kind: Role, name: x}\nsubjects: [{kind: ServiceAccount, name: default}, {kind: ServiceAccount, name: own, namespace: was}, {kind: ServiceAccount, name: foreign, namespace: was}, {kind: Group, name: g}]\n',
  ),
  configMap('c'),
  service('s', 'was'),
  bare('v1', 'Namespace', 'was'),
  bare('rbac.authorization.k8s.io/v1', 'ClusterRole', 'cluster-wide'),
].join('---\n')

const files = {'all.yaml': everyKind, 'references.yaml': references, 'bindings.yaml': bindings} as const

/** Names, namespaces, labels and annotations, and what refers to them. */
export const metadataCases: readonly CorpusCase[] = [
  kustomization('namePrefix on every kind', 'namePrefix: p-\nresources: [all.yaml]\n', files, {shows: /name: p-np/}),
  kustomization('nameSuffix on every kind', 'nameSuffix: "-2"\nresources: [all.yaml]\n', files, {shows: /name: np-2/}),
  kustomization(
    'every reference follows its name',
    'namePrefix: p-\nnameSuffix: -s\nresources: [references.yaml]\n',
    files,
    {shows: /claimName: p-data-s/},
  ),
  kustomization(
    'every reference follows its name and namespace',
    'namePrefix: p-\nnamespace: moved\nresources: [references.yaml]\n',
    files,
    {shows: /serviceAccountName: p-runner/},
  ),
  kustomization('namespace on every kind', 'namespace: moved\nresources: [all.yaml]\n', files, {
    shows: /namespace: moved/,
  }),
  kustomization('namespace and role bindings', 'namespace: moved\nresources: [bindings.yaml]\n', files, {
    shows: /name: default\n {2}namespace: moved/,
  }),
  kustomization(
    'a Namespace that is moved too',
    'namespace: moved\nresources: [n.yaml]\n',
    {'n.yaml': `${bare('v1', 'Namespace', 'was')}---\n${service('s', 'was')}`},
    {shows: /name: moved/},
  ),
  ...(['allServiceAccounts', 'defaultOnly', 'none'] as const).map((subjects) =>
    kustomization(
      `NamespaceTransformer with setRoleBindingSubjects ${subjects}`,
      text`
        resources: [bindings.yaml]
        transformers:
        - |-
          apiVersion: builtin
          kind: NamespaceTransformer
          metadata: {name: n, namespace: moved}
          setRoleBindingSubjects: ${subjects}
          fieldSpecs:
          - {path: metadata/namespace, create: true}
        `,
      files,
      {shows: /namespace: moved/},
    ),
  ),
  kustomization(
    'NamespaceTransformer with unsetOnly',
    text`
      resources: [bindings.yaml]
      transformers:
      - |-
        apiVersion: builtin
        kind: NamespaceTransformer
        metadata: {name: n, namespace: moved}
        unsetOnly: true
      `,
    files,
    {shows: /namespace: was[\s\S]*namespace: moved|namespace: moved[\s\S]*namespace: was/},
  ),
  kustomization('commonLabels on every kind', 'commonLabels: {team: x, number: "1"}\nresources: [all.yaml]\n', files, {
    shows: /matchLabels:\n\s+a: b\n\s+number: "1"\n\s+team: x/,
  }),
  kustomization('labels on every kind', 'labels:\n- pairs: {team: x}\nresources: [all.yaml]\n', files, {
    shows: /labels:\n\s+team: x/,
  }),
  kustomization(
    'labels with selectors',
    'labels:\n- pairs: {team: x}\n  includeSelectors: true\nresources: [all.yaml]\n',
    files,
    {shows: /matchLabels:\n\s+a: b\n\s+team: x/},
  ),
  kustomization(
    'labels with templates',
    'labels:\n- pairs: {team: x}\n  includeTemplates: true\nresources: [all.yaml]\n',
    files,
    {shows: /template:\n {4}metadata:\n {6}labels:\n {8}app: d\n {8}team: x/},
  ),
  kustomization(
    'labels with fields of their own',
    text`
      resources: [all.yaml]
      labels:
      - pairs: {one: "1"}
        fields:
        - {path: spec/template/metadata/labels, kind: Thing, group: example.com, version: v1, create: true}
      - pairs: {two: "2"}
        includeSelectors: true
        fields:
        - {path: spec/extra, create: true, kind: Thing}
      - pairs: {three: "3"}
      `,
    files,
    {shows: /extra:\n\s+two: "2"/},
  ),
  kustomization(
    'labels that change what is there',
    'labels:\n- pairs: {app: changed}\nresources: [all.yaml]\n',
    files,
    {
      shows: /app: changed/,
    },
  ),
  kustomization(
    'commonAnnotations on every kind',
    'commonAnnotations:\n  note: "yes"\n  example.com/multi: |\n    one\n    two\nresources: [all.yaml]\n',
    files,
    {shows: /note: "yes"/},
  ),
  kustomization(
    'all at once',
    text`
      namespace: ns
      namePrefix: a-
      nameSuffix: -z
      commonLabels: {c: l}
      commonAnnotations: {c: a}
      labels: [{pairs: {l: l}, includeTemplates: true}]
      images: [{name: nginx, newTag: latest}]
      replicas: [{name: d, count: 2}]
      resources: [all.yaml, references.yaml]
      configMapGenerator: [{name: settings-2, literals: [a=1]}]
      patches:
      - target: {kind: Deployment}
        patch: '- {op: add, path: /spec/paused, value: true}'
      `,
    files,
    {shows: /paused: true/},
  ),
  kustomization(
    'references across two bases of the same names',
    'resources: [one, two]\n',
    {
      'one/kustomization.yaml': 'namePrefix: one-\nresources: [../shared]\n',
      'two/kustomization.yaml': 'namePrefix: two-\nresources: [../shared]\n',
      'shared/kustomization.yaml': 'resources: [references.yaml]\n',
      'shared/references.yaml': `${referring('web')}---\n${configMap('settings')}`,
    },
    {shows: /name: two-settings/},
  ),
  kustomization(
    'references of kinds that a configuration names',
    text`
      namePrefix: p-
      resources: [all.yaml]
      configurations: [config.yaml]
      `,
    {
      'all.yaml': `${bare('example.com/v1', 'Thing', 't', 'spec: {configRef: {name: c}, refs: [{map: c}, {map: d}]}\n')}---\n${configMap('c')}`,
      'config.yaml': text`
        nameReference:
        - kind: ConfigMap
          version: v1
          fieldSpecs:
          - {kind: Thing, group: example.com, path: spec/configRef/name}
          - {kind: Thing, path: spec/refs/map}
        `,
    },
    {shows: /map: p-c/},
  ),
]
