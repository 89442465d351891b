import {type CorpusCase, text} from '../corpus-case.ts'
import {chart, mapOf, objectOf} from './charts.ts'

const crd = (name: string) =>
  objectOf(
    'apiextensions.k8s.io/v1',
    'CustomResourceDefinition',
    name,
    'spec:\n  group: example.com\n  scope: Namespaced\n  bound: 9223372036854775807\n  template: "{{ .Values.not.a.template }}"\n',
  )

const hook = (name: string, annotations: string, kind = 'Job') =>
  `apiVersion: ${kind === 'Job' ? 'batch/v1' : 'v1'}\nkind: ${kind}\nmetadata:\n  name: ${name}\n  annotations:\n${annotations.replace(/^/gm, '    ')}\n`

/** What lies in a chart beside its templates: files, definitions, hooks, schemas. */
export const fileCases: readonly CorpusCase[] = [
  chart(
    '.Files: text, lines, bytes, patterns',
    {
      'one.txt': 'line one\nline two\n',
      'config/a.conf': 'a=1\n',
      'config/b.conf': 'b=2',
      'config/deep/c.conf': 'c=3\n',
      'raw.bin': Uint8Array.from([0, 255, 254, 10]),
      'templates/a.yaml': text`
      apiVersion: v1
      kind: ConfigMap
      metadata:
        name: files
      data:
        get: {{ .Files.Get "one.txt" | quote }}
        absent: {{ .Files.Get "nope.txt" | quote }}
        bytes: {{ .Files.GetBytes "raw.bin" | len | quote }}
        lines: {{ .Files.Lines "one.txt" | toJson | quote }}
        raw: {{ .Files.Get "raw.bin" | b64enc | quote }}
        names: {{ range $path, $_ := .Files.Glob "config/**.conf" }}{{ $path }} {{ end }}
        star: {{ range $path, $_ := .Files.Glob "config/*" }}{{ $path }} {{ end }}
      {{ (.Files.Glob "config/*.conf").AsConfig | indent 2 }}
      ---
      apiVersion: v1
      kind: Secret
      metadata:
        name: files
      data:
      {{ (.Files.Glob "{config/a.conf,one.txt}").AsSecrets | indent 2 }}
      `,
    },
    {shows: /c.conf/},
  ),
  chart(
    '.helmignore hides files and templates',
    {
      '.helmignore': '# words\n*.secret\n/only-root.txt\ndir/\ntemplates/off.yaml\n',
      'a.secret': 'hidden',
      'keep.secret': 'kept?',
      'only-root.txt': 'hidden',
      'sub/only-root.txt': 'shown',
      'dir/a.txt': 'hidden',
      'values.yaml': 'a: 1\n',
      'templates/off.yaml': objectOf('v1', 'ConfigMap', 'off'),
      'templates/a.yaml': mapOf('files', [
        '.Files.Get "a.secret"',
        '.Files.Get "keep.secret"',
        '.Files.Get "only-root.txt"',
        '.Files.Get "sub/only-root.txt"',
        '.Files.Get "dir/a.txt"',
        '.Files.Get "values.yaml"',
        '.Files.Get "Chart.yaml"',
        '.Files.Get "templates/a.yaml"',
        '.Files.Get ".helmignore"',
      ]),
    },
    {shows: /e3: "shown"/},
  ),
  chart(
    'crds/ as they are, in their order',
    {
      'crds/b.yaml': `${crd('b.example.com')}---\n# words\n---\n${crd('c.example.com')}`,
      'crds/a.yaml': crd('a.example.com'),
      'crds/deep/d.yaml': crd('d.example.com'),
      'crds/README.md': '# words\n',
      'templates/a.yaml': objectOf('v1', 'ConfigMap', 'a'),
    },
    {shows: /name: d.example.com/},
  ),
  chart(
    'crds/ of subcharts',
    {
      'crds/a.yaml': crd('a.example.com'),
      'charts/db/Chart.yaml': 'apiVersion: v2\nname: db\nversion: 0.1.0\n',
      'charts/db/crds/b.yaml': crd('b.example.com'),
      'charts/off/Chart.yaml': 'apiVersion: v2\nname: off\nversion: 0.1.0\n',
      'charts/off/crds/b.yaml': crd('off.example.com'),
      'Chart.yaml':
        'apiVersion: v2\nname: shop\nversion: 1.0.0\ndependencies:\n- {name: off, version: 0.1.0, condition: off.enabled}\n- {name: db, version: 0.1.0}\n',
      'values.yaml': 'off: {enabled: false}\n',
    },
    {shows: /name: b.example.com/},
  ),
  chart(
    'crds/ left out',
    {'crds/a.yaml': crd('a.example.com'), 'templates/a.yaml': objectOf('v1', 'ConfigMap', 'a')},
    {
      options: {includeCrds: false},
      shows: /^(?![\s\S]*a.example.com)[\s\S]*name: a/,
    },
  ),
  chart(
    'hooks of every kind, with weights and policies',
    {
      'templates/hooks.yaml': [
        hook('pre', '"helm.sh/hook": pre-install\n"helm.sh/hook-weight": "5"'),
        hook(
          'pre-first',
          '"helm.sh/hook": pre-install,pre-upgrade\n"helm.sh/hook-weight": "-5"\n"helm.sh/hook-delete-policy": before-hook-creation,hook-succeeded',
        ),
        hook('post', 'helm.sh/hook: post-install'),
        hook('up', 'helm.sh/hook: "pre-upgrade, post-upgrade"'),
        hook('down', 'helm.sh/hook: pre-delete,post-delete\nhelm.sh/hook-delete-policy: hook-failed'),
        hook('back', 'helm.sh/hook: pre-rollback,post-rollback'),
        hook('try', 'helm.sh/hook: test', 'Pod'),
        hook('try-old', 'helm.sh/hook: test-success', 'Pod'),
        hook('kept', 'helm.sh/resource-policy: keep', 'ConfigMap'),
        hook('sa', 'helm.sh/hook: pre-install', 'ServiceAccount'),
      ].join('---\n'),
      'templates/a.yaml': objectOf('v1', 'ConfigMap', 'a'),
      'templates/tests/test.yaml': hook('in-tests', 'helm.sh/hook: test', 'Pod'),
    },
    {shows: /name: in-tests/},
  ),
  chart(
    'a hook with generateName',
    {
      'templates/a.yaml':
        'apiVersion: batch/v1\nkind: Job\nmetadata:\n  generateName: migrate-\n  annotations:\n    helm.sh/hook: pre-install\n',
    },
    {shows: /generateName: migrate-/},
  ),
  chart('a hook that is none of helm', {
    'templates/a.yaml': `${hook('odd', 'helm.sh/hook: never-heard-of')}---\n${objectOf('v1', 'ConfigMap', 'a')}`,
  }),
  chart(
    'a schema that values obey',
    {
      'values.yaml': 'port: 80\nname: x\n',
      'values.schema.json':
        '{"$schema": "https://json-schema.org/draft-07/schema#", "type": "object", "required": ["port"], "properties": {"port": {"type": "integer", "minimum": 1}, "name": {"$ref": "#/definitions/name"}}, "definitions": {"name": {"type": "string", "pattern": "^[a-z]+$"}}}',
      'templates/a.yaml': mapOf('a', ['.Values.port']),
    },
    {shows: /e0: "80"/},
  ),
  chart('a schema of a newer draft', {
    'values.yaml': 'a: 1\nlist: [1, 2]\n',
    'values.schema.json':
      '{"$schema": "https://json-schema.org/draft/2020-12/schema", "$defs": {"one": {"const": 1}}, "properties": {"a": {"$ref": "#/$defs/one"}, "list": {"prefixItems": [{"type": "integer"}]}}}',
    'templates/a.yaml': mapOf('a', ['.Values.a']),
  }),
  chart(
    'a schema that is skipped',
    {
      'values.yaml': 'port: nope\n',
      'values.schema.json': '{"properties": {"port": {"type": "integer"}}}',
      'templates/a.yaml': mapOf('a', ['.Values.port']),
    },
    {options: {skipSchemaValidation: true}, shows: /nope/},
  ),
  chart(
    'a schema with a remote reference that is skipped',
    {
      'values.schema.json': '{"properties": {"port": {"$ref": "http://127.0.0.1:9/schema.json"}}}',
      'templates/a.yaml': mapOf('a', ['.Values.port']),
    },
    {options: {skipSchemaValidation: true}},
  ),
  chart(
    'a schema of a subchart',
    {
      'charts/db/Chart.yaml': 'apiVersion: v2\nname: db\nversion: 0.1.0\n',
      'charts/db/values.yaml': 'size: 1\n',
      'charts/db/values.schema.json': '{"properties": {"size": {"type": "integer"}}}',
      'charts/db/templates/a.yaml': mapOf('db', ['.Values.size']),
    },
    {options: {values: {db: {size: 3}}}, shows: /e0: "3"/},
  ),
  ...(
    [
      ['the standard versions', {}, /e0: "v1\.\d+/],
      ['a given Kubernetes version', {kubeVersion: '1.29.3'}, /e0: "v1.29.3"/],
      ['a version as clouds write it', {kubeVersion: 'v1.30.2-eks-1552ad0'}, /v1.30.2-eks/],
      [
        'given API versions',
        {apiVersions: ['example.com/v1', 'monitoring.coreos.com/v1/ServiceMonitor']},
        /e5: "true"/,
      ],
    ] as const
  ).map(([what, options, shows]) =>
    chart(
      `capabilities: ${what}`,
      {
        'templates/a.yaml': mapOf('capabilities', [
          '.Capabilities.KubeVersion.Version',
          '.Capabilities.KubeVersion',
          '.Capabilities.KubeVersion.Major',
          '.Capabilities.KubeVersion.Minor',
          '.Capabilities.APIVersions.Has "apps/v1/Deployment"',
          '.Capabilities.APIVersions.Has "monitoring.coreos.com/v1/ServiceMonitor"',
          '.Capabilities.APIVersions.Has "example.com/v1"',
          '.Capabilities.APIVersions.Has "batch/v1beta1"',
          'semverCompare ">=1.25-0" .Capabilities.KubeVersion.Version',
          '.Capabilities.HelmVersion.Version',
          'len .Capabilities.APIVersions | lt 10',
        ]),
      },
      {options, shows},
    ),
  ),
  chart(
    'symlinks inside a chart',
    {
      'files/real.txt': 'real\n',
      'files/link.txt': {link: 'real.txt'},
      'shared/a.yaml': objectOf('v1', 'ConfigMap', 'linked'),
      'templates/linked.yaml': {link: '../shared/a.yaml'},
      'templates/b.yaml': mapOf('b', ['.Files.Get "files/link.txt"']),
    },
    {shows: /name: linked/},
  ),
]
