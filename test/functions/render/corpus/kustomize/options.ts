import {type CorpusCase, text} from '../corpus-case.ts'
import {bare, configMap, deployment, kustomization, service} from './objects.ts'

const mixed = {
  'all.yaml': [
    bare('example.com/v1', 'Thing', 't'),
    deployment('web'),
    bare('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration', 'm', 'webhooks: []\n'),
    service('web'),
    bare('v1', 'Namespace', 'n'),
    bare('rbac.authorization.k8s.io/v1', 'ClusterRole', 'c', 'rules: []\n'),
    bare('v1', 'ServiceAccount', 's'),
    configMap('b'),
    configMap('a'),
    bare('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'things.example.com'),
    bare('v1', 'LimitRange', 'l'),
    bare('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration', 'v', 'webhooks: []\n'),
  ].join('---\n'),
} as const

const crd = JSON.stringify({
  'com.example.v1.Thing': {
    Schema: {
      properties: {
        apiVersion: {type: 'string'},
        kind: {type: 'string'},
        metadata: {$ref: 'k8s.io/apimachinery/pkg/apis/meta/v1.ObjectMeta'},
        spec: {$ref: 'com.example.v1.ThingSpec'},
      },
      'x-kubernetes-group-version-kind': [{group: 'example.com', version: 'v1', kind: 'Thing'}],
    },
  },
  'com.example.v1.ThingSpec': {
    Schema: {
      properties: {
        settings: {
          'x-kubernetes-object-ref-api-version': 'v1',
          'x-kubernetes-object-ref-kind': 'ConfigMap',
          type: 'object',
        },
      },
    },
  },
})

const openapi = {
  definitions: {
    'com.example.v1.Thing': {
      type: 'object',
      properties: {
        spec: {
          type: 'object',
          properties: {
            parts: {
              type: 'array',
              items: {type: 'object'},
              'x-kubernetes-patch-merge-key': 'id',
              'x-kubernetes-patch-strategy': 'merge',
              'x-kubernetes-list-type': 'map',
              'x-kubernetes-list-map-keys': ['id'],
            },
            template: {$ref: '#/definitions/io.k8s.api.core.v1.PodTemplateSpec'},
          },
        },
      },
      'x-kubernetes-group-version-kind': [{group: 'example.com', version: 'v1', kind: 'Thing'}],
    },
  },
}

const things = {
  'all.yaml': bare('example.com/v1', 'Thing', 't', 'spec: {parts: [{id: a, v: 1}, {id: b, v: 2}]}\n'),
  'p.yaml': bare('example.com/v1', 'Thing', 't', 'spec: {parts: [{id: b, w: 3}]}\n'),
  'schema.json': JSON.stringify(openapi),
} as const

/** What a kustomization says of itself: order, origins, schemas. */
export const optionCases: readonly CorpusCase[] = [
  kustomization('the order of kinds', 'resources: [all.yaml]\n', mixed, {shows: /^apiVersion: v1\nkind: Namespace/}),
  kustomization('sortOptions: legacy', 'sortOptions: {order: legacy}\nresources: [all.yaml]\n', mixed, {
    shows: /^apiVersion: v1\nkind: Namespace/,
  }),
  kustomization('sortOptions: fifo', 'sortOptions: {order: fifo}\nresources: [all.yaml]\n', mixed, {
    shows: /^apiVersion: example.com\/v1\nkind: Thing/,
  }),
  kustomization(
    'sortOptions: legacy with orders of its own',
    'sortOptions:\n  order: legacy\n  legacySortOptions:\n    orderFirst: [ConfigMap, Service]\n    orderLast: [Namespace, Thing]\nresources: [all.yaml]\n',
    mixed,
    {shows: /^(?!apiVersion: v1\nkind: Namespace)[\s\S]*kind: Thing\nmetadata:\n {2}name: t\n$/},
  ),
  kustomization(
    'sortOptions of a base do nothing',
    'resources: [base]\n',
    {
      'base/kustomization.yaml': 'sortOptions: {order: fifo}\nresources: [all.yaml]\n',
      'base/all.yaml': mixed['all.yaml'],
    },
    {shows: /^apiVersion: v1\nkind: Namespace|^apiVersion: example/},
  ),
  kustomization('buildMetadata: managedByLabel', 'buildMetadata: [managedByLabel]\nresources: [all.yaml]\n', mixed, {
    shows: /app.kubernetes.io\/managed-by: kustomize-/,
  }),
  kustomization(
    'buildMetadata: originAnnotations',
    'buildMetadata: [originAnnotations]\nresources: [base, all.yaml]\nconfigMapGenerator: [{name: g, literals: [a=1]}]\n',
    {...mixed, 'base/kustomization.yaml': 'resources: [x.yaml]\n', 'base/x.yaml': configMap('x')},
    {shows: /path: base\/x.yaml/},
  ),
  kustomization(
    'buildMetadata: transformerAnnotations',
    'buildMetadata: [transformerAnnotations]\nnamePrefix: p-\nresources: [base, all.yaml]\n',
    {...mixed, 'base/kustomization.yaml': 'namespace: ns\nresources: [x.yaml]\n', 'base/x.yaml': configMap('x')},
    {shows: /alpha.config.kubernetes.io\/transformations/},
  ),
  kustomization(
    'buildMetadata: all',
    'buildMetadata: [managedByLabel, originAnnotations, transformerAnnotations]\nnameSuffix: -s\nresources: [all.yaml]\ngenerators: [g.yaml]\n',
    {...mixed, 'g.yaml': 'apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: g}\nliterals: [a=1]\n'},
    {shows: /configuredIn: g.yaml/},
  ),
  kustomization(
    'crds: references of custom resources',
    'namePrefix: p-\ncrds: [crd.json]\nresources: [all.yaml]\n',
    {
      'all.yaml': `${bare('example.com/v1', 'Thing', 't', 'spec: {settings: {name: c}}\n')}---\n${configMap('c')}`,
      'crd.json': crd,
    },
    {shows: /settings:\n {4}name: p-c/},
  ),
  kustomization(
    'openapi: a schema of our own merges lists by key',
    'openapi: {path: schema.json}\nresources: [all.yaml]\npatches: [{path: p.yaml}]\n',
    things,
    {shows: /v: 2\n\s+w: 3/},
  ),
  kustomization(
    'without that schema the list is replaced',
    'resources: [all.yaml]\npatches: [{path: p.yaml}]\n',
    things,
    {shows: /^(?![\s\S]*id: a)/},
  ),
  kustomization(
    'openapi: a schema in YAML',
    'openapi: {path: schema.yaml}\nresources: [all.yaml]\npatches: [{path: p.yaml}]\n',
    {...things, 'schema.yaml': `# a comment makes it no JSON\n${JSON.stringify(openapi, null, 1)}\n`},
    {shows: /id: a/},
  ),
  kustomization('openapi: a schema of a base', 'resources: [base]\npatches: [{path: p.yaml}]\n', {
    'base/kustomization.yaml': 'openapi: {path: schema.json}\nresources: [all.yaml]\n',
    'base/all.yaml': things['all.yaml'],
    'base/schema.json': things['schema.json'],
    'p.yaml': things['p.yaml'],
  }),
  kustomization(
    'openapi: the version that is built in',
    'openapi: {version: v1.21.2}\nresources: [all.yaml]\nnamespace: ns\n',
    mixed,
    {shows: /namespace: ns/},
  ),
  kustomization(
    'configurations: field specs of every transformer',
    text`
      namePrefix: p-
      commonLabels: {c: l}
      commonAnnotations: {c: a}
      namespace: ns
      images: [{name: nginx, newTag: "7"}]
      replicas: [{name: t, count: 4}]
      configurations: [one.yaml, two.yaml]
      resources: [t.yaml]
      `,
    {
      't.yaml': bare('example.com/v1', 'Thing', 't', 'spec: {image: "nginx:1", runs: 1, more: [{img: nginx}]}\n'),
      'one.yaml': text`
        namePrefix:
        - {path: spec/prefixed, kind: Thing, create: true}
        commonLabels:
        - {path: spec/labels, kind: Thing, create: true}
        commonAnnotations:
        - {path: spec/notes, kind: Thing, create: true}
        namespace:
        - {path: spec/where, kind: Thing, create: true}
        `,
      'two.yaml': text`
        images:
        - {path: spec/image, kind: Thing}
        - {path: "spec/more[]/img", kind: Thing}
        replicas:
        - {path: spec/runs, kind: Thing}
        `,
    },
    {shows: /runs: 4/},
  ),
  kustomization(
    'images of a custom resource where a configuration says so',
    'images: [{name: nginx, newName: mirror/nginx, newTag: "8"}]\nconfigurations: [c.yaml]\nresources: [t.yaml]\n',
    {
      't.yaml': bare('example.com/v1', 'Thing', 't', 'spec: {image: "nginx:1"}\n'),
      'c.yaml': 'images:\n- {path: spec/image, kind: Thing}\n',
    },
    {shows: /image: mirror\/nginx:8/},
  ),
]
