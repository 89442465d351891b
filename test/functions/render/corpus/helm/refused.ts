import type {CorpusFiles, HelmOptions} from '../../reference-renderers.ts'
import type {CorpusCase} from '../corpus-case.ts'
import {chart, chartYaml, mapOf, objectOf} from './charts.ts'

const good = {'templates/a.yaml': objectOf('v1', 'ConfigMap', 'a')} as const

function refused(name: string, files: CorpusFiles, words: RegExp, options?: HelmOptions): CorpusCase {
  return chart(name, files, {refused: words, ...(options === undefined ? {} : {options})})
}

/** What helm refuses, and the words it has for it. */
export const refusedCases: readonly CorpusCase[] = [
  {
    name: 'no chart at all',
    path: 'chart',
    files: {'chart/templates/a.yaml': good['templates/a.yaml']},
    refused: /unable to detect chart|holds no Chart.yaml/,
  },
  refused('a Chart.yaml that is no YAML', {...good, 'Chart.yaml': 'apiVersion: v2\nname: [shop\n'}, /Chart.yaml/),
  refused(
    'a chart without a name',
    {...good, 'Chart.yaml': 'apiVersion: v2\nversion: 1.0.0\n'},
    /chart.metadata.name is required/,
  ),
  refused(
    'a chart without a version',
    {...good, 'Chart.yaml': 'apiVersion: v2\nname: shop\n'},
    /chart.metadata.version is required/,
  ),
  refused(
    'a version that is none',
    {...good, 'Chart.yaml': 'apiVersion: v2\nname: shop\nversion: one\n'},
    /chart.metadata.version "one" is invalid/,
  ),
  refused(
    'a format that is none',
    {...good, 'Chart.yaml': 'apiVersion: v9\nname: shop\nversion: 1.0.0\n'},
    /unsupported chart version|charts of v1 and v2 are rendered/,
  ),
  refused('a pattern of .helmignore that helm does not have', {...good, '.helmignore': '**/x.txt\n'}, /double-star/),
  refused(
    'a negation of .helmignore hides the chart itself',
    {...good, '.helmignore': '!keep.txt\n'},
    /Chart.yaml file is missing/,
  ),
  refused(
    'a file in charts/ that is none',
    {...good, 'charts/README.md': '# words\n'},
    /error unpacking subchart README.md/,
  ),
  refused('a value that JSON does not have', {...good, 'values.yaml': 'a: .inf\n'}, /unsupported value: \+Inf/),
  refused(
    'an anchor of a schema that is none',
    {...good, 'values.schema.json': '{"definitions": {"x": {"$id": "#x"}}}'},
    /is not valid against metaschema/,
  ),
  refused(
    'a name with a folder in it',
    {...good, 'Chart.yaml': 'apiVersion: v2\nname: ../shop\nversion: 1.0.0\n'},
    /chart.metadata.name "\.\.\/shop" is invalid/,
  ),
  refused(
    'a library by itself',
    {...good, 'Chart.yaml': `${chartYaml}type: library\n`},
    /library charts are not installable/,
  ),
  refused(
    'a type that is none',
    {...good, 'Chart.yaml': `${chartYaml}type: other\n`},
    /chart.metadata.type must be application or library/,
  ),
  refused(
    'a Kubernetes that is too old',
    {...good, 'Chart.yaml': `${chartYaml}kubeVersion: ">=1.30.0"\n`},
    /chart requires kubeVersion: >=1.30.0 which is incompatible with Kubernetes v1.29.0/,
    {kubeVersion: '1.29.0'},
  ),
  refused('a Kubernetes version that is none', good, /invalid kube version|invalid/i, {kubeVersion: 'latest'}),
  refused(
    'a dependency that is not there',
    {
      ...good,
      'Chart.yaml': `${chartYaml}dependencies:\n- {name: db, version: 1.0.0, repository: "https://charts.example.com"}\n`,
    },
    /missing in charts\/ directory: db/,
  ),
  refused(
    'a dependency of another version, which is loaded but not counted',
    {
      ...good,
      'Chart.yaml': `${chartYaml}dependencies:\n- {name: db, version: 9.0.0}\n- {name: cache, version: 1.0.0}\n`,
      'charts/db/Chart.yaml': 'apiVersion: v2\nname: db\nversion: 0.1.0\n',
    },
    /missing in charts\/ directory: cache/,
  ),
  refused('a packed dependency that is none', {...good, 'charts/db.tgz': 'not an archive'}, /db.tgz/),
  refused('a subchart that is broken', {...good, 'charts/db/Chart.yaml': 'apiVersion: v2\nname: db\n'}, /db/),
  refused(
    'a template that does not parse',
    {'templates/a.yaml': 'a: {{ if }}\n'},
    /templates\/a.yaml:1.*missing value for if/,
  ),
  refused('a template that does not end', {'templates/a.yaml': 'a: {{ if true }}\nb: 1\n'}, /unexpected EOF/),
  refused(
    'a function that is none',
    {'templates/a.yaml': '\n\na: {{ nothing 1 }}\n'},
    /templates\/a.yaml:3.*function "nothing" not defined/,
  ),
  refused(
    'env and expandenv',
    {'templates/a.yaml': mapOf('a', ['env "HOME"', 'expandenv "$HOME"'])},
    /function "env" not defined/,
  ),
  refused(
    'a named template that is not there',
    {'templates/a.yaml': mapOf('a', ['include "nope" .'])},
    /no template "nope"/,
  ),
  refused(
    'a nil in the way',
    {'templates/a.yaml': mapOf('a', ['.Values.a', '.Values.one.two.three'])},
    /templates\/a.yaml:7.*nil pointer evaluating interface \{\}.(two|three)/s,
  ),
  refused(
    'a field of a scalar',
    {'values.yaml': 'a: text\n', 'templates/a.yaml': mapOf('a', ['.Values.a.b'])},
    /can't evaluate field b in type/,
  ),
  refused(
    'required',
    {'templates/a.yaml': mapOf('a', ['required "a password is needed" .Values.password'])},
    /a password is needed/,
  ),
  refused('fail', {'templates/a.yaml': '{{ fail "these values do not fit" }}\n'}, /these values do not fit/),
  refused(
    'an include that includes itself',
    {'templates/a.yaml': '{{ define "x" }}{{ include "x" . }}{{ end }}{{ include "x" . }}\n'},
    /rendering template has a nested reference name: x/,
  ),
  refused(
    'tpl of what does not parse',
    {'templates/a.yaml': mapOf('a', ['tpl "{{ .x" .'])},
    /unclosed action|error calling tpl/,
  ),
  refused(
    'output that is no YAML',
    {'templates/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n data: 1\n'},
    /templates\/a.yaml.*line \d/,
  ),
  refused(
    'output with a tab',
    {'templates/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n\tname: a\n'},
    /YAML parse error on shop\/templates\/a.yaml.*line 4|found character that cannot start/,
  ),
  refused('output that is text', {'templates/a.yaml': 'just words\n'}, /a.yaml/),
  refused('values that are no YAML', {...good, 'values.yaml': 'a: [1\nb: 2\n'}, /values.yaml/),
  refused('values that are a list', {...good, 'values.yaml': '- a\n'}, /values.yaml/),
  refused('a values file that is not there', good, /nope.yaml/, {valueFiles: ['chart/nope.yaml']}),
  refused('a values file that is no YAML', {...good, 'v.yaml': 'a: "x\n'}, /v.yaml/, {valueFiles: ['chart/v.yaml']}),
  refused(
    'values that break the schema',
    {
      ...good,
      'values.yaml': 'port: none\n',
      'values.schema.json': '{"properties": {"port": {"type": "integer"}}, "required": ["name"]}',
    },
    /(don't meet the specifications of the schema|do not meet the chart's schema).*missing property 'name'.*port.*got string, want integer|port.*\n.*name/s,
  ),
  refused(
    'values that break the schema of a subchart',
    {
      ...good,
      'charts/db/Chart.yaml': 'apiVersion: v2\nname: db\nversion: 0.1.0\n',
      'charts/db/values.schema.json': '{"required": ["size"]}',
    },
    /db[:/][\s\S]*missing property 'size'/,
  ),
  refused('a schema that is no JSON', {...good, 'values.schema.json': '{"type": '}, /schema/i),
  refused(
    'a schema with a file as its reference',
    {
      ...good,
      'values.yaml': 'port: 1\n',
      'values.schema.json': '{"properties": {"port": {"$ref": "file:///nope.json"}}}',
    },
    /nope.json/,
  ),
  refused('a release name that is none', good, /release name|invalid/i, {releaseName: 'Not_A_Name'}),
  // helm prints it, and kubectl cannot read what it printed.
  refused('a crd that is no YAML', {...good, 'crds/a.yaml': 'a: [1\nb: 2\n'}, /a.yaml/),
]
