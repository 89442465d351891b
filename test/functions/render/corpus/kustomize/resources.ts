import {type CorpusCase, text} from '../corpus-case.ts'
import {bare, configMap, deployment, kustomization, service} from './objects.ts'

/** How files are found and read: names, folders, streams, layouts. */
export const resourceCases: readonly CorpusCase[] = [
  kustomization('one file', 'resources: [a.yaml]\n', {'a.yaml': configMap('a')}, {shows: /name: a\n/}),
  kustomization(
    'one file with two documents and an empty one',
    'resources:\n- all.yaml\n',
    {'all.yaml': `---\n${configMap('a')}---\n---\n# only words\n---\n${service('b')}---\n`},
    {shows: /kind: Service/},
  ),
  {
    name: 'kustomization.yml',
    files: {'kustomization.yml': 'resources: [a.yml]\n', 'a.yml': configMap('a')},
    shows: /name: a\n/,
  },
  {
    name: 'a file called Kustomization',
    files: {
      Kustomization: 'resources: [a.json]\n',
      'a.json': '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"j"}}',
    },
    shows: /name: j/,
  },
  {
    name: 'a folder below the root',
    path: 'apps/web',
    files: {
      'apps/web/kustomization.yaml': 'resources: [../../shared/base, own/a.yaml]\n',
      'apps/web/own/a.yaml': configMap('own'),
      'shared/base/kustomization.yaml': 'resources: [b.yaml]\n',
      'shared/base/b.yaml': configMap('shared'),
    },
    shows: /name: shared/,
  },
  kustomization(
    'odd paths to one folder each',
    'resources: ["./one/", two/../two, "three//x/.."]\n',
    {
      'one/kustomization.yaml': 'resources: [./a.yaml]\n',
      'one/a.yaml': configMap('one'),
      'two/kustomization.yaml': 'resources: ["../two/a.yaml"]\n',
      'two/a.yaml': configMap('two'),
      'three/kustomization.yaml': 'resources: [x/a.yaml]\n',
      'three/x/a.yaml': configMap('three'),
    },
    {shows: /name: three/},
  ),
  kustomization(
    'file names with spaces, letters beyond ASCII and a plus',
    'resources: ["a b.yaml", "ü.yaml", "c+d.yaml", "e%20f.yaml"]\n',
    {
      'a b.yaml': configMap('space'),
      'ü.yaml': configMap('umlaut'),
      'c+d.yaml': configMap('plus'),
      'e%20f.yaml': configMap('percent'),
    },
    {shows: /name: percent/},
  ),
  kustomization(
    'lists, named and typed',
    'resources: [list.yaml]\n',
    {
      'list.yaml': text`
        apiVersion: v1
        kind: List
        items:
          - {apiVersion: v1, kind: ConfigMap, metadata: {name: in-list}}
          - {apiVersion: v1, kind: Secret, metadata: {name: in-list}}
        ---
        apiVersion: v1
        kind: ConfigMapList
        items:
          - {apiVersion: v1, kind: ConfigMap, metadata: {name: typed}}
        `,
    },
    {shows: /name: typed/},
  ),
  kustomization('an empty list', 'resources: [list.yaml, a.yaml]\n', {
    'list.yaml': 'apiVersion: v1\nkind: List\nitems: []\n',
    'a.yaml': configMap('a'),
  }),
  kustomization(
    'anchors, aliases and merge keys',
    'resources: [a.yaml]\n',
    {
      'a.yaml': text`
        apiVersion: v1
        kind: ConfigMap
        metadata:
          name: anchored
          labels: &labels
            team: a
            tier: &tier back
          annotations:
            <<: *labels
            extra: *tier
        data:
          tier: *tier
        `,
    },
    {shows: /extra: back/},
  ),
  kustomization(
    'comments, block scalars and long lines',
    '# head\nresources: # here\n- a.yaml # there\n',
    {
      'a.yaml': text`
        # above
        apiVersion: v1 # beside
        kind: ConfigMap
        metadata:
          # inside
          name: words
        data:
          literal: |
            one
              two

            three
          stripped: |-
            no newline
          kept: |+
            newlines

          folded: >
            one
            two

            three
          long: "${'lorem ipsum '.repeat(30)}"
          tabs: "a\\tb"
          trailing: "line with space \\nnext"
        `,
    },
    {shows: /tabs: /},
  ),
  kustomization(
    'scalars that look like something else',
    'resources: [a.yaml]\n',
    {
      'a.yaml': text`
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: scalars}
        data:
          a: "0x1F"
          b: "1e3"
          c: 'yes'
          d: "null"
          e: "0777"
          f: "~"
          g: "1_000"
          h: "12:30:45"
          i: "2024-01-01"
          j: ""
          k: "."
          l: e1234567
          m: "0o17"
          n: "+1"
          o: "=1"
          p: "on"
          q: "- a"
          r: "key: value"
          s: "#x"
        `,
    },
    {shows: /e1234567/},
  ),
  kustomization(
    'numbers of custom resources',
    'resources: [a.yaml]\n',
    {
      'a.yaml': text`
        apiVersion: example.com/v1
        kind: Numbers
        metadata: {name: numbers}
        spec:
          int: 1
          negative: -7
          zero: 0
          max: 9223372036854775807
          min: -9223372036854775808
          float: 1.5
          exponent: 1e3
          big: 1e21
          tiny: 0.0000001
          octal: 0777
          hex: 0xFF
          bool: true
          off: off
          none: null
          tilde: ~
          empty:
        `,
    },
    {shows: /9223372036854775807/},
  ),
  kustomization(
    'empty values that stay',
    'resources: [a.yaml]\n',
    {'a.yaml': bare('example.com/v1', 'Empty', 'e', 'spec:\n  list: []\n  map: {}\n  text: ""\n  none: null\n')},
    {shows: /list: \[\]/},
  ),
  kustomization('an empty file', 'resources: [empty.yaml, a.yaml]\n', {'empty.yaml': '', 'a.yaml': configMap('a')}),
  kustomization('a file of words only', 'resources: [words.yaml, a.yaml]\n', {
    'words.yaml': '# nothing\n---\n# here\n',
    'a.yaml': configMap('a'),
  }),
  kustomization('Windows line ends', 'resources:\r\n- a.yaml\r\nnamePrefix: p-\r\n', {
    'a.yaml': configMap('a').replaceAll('\n', '\r\n'),
  }),
  kustomization('one name in two namespaces and two kinds', 'resources: [a.yaml]\n', {
    'a.yaml': `${service('x', 'one')}---\n${service('x', 'two')}---\n${service('x')}---\n${configMap('x')}`,
  }),
  kustomization(
    'local configuration is left out',
    'resources: [a.yaml, b.yaml]\n',
    {
      'a.yaml': bare('v1', 'ConfigMap', 'local', '  annotations: {config.kubernetes.io/local-config: "true"}\n'),
      'b.yaml': configMap('shown'),
    },
    {shows: /^(?![\s\S]*name: local)[\s\S]*name: shown/},
  ),
  kustomization(
    'generateName beside a name',
    'resources: [a.yaml]\nnamePrefix: p-\n',
    {'a.yaml': 'apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: n\n  generateName: g-\n'},
    {shows: /p-n/},
  ),
  {
    name: 'symlinks inside the tree',
    path: 'app',
    files: {
      'app/kustomization.yaml':
        'resources: [linked.yaml, linked-base]\nconfigMapGenerator:\n- name: c\n  files: [text]\n',
      'app/real.yaml': configMap('real'),
      'app/linked.yaml': {link: 'real.yaml'},
      'app/files/text': 'words\n',
      'app/text': {link: './files/text'},
      'app/linked-base': {link: '../base'},
      'base/kustomization.yaml': 'resources: [b.yaml]\n',
      'base/b.yaml': configMap('from-base'),
    },
    shows: /from-base/,
  },
  {
    name: 'an app that is a symlink to a folder',
    path: 'app',
    files: {
      app: {link: 'real/deep'},
      'real/deep/kustomization.yaml': 'resources: [../base]\n',
      'real/base/kustomization.yaml': 'resources: [b.yaml]\n',
      'real/base/b.yaml': deployment('b'),
    },
    shows: /kind: Deployment/,
  },
  kustomization('a kustomization of no resources but labels', 'labels:\n- pairs: {a: b}\n'),
  kustomization(
    'a kustomization that says its kind and metadata',
    text`
      apiVersion: kustomize.config.k8s.io/v1beta1
      kind: Kustomization
      metadata:
        name: named
        labels: {x: z}
        annotations: {config.kubernetes.io/local-config: "true"}
      resources: [a.yaml]
      `,
    {'a.yaml': configMap('a')},
  ),
  kustomization(
    'JSON as a kustomization',
    '{"resources": ["a.yaml"], "namePrefix": "j-"}',
    {'a.yaml': configMap('a')},
    {
      shows: /j-a/,
    },
  ),
]
