import {type CorpusCase, text} from '../corpus-case.ts'
import {chart, mapOf, objectOf} from './charts.ts'

const helpers = text`
  {{/* words */}}
  {{- define "shop.name" -}}
  {{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
  {{- end -}}
  {{- define "shop.labels" -}}
  app.kubernetes.io/name: {{ include "shop.name" . }}
  app.kubernetes.io/instance: {{ .Release.Name }}
  helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
  {{- with .Values.extra }}
  {{ toYaml . }}
  {{- end }}
  {{- end -}}
  `

const everyKind = [
  ['v1', 'Service'],
  ['apps/v1', 'Deployment'],
  ['example.com/v1', 'Thing'],
  ['v1', 'Namespace'],
  ['batch/v1', 'Job'],
  ['v1', 'ConfigMap'],
  ['rbac.authorization.k8s.io/v1', 'ClusterRoleBinding'],
  ['rbac.authorization.k8s.io/v1', 'ClusterRole'],
  ['v1', 'Secret'],
  ['networking.k8s.io/v1', 'Ingress'],
  ['apiextensions.k8s.io/v1', 'CustomResourceDefinition'],
  ['admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration'],
  ['policy/v1', 'PodDisruptionBudget'],
  ['v1', 'ServiceAccount'],
  ['apiregistration.k8s.io/v1', 'APIService'],
  ['v1', 'PersistentVolumeClaim'],
  ['networking.k8s.io/v1', 'NetworkPolicy'],
  ['scheduling.k8s.io/v1', 'PriorityClass'],
  ['example.com/v1', 'Another'],
] as const

/** Templates: named ones, whitespace, documents and their order. */
export const templateCases: readonly CorpusCase[] = [
  chart(
    'named templates of _helpers.tpl',
    {
      'templates/_helpers.tpl': helpers,
      'values.yaml': 'extra: {team: a, tier: "1"}\n',
      'templates/a.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ include "shop.name" . }}\n  labels:\n    {{- include "shop.labels" . | nindent 4 }}\n',
    },
    {shows: /team: a/},
  ),
  chart(
    'template, define, block and variables',
    {
      'templates/a.yaml': text`
      {{- define "local" }}{{ .a }}-{{ .b }}{{ end -}}
      {{- $name := "x" -}}
      {{- range $index, $each := list "a" "b" }}{{ $name = printf "%s%d%s" $name $index $each }}{{ end -}}
      apiVersion: v1
      kind: ConfigMap
      metadata:
        name: {{ $name }}
      data:
        t: {{ template "local" (dict "a" 1 "b" 2) }}
        b: {{ block "standard" . }}from block{{ end }}
        c: {{ if and (eq 1 1) (not (gt 1 2)) (or false "x") }}yes{{ else if true }}no{{ else }}never{{ end }}
        d: {{ with dict "k" "v" }}{{ .k }}{{ $.Release.Name }}{{ else }}none{{ end }}
        e: "{{ range list }}x{{ else }}empty{{ end }}"
        f: "{{ range $i := until 5 }}{{ if eq $i 1 }}{{ continue }}{{ end }}{{ if eq $i 3 }}{{ break }}{{ end }}{{ $i }}{{ end }}"
      `,
    },
    {shows: /name: x0a1b/},
  ),
  chart('a named template that two files define: which one wins', {
    'templates/a.yaml': `{{ define "same" }}a{{ end }}${mapOf('a', ['include "same" .'])}`,
    'templates/b.yaml': `{{ define "same" }}b{{ end }}${mapOf('b', ['include "same" .'])}`,
    'templates/deep/c.yaml': `{{ define "same" }}c{{ end }}${mapOf('c', ['include "same" .'])}`,
  }),
  chart(
    'whitespace, comments and empty documents',
    {
      'templates/empty.yaml': '',
      'templates/spaces.yaml': '  \n\n',
      'templates/comment.yaml': '# only words\n',
      'templates/none.yaml': `{{ if false }}\n${mapOf('never', [])}{{ end }}\n`,
      'templates/some.yaml': `\n\n---\n{{ if false }}x{{ end }}\n---\n# head\n${objectOf('v1', 'ConfigMap', 'one')}---\n\n---\n${objectOf('v1', 'ConfigMap', 'two')}\n---\n`,
      'templates/dots.yaml': `${objectOf('v1', 'ConfigMap', 'three')}...\n`,
      'templates/head.yaml': `---   \n# words\n---\n{{- "" }}\n${objectOf('v1', 'ConfigMap', 'four')}`,
    },
    {shows: /name: four/},
  ),
  chart(
    'separators that are none',
    {
      'templates/a.yaml': `${objectOf('v1', 'ConfigMap', 'text', 'data:\n  a: |\n    ---\n    not a document\n  b: "x --- y"\n  c: |-\n    -----BEGIN CERTIFICATE-----\n    abc\n    -----END CERTIFICATE-----\n')}`,
    },
    {shows: /not a document/},
  ),
  chart(
    'files by folder and name',
    {
      'templates/b.yaml': objectOf('v1', 'ConfigMap', 'b'),
      'templates/a/z.yaml': objectOf('v1', 'ConfigMap', 'a-z'),
      'templates/a.yml': objectOf('v1', 'ConfigMap', 'yml'),
      'templates/c.json': '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "json"}}',
      'templates/d.tpl': objectOf('v1', 'ConfigMap', 'tpl'),
      'templates/e.txt': objectOf('v1', 'ConfigMap', 'txt'),
      'templates/_hidden.yaml': objectOf('v1', 'ConfigMap', 'hidden'),
      'templates/a/_hidden.yaml': objectOf('v1', 'ConfigMap', 'hidden-deep'),
      'other/f.yaml': objectOf('v1', 'ConfigMap', 'outside'),
    },
    {shows: /"name": "json"/},
  ),
  chart(
    'the order of kinds',
    {
      ...Object.fromEntries(
        everyKind.map(([apiVersion, kind], index) => [
          `templates/${String(index).padStart(2, '0')}.yaml`,
          objectOf(apiVersion, kind, `o${index}`),
        ]),
      ),
    },
    {shows: /^---\n# Source: shop\/templates\/17.yaml|^---\n# Source: shop\/templates\/03.yaml/},
  ),
  chart('the order of names within a kind and a file', {
    'templates/z.yaml': ['c', 'a', 'b'].map((name) => objectOf('v1', 'ConfigMap', name)).join('---\n'),
    'templates/a.yaml': [
      objectOf('v1', 'Service', 'z'),
      objectOf('v1', 'ConfigMap', 'z'),
      objectOf('v1', 'Service', 'a'),
    ].join('---\n'),
  }),
  chart(
    'twelve documents in one file',
    {
      'templates/a.yaml': Array.from({length: 12}, (_, index) => objectOf('v1', 'ConfigMap', `n${index}`)).join(
        '---\n',
      ),
    },
    {shows: /name: n11/},
  ),
  chart(
    'fields twice: the last one counts',
    {
      'templates/a.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: first\n  name: second\ndata:\n  a: "1"\n  a: "2"\n',
    },
    {shows: /name: second/},
  ),
  chart(
    'lists stay what they are',
    {
      'templates/a.yaml':
        'apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: in-list}}\n- {apiVersion: v1, kind: Secret, metadata: {name: in-list}}\n',
    },
    {shows: /kind: List/},
  ),
  chart(
    'layouts that kubectl takes',
    {
      'templates/a.yaml': text`
      apiVersion: example.com/v1
      kind: Thing
      metadata: {name: t}
      spec:
        command: ["sh",
        "-c", "true"]
        a: .
        b: e1234567
        c: !foo x
        d: !!float 1
        e: 9223372036854775807
        f: {{ "text: with colon" | quote }}
        on: 1
      data:
        v: "one
        two"
      `,
    },
    {shows: /e1234567/},
  ),
  chart(
    'NOTES.txt is told to nobody',
    {
      'templates/NOTES.txt': 'Thank you for {{ .Release.Name }}: {{ required "never asked" .Values.absent }}',
      'templates/a.yaml': objectOf('v1', 'ConfigMap', 'a'),
    },
    {refused: /never asked/},
  ),
  chart(
    'NOTES.txt that renders is no manifest',
    {
      'templates/NOTES.txt': 'Thank you for {{ .Release.Name }}\n',
      'templates/a.yaml': objectOf('v1', 'ConfigMap', 'a'),
    },
    {shows: /^(?![\s\S]*Thank you)[\s\S]*name: a/},
  ),
  chart(
    'required, fail and lookup that pass',
    {
      'values.yaml': 'given: x\nzero: 0\nno: false\n',
      'templates/a.yaml': `{{ if .Values.absent }}{{ fail "no" }}{{ end }}${mapOf('passes', [
        'required "is given" .Values.given',
        'required "zero is given" .Values.zero',
        'lookup "v1" "Secret" "default" "x"',
        'lookup "v1" "Secret" "" "" | toJson',
        '(lookup "v1" "Namespace" "" "default").metadata | default "none"',
        'len (lookup "v1" "Secret" "default" "x")',
      ])}`,
    },
    {shows: /e4: "none"/},
  ),
  chart(
    'a Secret and a Job with all that is common',
    {
      'values.yaml': 'env: {A: "1", B: two}\nresources: {limits: {cpu: 100m}}\nimage: {repository: nginx, tag: ""}\n',
      'templates/a.yaml': text`
      apiVersion: batch/v1
      kind: Job
      metadata:
        name: {{ .Release.Name }}-job
        annotations:
          checksum/config: {{ include (print $.Template.BasePath "/secret.yaml") . | sha256sum }}
      spec:
        template:
          spec:
            containers:
              - name: {{ .Chart.Name }}
                image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
                env:
                  {{- range $name, $value := .Values.env }}
                  - name: {{ $name }}
                    value: {{ $value | quote }}
                  {{- end }}
                {{- with .Values.resources }}
                resources:
                  {{- toYaml . | nindent 12 }}
                {{- end }}
      `,
      'templates/secret.yaml': objectOf(
        'v1',
        'Secret',
        'secret',
        'data:\n  {{- range $k, $v := .Values.env }}\n  {{ $k }}: {{ $v | b64enc }}\n  {{- end }}\n',
      ),
    },
    {shows: /checksum\/config: [0-9a-f]{64}/},
  ),
]
