import {type CorpusCase, text} from '../corpus-case.ts'
import {bare, configMap, deployment, kustomization, service} from './objects.ts'

const base = {
  'base/kustomization.yaml': 'resources: [web.yaml, service.yaml]\nlabels:\n- pairs: {layer: base}\n',
  'base/web.yaml': deployment('web'),
  'base/service.yaml': service('web'),
} as const

/** Layers: bases, overlays upon overlays, components. */
export const overlayCases: readonly CorpusCase[] = [
  kustomization('an overlay', 'resources: [base]\nnamePrefix: prod-\n', base, {shows: /name: prod-web/}),
  kustomization('bases, the old word', 'bases: [base]\nnameSuffix: -old\n', base, {shows: /web-old/}),
  kustomization('one base twice by two overlays', 'resources: [one, two]\n', {
    ...base,
    'one/kustomization.yaml': 'resources: [../base]\nnamespace: one\nnamePrefix: one-\n',
    'two/kustomization.yaml': 'resources: [../base]\nnamespace: two\nnameSuffix: -two\n',
  }),
  kustomization(
    'five layers, each with a prefix, a label and a patch',
    'resources: [l4]\nnamePrefix: e-\npatches:\n- path: p.yaml\n',
    {
      ...base,
      'p.yaml': text`
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web}
        spec: {replicas: 9}
        `,
      ...Object.fromEntries(
        [1, 2, 3, 4].map((level) => [
          `l${level}/kustomization.yaml`,
          text`
            resources: [${level === 1 ? '../base' : `../l${level - 1}`}]
            namePrefix: ${'abcd'.charAt(level - 1)}-
            labels:
            - pairs: {l${level}: here}
              includeSelectors: ${level % 2 === 0 ? 'true' : 'false'}
            patches:
            - target: {kind: Deployment}
              patch: |-
                - op: add
                  path: /spec/template/spec/containers/0/args/-
                  value: "${level}"
            `,
        ]),
      ),
    },
    {shows: /e-d-c-b-a-web/},
  ),
  kustomization(
    'a diamond',
    'resources: [left, right, common]\n',
    {
      'left/kustomization.yaml': 'resources: [a.yaml]\nnamePrefix: left-\n',
      'left/a.yaml': configMap('a'),
      'right/kustomization.yaml': 'resources: [../common-parts]\nnamePrefix: right-\n',
      'common/kustomization.yaml': 'resources: [../common-parts]\n',
      'common-parts/kustomization.yaml': 'resources: [c.yaml]\n',
      'common-parts/c.yaml': configMap('c'),
    },
    {shows: /right-c/},
  ),
  kustomization(
    'a patch by the name of each layer',
    'resources: [mid]\nnamePrefix: top-\npatches: [{path: p.yaml}]\n',
    {
      ...base,
      'mid/kustomization.yaml': 'resources: [../base]\nnamePrefix: mid-\n',
      'p.yaml': 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: mid-web}\nspec: {paused: true}\n',
    },
    {shows: /paused: true/},
  ),
  kustomization(
    'a component',
    'resources: [base]\ncomponents: [component]\n',
    {
      ...base,
      'component/kustomization.yaml': text`
        apiVersion: kustomize.config.k8s.io/v1alpha1
        kind: Component
        resources: [extra.yaml]
        configMapGenerator:
        - name: settings
          literals: [a=1]
        patches:
        - path: patch.yaml
        `,
      'component/extra.yaml': bare('v1', 'ServiceAccount', 'extra'),
      'component/patch.yaml': text`
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web}
        spec:
          template:
            spec:
              serviceAccountName: extra
              volumes:
              - name: settings
                configMap: {name: settings}
        `,
    },
    {shows: /name: settings-\w{10}\n/},
  ),
  kustomization(
    'components in their order, one upon another',
    'resources: [base]\ncomponents: [one, two]\n',
    {
      ...base,
      'one/kustomization.yaml': text`
        apiVersion: kustomize.config.k8s.io/v1alpha1
        kind: Component
        namePrefix: one-
        `,
      'two/kustomization.yaml': text`
        apiVersion: kustomize.config.k8s.io/v1alpha1
        kind: Component
        components: [../three]
        patches:
        - target: {kind: Deployment, name: web}
          patch: '- {op: replace, path: /spec/replicas, value: 2}'
        `,
      'three/kustomization.yaml': text`
        apiVersion: kustomize.config.k8s.io/v1alpha1
        kind: Component
        commonAnnotations: {three: "yes"}
        `,
    },
    {shows: /three: "yes"/},
  ),
  kustomization('a component of an overlay and one of its base', 'resources: [overlay]\ncomponents: [c]\n', {
    ...base,
    'overlay/kustomization.yaml': 'resources: [../base]\ncomponents: [../c2]\nnamespace: deep\n',
    'c/kustomization.yaml':
      'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nreplicas:\n- {name: web, count: 3}\n',
    'c2/kustomization.yaml':
      'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nimages:\n- {name: nginx, newTag: "2"}\n',
  }),
  kustomization(
    'a component that merges a generated map of its base',
    'resources: [base]\ncomponents: [component]\n',
    {
      'base/kustomization.yaml': 'configMapGenerator:\n- name: m\n  literals: [a=1, b=2]\n',
      'component/kustomization.yaml': text`
        apiVersion: kustomize.config.k8s.io/v1alpha1
        kind: Component
        configMapGenerator:
        - name: m
          behavior: merge
          literals: [b=3, c=4]
        `,
    },
    {shows: /b: "3"/},
  ),
  kustomization(
    'a base whose names an overlay patches after its suffix hash',
    'resources: [base]\npatches:\n- target: {kind: ConfigMap, name: m}\n  patch: "- {op: add, path: /data/x, value: z}"\n',
    {'base/kustomization.yaml': 'configMapGenerator:\n- name: m\n  literals: [a=1]\n'},
    {shows: /x: z/},
  ),
  kustomization('an overlay that removes what a base has', 'resources: [base]\npatches: [{path: gone.yaml}]\n', {
    ...base,
    'gone.yaml': 'apiVersion: v1\nkind: Service\nmetadata: {name: web}\n$patch: delete\n',
  }),
  kustomization('an overlay that removes all', 'resources: [base]\npatches: [{path: gone.yaml}]\n', {
    'base/kustomization.yaml': 'resources: [c.yaml]\n',
    'base/c.yaml': configMap('c'),
    'gone.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n$patch: delete\n',
  }),
  {
    name: 'an overlay beside its base, deep in the tree',
    path: 'a/b/c/overlays/eu-west-1/prod',
    files: {
      'a/b/c/overlays/eu-west-1/prod/kustomization.yaml': 'resources: [../../../base, ../../../../shared]\n',
      'a/b/c/base/kustomization.yaml': 'resources: [web.yaml]\n',
      'a/b/c/base/web.yaml': deployment('web'),
      'a/b/shared/kustomization.yml': 'resources: [s.yaml]\n',
      'a/b/shared/s.yaml': service('web'),
    },
    shows: /kind: Service/,
  },
  kustomization(
    'one value in every layer of a generator',
    'resources: [mid]\nconfigMapGenerator:\n- name: m\n  behavior: merge\n  literals: [top=1]\n',
    {
      'mid/kustomization.yaml':
        'resources: [../base]\nnamePrefix: p-\nconfigMapGenerator:\n- name: m\n  behavior: merge\n  literals: [mid=1]\n',
      'base/kustomization.yaml': 'configMapGenerator:\n- name: m\n  literals: [base=1]\n',
    },
    {shows: /mid: "1"\n {2}top: "1"/},
  ),
]
