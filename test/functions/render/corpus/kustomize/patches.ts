import {type CorpusCase, text} from '../corpus-case.ts'
import {bare, configMap, deployment, kustomization, service} from './objects.ts'

const web = {'web.yaml': deployment('web')} as const

/** A strategic merge patch of the deployment web, in a file. */
function merge(name: string, patch: string, shows: RegExp): CorpusCase {
  const content = `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n${patch}`
  return kustomization(name, 'resources: [web.yaml]\npatches:\n- path: p.yaml\n', {...web, 'p.yaml': content}, {shows})
}

/** A JSON patch of the deployment web, inline. */
function json(name: string, operations: string, shows: RegExp): CorpusCase {
  const head = 'resources: [web.yaml]\npatches:\n- target: {kind: Deployment, name: web}\n  patch: |-\n'
  return kustomization(name, head + operations.replace(/^/gm, '    '), web, {shows})
}

/** Strategic merges and JSON patches: every operation and every target. */
export const patchCases: readonly CorpusCase[] = [
  merge('a field more and one changed', 'spec:\n  replicas: 5\n  minReadySeconds: 3\n', /minReadySeconds: 3/),
  merge('null removes a field', 'spec:\n  replicas: null\n', /^(?![\s\S]*replicas)/),
  merge(
    'containers merge by their name',
    'spec:\n  template:\n    spec:\n      containers:\n      - name: side\n        image: other:2\n      - name: new\n        image: new:1\n',
    /image: other:2/,
  ),
  merge(
    'env and ports merge by their keys',
    text`
      spec:
        template:
          spec:
            containers:
            - name: main
              env:
              - {name: MODE, value: changed}
              - {name: MORE, value: "1"}
              ports:
              - {containerPort: 80, protocol: TCP}
              - {containerPort: 81, name: admin}
      `,
    /value: changed/,
  ),
  merge(
    'args are replaced as a whole',
    'spec:\n  template:\n    spec:\n      containers:\n      - name: main\n        args: [--one]\n',
    /args:\n\s+- --one\n/,
  ),
  merge(
    '$patch: delete of one container',
    'spec:\n  template:\n    spec:\n      containers:\n      - name: side\n        $patch: delete\n',
    /^(?![\s\S]*name: side)/,
  ),
  merge(
    '$patch: replace of a list',
    'spec:\n  template:\n    spec:\n      containers:\n      - name: only\n        image: only:1\n      - $patch: replace\n',
    /^(?![\s\S]*name: main)[\s\S]*name: only/,
  ),
  merge(
    '$patch: replace of a map',
    'spec:\n  template:\n    metadata:\n      labels:\n        $patch: replace\n        app: web\n        z: "1"\n',
    /z: "1"/,
  ),
  merge('$patch: merge', 'spec:\n  $patch: merge\n  paused: true\n', /paused: true/),
  merge(
    '$setElementOrder',
    text`
      spec:
        template:
          spec:
            $setElementOrder/containers:
            - name: side
            - name: main
            containers:
            - name: side
              tty: true
      `,
    /tty: true/,
  ),
  merge(
    '$deleteFromPrimitiveList',
    'metadata:\n  name: web\n  $deleteFromPrimitiveList/finalizers: [a]\n  finalizers: [b]\n'.replace(
      'metadata:\n  name: web\n',
      'spec:\n  paused: false\n',
    ),
    /paused: false/,
  ),
  merge(
    'volumes with merge keys of their own',
    text`
      spec:
        template:
          spec:
            volumes:
            - {name: a, emptyDir: {}}
            tolerations:
            - {key: k, operator: Exists}
            imagePullSecrets: [{name: s}]
            hostAliases: [{ip: 10.0.0.1, hostnames: [x]}]
            topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}]
      `,
    /topologyKey: zone/,
  ),
  kustomization(
    'patchesStrategicMerge, files and inline',
    text`
      resources: [web.yaml, s.yaml]
      patchesStrategicMerge:
      - p.yaml
      - |-
        apiVersion: v1
        kind: Service
        metadata: {name: web}
        spec: {type: NodePort}
      `,
    {
      ...web,
      's.yaml': service('web'),
      'p.yaml': 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 4}\n',
    },
    {shows: /type: NodePort/},
  ),
  kustomization(
    'several patches in one file',
    'resources: [web.yaml, s.yaml]\npatches: [{path: p.yaml}]\n',
    {
      ...web,
      's.yaml': service('web'),
      'p.yaml': text`
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web}
        spec: {replicas: 4}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: web}
        spec: {type: LoadBalancer}
        `,
    },
    {shows: /type: LoadBalancer/},
  ),
  kustomization(
    'patches of custom resources merge maps and replace lists',
    'resources: [a.yaml]\npatches: [{path: p.yaml}]\n',
    {
      'a.yaml': bare('example.com/v1', 'Thing', 't', 'spec: {list: [{name: a, v: 1}], map: {a: 1, b: {c: 2}}}\n'),
      'p.yaml': bare('example.com/v1', 'Thing', 't', 'spec: {list: [{name: b}], map: {b: {d: 3}}}\n'),
    },
    {shows: /c: 2\n\s+d: 3/},
  ),
  json(
    'add, replace, remove, copy, move and test',
    text`
      - {op: test, path: /spec/replicas, value: 1}
      - {op: replace, path: /spec/replicas, value: 3}
      - {op: add, path: /metadata/annotations, value: {a: b}}
      - {op: add, path: /spec/template/spec/containers/0/env/0, value: {name: FIRST, value: "1"}}
      - {op: add, path: /spec/template/spec/containers/0/env/-, value: {name: LAST, value: "1"}}
      - {op: remove, path: /spec/template/spec/containers/1}
      - {op: copy, from: /metadata/labels, path: /metadata/annotations/copied}
      - {op: remove, path: /metadata/annotations/copied}
      - {op: copy, from: /metadata/name, path: /metadata/annotations/name}
      - {op: move, from: /spec/template/spec/containers/0/args, path: /spec/template/spec/containers/0/command}
      `,
    /command:/,
  ),
  json(
    'escapes in a pointer',
    '- {op: add, path: "/metadata/annotations", value: {}}\n- {op: add, path: "/metadata/annotations/example.com~1a~0b", value: "x"}\n',
    /example.com\/a~b: x/,
  ),
  json(
    'JSON as a patch',
    '[{"op": "replace", "path": "/spec/replicas", "value": 7}, {"op": "add", "path": "/spec/template/spec/nodeName", "value": "n"}]\n',
    /nodeName: "?n/,
  ),
  kustomization(
    'patchesJson6902 in a file of YAML, of JSON and inline',
    text`
      resources: [web.yaml]
      patchesJson6902:
      - target: {group: apps, version: v1, kind: Deployment, name: web}
        path: p.yaml
      - target: {group: apps, version: v1, kind: Deployment, name: web}
        path: p.json
      - target: {kind: Deployment, name: web}
        patch: '[{"op": "add", "path": "/spec/c", "value": 3}]'
      `,
    {
      ...web,
      'p.yaml': '- {op: add, path: /spec/a, value: 1}\n',
      'p.json': '[{"op": "add", "path": "/spec/b", "value": 2}]',
    },
    {shows: /a: 1\n {2}b: 2\n {2}c: 3/},
  ),
  ...(
    [
      ['a kind', '{kind: Deployment}'],
      ['a name with an expression', '{kind: Deployment, name: "w.*"}'],
      ['an alternative', '{kind: "Deployment|Service", name: "web|api"}'],
      ['a group and a version', '{group: apps, version: v1}'],
      ['a label', '{labelSelector: "app=web"}'],
      ['labels with operators', '{labelSelector: "app in (web, api), !absent"}'],
      ['an annotation', '{annotationSelector: "note"}'],
      ['a namespace', '{namespace: one}'],
      ['no name at all but a label', '{kind: Deployment, labelSelector: "app notin (web)"}'],
    ] as const
  ).map(([what, target]) =>
    kustomization(
      `a target by ${what}`,
      `resources: [all.yaml]\npatches:\n- target: ${target}\n  patch: |-\n    - {op: add, path: /metadata/hit, value: h1t}\n`,
      {
        'all.yaml': [
          deployment('web'),
          deployment('api').replace('  labels:', '  namespace: one\n  annotations: {note: "1"}\n  labels:'),
          service('web', 'one'),
          configMap('web'),
        ].join('---\n'),
      },
      {shows: /hit: h1t/},
    ),
  ),
  kustomization(
    'a strategic merge with a target that its own name is not',
    text`
      resources: [all.yaml]
      patches:
      - target: {kind: Deployment}
        patch: |-
          apiVersion: apps/v1
          kind: Deployment
          metadata: {name: not-used}
          spec: {revisionHistoryLimit: 2}
      `,
    {'all.yaml': `${deployment('a')}---\n${deployment('b')}`},
    {shows: /revisionHistoryLimit: 2/},
  ),
  kustomization(
    'allowNameChange and allowKindChange',
    text`
      resources: [web.yaml]
      patches:
      - target: {kind: Deployment}
        options: {allowNameChange: true, allowKindChange: true}
        patch: |-
          apiVersion: apps/v1
          kind: DaemonSet
          metadata: {name: renamed}
      `,
    web,
    {shows: /kind: DaemonSet\nmetadata:\n(?: .*\n)* {2}name: renamed/},
  ),
  kustomization(
    'a name that may not change stays',
    'resources: [web.yaml]\npatches:\n- target: {kind: Deployment}\n  patch: "{apiVersion: apps/v1, kind: X, metadata: {name: other}, spec: {paused: true}}"\n',
    web,
    {shows: /kind: Deployment\nmetadata:\n(?: .*\n)* {2}name: web/},
  ),
  kustomization(
    'a JSON patch that renames',
    'resources: [web.yaml, s.yaml]\npatches:\n- target: {kind: Service}\n  options: {allowNameChange: true}\n  patch: "- {op: replace, path: /metadata/name, value: changed}"\n',
    {...web, 's.yaml': service('web')},
    {shows: /name: changed/},
  ),
  kustomization(
    'a target that nothing is',
    'resources: [web.yaml]\npatches:\n- target: {kind: Nothing}\n  patch: "- {op: remove, path: /x}"\n',
    web,
  ),
  kustomization(
    'one patch upon another',
    text`
      resources: [web.yaml]
      patches:
      - patch: |-
          {apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {strategy: {type: Recreate}}}
      - target: {kind: Deployment}
        patch: '[{"op": "test", "path": "/spec/strategy/type", "value": "Recreate"}, {"op": "remove", "path": "/spec/strategy"}]'
      - target: {name: web}
        path: p.yaml
      `,
    {...web, 'p.yaml': '- op: add\n  path: /spec/progressDeadlineSeconds\n  value: 5\n'},
    {shows: /progressDeadlineSeconds: 5/},
  ),
  kustomization(
    'text that spans lines in a patch',
    'resources: [c.yaml]\npatches:\n- path: p.yaml\n',
    {
      'c.yaml': configMap('c'),
      'p.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  script: |\n    #!/bin/sh\n    exit 1\n',
    },
    {shows: /script: \|/},
  ),
]
