import {type CorpusCase, text} from '../corpus-case.ts'
import {bare, configMap, deployment, kustomization, service} from './objects.ts'

const web = {'web.yaml': deployment('web')} as const
const pair = {
  'all.yaml': `${configMap('source', {key: 'a-b-c', 'dotted.key': 'dot', port: '8080'})}---\n${deployment('web')}`,
} as const

/** A kustomization of the ConfigMap source and the Deployment web with these replacements. */
function replacement(name: string, content: string, shows: RegExp, files: CorpusCase['files'] = {}): CorpusCase {
  const head = 'resources: [all.yaml]\nreplacements:\n'
  return kustomization(name, head + content, {...pair, ...files}, {shows})
}

/** Replacements, vars, images and replicas: values that are carried from one place to another. */
export const valueCases: readonly CorpusCase[] = [
  replacement(
    'a field to one place and to another',
    text`
      - source: {kind: ConfigMap, name: source, fieldPath: data.key}
        targets:
        - select: {kind: Deployment}
          fieldPaths:
          - spec.template.spec.containers.[name=main].env.[name=MODE].value
          - metadata.labels.app
      `,
    /value: a-b-c/,
  ),
  replacement(
    'the name, where no field is said',
    '- source: {kind: ConfigMap}\n  targets:\n  - select: {name: web}\n    fieldPaths: [spec.template.spec.containers.0.image]\n',
    /image: source/,
  ),
  replacement(
    'a part by a delimiter into a part',
    text`
      - source: {kind: ConfigMap, name: source, fieldPath: data.key, options: {delimiter: "-", index: 1}}
        targets:
        - select: {kind: Deployment}
          fieldPaths: [spec.template.spec.containers.0.image]
          options: {delimiter: ":", index: 1}
      `,
    /image: nginx:b/,
  ),
  replacement(
    'a part before and after all parts',
    text`
      - source: {kind: ConfigMap, name: source, fieldPath: data.port}
        targets:
        - select: {kind: Deployment}
          fieldPaths: [spec.template.spec.containers.0.image]
          options: {delimiter: ":", index: -1}
        - select: {kind: Deployment}
          fieldPaths: [spec.template.spec.containers.0.env.0.value]
          options: {delimiter: "/", index: 5}
      `,
    /image: 8080:nginx:1.25/,
  ),
  replacement(
    'a field that is made',
    text`
      - source: {kind: ConfigMap, name: source, fieldPath: data.key}
        targets:
        - select: {kind: Deployment}
          options: {create: true}
          fieldPaths:
          - metadata.annotations.made
          - spec.template.metadata.annotations.[example.com/x]
          - spec.template.spec.containers.[name=main].env.[name=NEW].value
      `,
    /made: a-b-c/,
  ),
  replacement(
    'every element of a list',
    '- source: {kind: ConfigMap, fieldPath: data.key}\n  targets:\n  - select: {kind: Deployment}\n    fieldPaths: ["spec.template.spec.containers.*.image"]\n',
    /image: a-b-c\n[\s\S]*image: a-b-c/,
  ),
  replacement(
    'keys with dots, escaped and in brackets',
    text`
      - source: {kind: ConfigMap, fieldPath: data.dotted\\.key}
        targets:
        - select: {kind: Deployment}
          options: {create: true}
          fieldPaths: ["metadata.annotations.a\\\\.b/c", "metadata.annotations.[d.e/f]"]
      `,
    /a.b\/c: dot/,
  ),
  replacement(
    'targets that are rejected by their very name, for there are no expressions',
    text`
      - source: {kind: ConfigMap, fieldPath: data.key}
        targets:
        - select: {version: v1}
          reject:
          - {kind: Deployment, name: web}
          - {kind: ConfigMap, name: "s.*"}
          fieldPaths: [metadata.name]
      `,
    /name: a-b-c\n---\n[\s\S]*name: web/,
  ),
  replacement(
    'a map as a value',
    '- source: {kind: Deployment, fieldPath: spec.selector.matchLabels}\n  targets:\n  - select: {kind: Deployment}\n    options: {create: true}\n    fieldPaths: [metadata.annotations]\n',
    /annotations:\n {4}app: web/,
  ),
  replacement(
    'a number into text and into a number',
    text`
      - source: {kind: Deployment, fieldPath: spec.replicas}
        targets:
        - select: {kind: Deployment}
          fieldPaths: [spec.template.spec.containers.0.ports.0.containerPort, spec.template.spec.containers.0.env.0.value]
      `,
    /containerPort: 1/,
  ),
  replacement(
    'sourceValue',
    '- sourceValue: static\n  targets:\n  - select: {kind: Deployment}\n    fieldPaths: [metadata.labels.app]\n',
    /app: static/,
  ),
  replacement('one from a file, which holds several', '- path: r.yaml\n- path: one.yaml\n', /value: "8080"/, {
    'r.yaml': text`
        - source: {kind: ConfigMap, fieldPath: data.port}
          targets:
          - select: {kind: Deployment}
            fieldPaths: [spec.template.spec.containers.0.env.0.value]
        - source: {kind: ConfigMap, fieldPath: data.key}
          targets:
          - select: {kind: Deployment}
            fieldPaths: [spec.template.metadata.labels.app]
        `,
    'one.yaml':
      'source: {kind: ConfigMap}\ntargets:\n- select: {kind: Deployment}\n  fieldPaths: [metadata.labels.app]\n',
  }),
  replacement(
    'targets by label and annotation, sources by group, version and namespace',
    text`
      - source: {group: apps, version: v1, kind: Deployment, name: web, fieldPath: metadata.labels.app}
        targets:
        - select: {labelSelector: app=web}
          options: {create: true}
          fieldPaths: [metadata.annotations.seen]
      `,
    /seen: web/,
  ),
  kustomization(
    'names as they were and as they are',
    text`
      namePrefix: p-
      resources: [web.yaml]
      configMapGenerator:
      - name: c
        literals: [k=v]
      replacements:
      - source: {kind: ConfigMap, name: c}
        targets:
        - select: {kind: Deployment, name: web}
          fieldPaths: [spec.template.spec.containers.0.env.0.value]
      `,
    web,
    {shows: /value: p-c/},
  ),
  kustomization(
    'vars in args, env and annotations, of names and fields',
    text`
      namePrefix: p-
      resources: [web.yaml, s.yaml]
      vars:
      - name: SERVICE
        objref: {apiVersion: v1, kind: Service, name: web}
      - name: PORT
        objref: {apiVersion: v1, kind: Service, name: web}
        fieldref: {fieldpath: "spec.ports[0].port"}
      - name: IMAGE
        objref: {apiVersion: apps/v1, kind: Deployment, name: web}
        fieldref: {fieldpath: "spec.template.spec.containers[0].image"}
      `,
    {
      'web.yaml': deployment('web').replace(
        '["--listen", ":80"]',
        '["--to=$(SERVICE):$(PORT)", "$(IMAGE)", "$(UNKNOWN)", "$$(SERVICE)"]',
      ),
      's.yaml': service('web'),
    },
    {shows: /--to=p-web:80/},
  ),
  kustomization(
    'a configuration that is not there',
    'resources: [base]\nnameSuffix: -x\nconfigurations: [refs.yaml]\n',
    {
      'base/kustomization.yaml':
        'resources: [c.yaml, t.yaml]\nvars:\n- name: NAME\n  objref: {apiVersion: v1, kind: ConfigMap, name: c}\nconfigurations: [../base-refs.yaml]\n',
      'base/c.yaml': configMap('c'),
      'base/t.yaml': bare('example.com/v1', 'Thing', 't', 'spec: {where: "at $(NAME)", list: ["$(NAME)"]}\n'),
      'refs.yaml': 'varReference:\n- {path: spec/list, kind: Thing}\n',
    },
    {refused: /base-refs\.yaml/},
  ),
  kustomization(
    'vars where a configuration says',
    'resources: [c.yaml, t.yaml]\nnameSuffix: -x\nvars:\n- name: NAME\n  objref: {apiVersion: v1, kind: ConfigMap, name: c}\nconfigurations: [refs.yaml]\n',
    {
      'c.yaml': configMap('c'),
      't.yaml': bare('example.com/v1', 'Thing', 't', 'spec: {where: "at $(NAME)", list: ["$(NAME)"]}\n'),
      'refs.yaml': 'varReference:\n- {path: spec/list, kind: Thing}\n- {path: spec/where, kind: Thing}\n',
    },
    {shows: /at c-x/},
  ),
  ...(
    [
      ['newTag', '{name: nginx, newTag: v2}', /image: nginx:v2/],
      ['a tag that looks like a number', '{name: nginx, newTag: "1.10"}', /image: nginx:1\.10/],
      ['newName', '{name: nginx, newName: registry.example.com:5000/nginx}', /registry.example.com:5000\/nginx:1.25/],
      ['newName and newTag', '{name: nginx, newName: a/b, newTag: "3"}', /image: a\/b:3/],
      ['a digest', `{name: nginx, digest: "sha256:${'1'.repeat(64)}"}`, /nginx@sha256:1{64}/],
      ['tagSuffix', '{name: nginx, tagSuffix: -alpine}', /nginx:1.25-alpine/],
      ['a registry with a port and a digest', '{name: "registry.example.com:5000/team/side", newTag: v9}', /side:v9/],
      ['an expression', '{name: "registry.*", newName: found}', /image: found/],
      ['a name that no image has', '{name: absent, newTag: v2}', /nginx:1.25/],
    ] as const
  ).map(([what, image, shows]) =>
    kustomization(`images: ${what}`, `resources: [web.yaml]\nimages:\n- ${image}\n`, web, {shows}),
  ),
  kustomization(
    'images, several for one, and where they stand in other kinds',
    'resources: [all.yaml]\nimages:\n- {name: busybox, newTag: "1"}\n- {name: busybox, newName: bb}\nimageTags:\n- {name: nginx, newTag: old-word}\n',
    {
      'all.yaml': [
        bare(
          'batch/v1',
          'CronJob',
          'c',
          'spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: a, image: busybox}], initContainers: [{name: b, image: "busybox:9"}]}}}}}\n',
        ),
        bare(
          'v1',
          'Pod',
          'p',
          'spec: {containers: [{name: a, image: nginx}], ephemeralContainers: [{name: e, image: busybox}], volumes: [{name: v, image: {reference: busybox}}]}\n',
        ),
        bare('example.com/v1', 'Thing', 't', 'spec: {deep: {containers: [{image: nginx}]}, image: nginx}\n'),
      ].join('---\n'),
    },
    {shows: /nginx:old-word/},
  ),
  kustomization(
    'replicas of every kind',
    'resources: [all.yaml]\nreplicas:\n- {name: a, count: 0}\n- {name: b, count: 7}\n',
    {
      'all.yaml': [
        deployment('a'),
        bare('apps/v1', 'StatefulSet', 'b', 'spec: {serviceName: x}\n'),
        bare('apps/v1', 'ReplicaSet', 'a', 'spec: {replicas: 3}\n'),
        bare('v1', 'ReplicationController', 'b'),
      ].join('---\n'),
    },
    {shows: /replicas: 7/},
  ),
]
