import {type CorpusCase, text} from '../corpus-case.ts'
import {chart, mapOf, objectOf} from './charts.ts'

const dump = {
  'templates/dump.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: dump\ndata:\n  values: {{ .Values | toJson | quote }}\n',
} as const

/** Values: from files and inline, merged, typed, and what is built in. */
export const valueCases: readonly CorpusCase[] = [
  chart('values of the chart', {...dump, 'values.yaml': 'a: 1\nb: {c: d}\n'}, {shows: /\{\\"a\\":1/}),
  chart('a chart without values', dump, {shows: /\{\}/}),
  chart(
    'two files and inline values, each over the one before',
    {
      ...dump,
      'values.yaml': 'a: chart\nb: chart\nc: chart\nd: chart\nmap: {one: 1, two: 2}\nlist: [1, 2]\n',
      'prod.yaml': 'b: prod\nc: prod\nd: prod\nmap: {two: 20, three: 3}\n',
      '/shared/values.yaml': 'c: shared\nd: shared\nlist: [3]\n',
    },
    {
      options: {valueFiles: ['chart/prod.yaml', 'shared/values.yaml'], values: {d: 'inline', map: {four: 4}}},
      shows: /\\"c\\":\\"shared\\"/,
    },
  ),
  chart(
    'null takes away what the chart has',
    {...dump, 'values.yaml': 'a: 1\nmap: {one: 1, two: {deep: 1, other: 2}}\nlist: [1]\n'},
    {
      options: {values: {a: null, map: {one: null, two: {deep: null}}, absent: null, list: null}},
      shows: /\{\\"absent\\":null,\\"map/,
    },
  ),
  chart(
    'null in a file',
    {...dump, 'values.yaml': 'a: 1\nb: {c: 1}\n', 'v.yaml': 'a: null\nb: ~\n'},
    {
      options: {valueFiles: ['chart/v.yaml']},
    },
  ),
  chart('null in the chart itself', {...dump, 'values.yaml': 'a: null\nb: {c: null}\n'}),
  chart(
    'a map over a scalar and a scalar over a map',
    {...dump, 'values.yaml': 'a: 1\nb: {c: 1}\n'},
    {options: {values: {a: {x: 1}, b: 2}}},
  ),
  chart(
    'whole numbers, big and small',
    {
      'values.yaml': 'small: 80\nmillion: 1000000\nbig: 12345678901\nhuge: 9007199254740993\nfloat: 1.50\nexp: 1e3\n',
      'templates/a.yaml': mapOf('numbers', [
        '.Values.small',
        '.Values.million',
        '.Values.big',
        '.Values.huge',
        '.Values.float',
        '.Values.exp',
        '.Values.million | int',
        '.Values.big | int64',
        'printf "%d" (int .Values.small)',
        'printf "%v %T" .Values.million .Values.million',
      ]),
      'templates/b.yaml': objectOf(
        'example.com/v1',
        'Thing',
        't',
        'spec: {{ .Values | toJson }}\nnumber: {{ .Values.million }}\n',
      ),
    },
    {shows: /1e\+06/},
  ),
  chart(
    'numbers that come inline',
    {
      'templates/a.yaml': mapOf('numbers', [
        '.Values.million',
        '.Values.fraction',
        '.Values.list',
        'printf "%T" .Values.million',
      ]),
    },
    {options: {values: {million: 1_000_000, fraction: 0.1, list: [1, 2_000_000, 'x']}}},
  ),
  chart(
    'scalars of YAML 1.1 in values',
    {
      'values.yaml':
        'a: yes\nb: off\nc: 0777\nd: 0o17\ne: 0x1F\nf: 1_000\ng: ~\nh: 2024-01-01\ni: 12:30\nj: .\nk: e1234567\nl: !!str 1\nn: y\n',
      'templates/a.yaml': mapOf(
        'scalars',
        [...'abcdefghijkln'].map((key) => `(printf "%v %T" .Values.${key} .Values.${key})`),
      ),
    },
    {shows: /511 float64|511/},
  ),
  chart(
    'what is built in',
    {
      'templates/a.yaml': mapOf('built-in', [
        '.Release.Name',
        '.Release.Namespace',
        '.Release.Service',
        '.Release.Revision',
        '.Release.IsInstall',
        '.Release.IsUpgrade',
        '.Chart.Name',
        '.Chart.Version',
        '.Chart.AppVersion',
        '.Chart.Description',
        '.Chart.Keywords',
        '.Chart.Annotations',
        '.Template.Name',
        '.Template.BasePath',
        '.Subcharts | toJson',
      ]),
    },
    {options: {releaseName: 'my-release', namespace: 'my-namespace'}, shows: /my-namespace/},
  ),
  chart(
    'all of Chart.yaml',
    {
      'Chart.yaml': text`
        apiVersion: v2
        name: shop
        version: 1.2.3-rc.1+build.5
        appVersion: 2024.1
        description: A shop
        type: application
        keywords: [one, two]
        home: https://example.com
        sources: [https://example.com/src]
        icon: https://example.com/icon.png
        maintainers:
        - {name: Ann, email: ann@example.com, url: https://example.com/ann}
        annotations: {category: shop}
        deprecated: true
        kubeVersion: ">= 1.20.0-0"
        `,
      'templates/a.yaml': mapOf('chart', [
        '.Chart.Version',
        '.Chart.AppVersion',
        '.Chart.Description',
        '.Chart.Type',
        '.Chart.Keywords',
        '.Chart.Home',
        '.Chart.Sources',
        '.Chart.Icon',
        '(index .Chart.Maintainers 0).Name',
        '.Chart.Annotations',
        '.Chart.Deprecated',
        '.Chart.KubeVersion',
        '.Chart.APIVersion',
        'printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63',
      ]),
    },
    {shows: /shop-1.2.3-rc.1_build.5/},
  ),
  chart(
    'anchors and merges in values',
    {...dump, 'values.yaml': 'base: &base {a: 1, b: 2}\nmore:\n  <<: *base\n  b: 3\nlist: [*base]\n'},
    {shows: /\\"b\\":3/},
  ),
  chart('keys with dots and dashes', {
    'values.yaml': 'a.b: 1\nc-d: {e.f/g: 2}\n"1": one\ntrue: yes\n',
    'templates/a.yaml': mapOf('keys', [
      'index .Values "a.b"',
      'index .Values "c-d" "e.f/g"',
      'index .Values "1"',
      '.Values | toJson',
    ]),
  }),
  chart('a chart of no format is one of the first', {...dump, 'Chart.yaml': 'name: shop\nversion: 1.0.0\n'}),
  chart(
    'comments and empty values files',
    {...dump, 'values.yaml': '# nothing\n', 'e.yaml': '\n', 'c.yaml': '# c\n'},
    {
      options: {valueFiles: ['chart/e.yaml', 'chart/c.yaml']},
    },
  ),
  chart('Windows lines and a BOM in values', {...dump, 'values.yaml': '\ufeffa: 1\r\nb: "x\\r\\ny"\r\n'}),
  chart(
    'a value that is a template',
    {
      'values.yaml': 'greeting: "hello {{ .Release.Name }}"\nnested: "{{ tpl .Values.greeting . }}!"\n',
      'templates/a.yaml': mapOf('tpl', [
        'tpl .Values.greeting .',
        'tpl .Values.nested .',
        'tpl "{{ .x }}" (dict "x" 1 "Template" .Template)',
      ]),
    },
    {shows: /hello release!/},
  ),
]
