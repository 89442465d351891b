import {type CorpusCase, text} from '../corpus-case.ts'
import {chart, chartYaml, mapOf, objectOf, packChart} from './charts.ts'

const dump = (name: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  values: {{ .Values | toJson | quote }}\n  chart: {{ .Chart.Name }}\n`

/** A subchart of a folder, which tells the values that it gets. */
function sub(name: string, values = '', more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    [`charts/${name}/Chart.yaml`]: `apiVersion: v2\nname: ${name}\nversion: 0.1.0\n`,
    [`charts/${name}/values.yaml`]: values,
    [`charts/${name}/templates/dump.yaml`]: dump(`${name}-{{ .Chart.Name }}`),
    ...Object.fromEntries(Object.entries(more).map(([path, content]) => [`charts/${name}/${path}`, content])),
  }
}

const parent = {'templates/dump.yaml': dump('parent')} as const
const packed = await packChart('db', {
  'Chart.yaml': 'apiVersion: v2\nname: db\nversion: 0.1.0\n',
  'values.yaml': 'size: 1\n',
  'templates/dump.yaml': dump('db'),
  'files/a.txt': 'from the archive\n',
  'templates/file.yaml': mapOf('db-file', ['.Files.Get "files/a.txt"']),
})

function dependencies(...lines: string[]): string {
  return `${chartYaml}dependencies:\n${lines.map((line) => `- ${line}\n`).join('')}`
}

/** Charts within charts. */
export const subchartCases: readonly CorpusCase[] = [
  chart(
    'a subchart that nothing names',
    {...parent, ...sub('db', 'size: 1\n'), 'values.yaml': 'db: {size: 2}\n'},
    {
      shows: /\\"size\\":2/,
    },
  ),
  chart(
    'global values reach all',
    {
      ...parent,
      ...sub('db', 'size: 1\nglobal: {own: 1}\n', {
        'charts/deep/Chart.yaml': 'apiVersion: v2\nname: deep\nversion: 0.1.0\n',
        'charts/deep/templates/dump.yaml': dump('deep'),
      }),
      'values.yaml': 'global: {region: eu, list: [1]}\ndb: {global: {zone: a}, deep: {x: 1}}\n',
    },
    {options: {values: {global: {region: 'us'}, db: {deep: {x: 2}}}}, shows: /name: deep/},
  ),
  chart(
    'a condition that is false',
    {
      'Chart.yaml': dependencies(
        '{name: db, version: 0.1.0, condition: db.enabled}',
        '{name: cache, version: 0.1.0, condition: "cache.enabled,global.cache"}',
      ),
      ...parent,
      ...sub('db'),
      ...sub('cache'),
      'values.yaml': 'db: {enabled: false}\nglobal: {cache: true}\n',
    },
    {shows: /^(?![\s\S]*name: db-db)[\s\S]*name: cache-cache/},
  ),
  chart(
    'a condition that inline values set',
    {
      'Chart.yaml': dependencies('{name: db, version: 0.1.0, condition: db.enabled}'),
      ...parent,
      ...sub('db'),
      'values.yaml': 'db: {enabled: false}\n',
    },
    {options: {values: {db: {enabled: true}}}, shows: /name: db-db/},
  ),
  chart(
    'tags, and a condition over a tag',
    {
      'Chart.yaml': dependencies(
        '{name: db, version: 0.1.0, tags: [back]}',
        '{name: cache, version: 0.1.0, tags: [back], condition: cache.enabled}',
        '{name: web, version: 0.1.0, tags: [front, back]}',
      ),
      ...parent,
      ...sub('db'),
      ...sub('cache'),
      ...sub('web'),
      'values.yaml': 'tags: {back: false, front: true}\ncache: {enabled: true}\n',
    },
    {shows: /^(?![\s\S]*name: db-db)[\s\S]*name: cache-cache/},
  ),
  chart(
    'one chart by two aliases',
    {
      'Chart.yaml': dependencies(
        '{name: db, version: 0.1.0, alias: one}',
        '{name: db, version: 0.1.0, alias: two, condition: two.on}',
        '{name: db, version: 0.1.0}',
      ),
      ...parent,
      ...sub('db', 'size: 1\n'),
      'values.yaml': 'one: {size: 10}\ntwo: {size: 20, on: true}\n',
    },
    {shows: /name: db-one/},
  ),
  chart(
    'import-values of exports and of paths',
    {
      'Chart.yaml': text`
      ${chartYaml.trimEnd()}
      dependencies:
      - name: db
        version: 0.1.0
        import-values:
        - data
        - child: deep.map
          parent: imported.here
        - {child: absent, parent: nowhere}
      `,
      ...parent,
      ...sub('db', 'exports: {data: {port: 5432, host: db}}\ndeep: {map: {x: 1, y: {z: 2}}}\n'),
      'values.yaml': 'host: own\nimported: {here: {x: 9}}\n',
    },
    {shows: /5432/},
  ),
  chart(
    'a library chart',
    {
      'Chart.yaml': dependencies('{name: lib, version: 0.1.0}'),
      'charts/lib/Chart.yaml': 'apiVersion: v2\nname: lib\nversion: 0.1.0\ntype: library\n',
      'charts/lib/templates/_lib.tpl': `{{ define "lib.map" }}${mapOf('{{ .Values.name }}', ['.Chart.Name'])}{{ end }}`,
      'charts/lib/templates/never.yaml': objectOf('v1', 'ConfigMap', 'never'),
      'values.yaml': 'name: from-library\n',
      'templates/a.yaml': '{{ include "lib.map" . }}',
    },
    {shows: /^(?![\s\S]*name: never)[\s\S]*name: from-library/},
  ),
  chart(
    'a packed dependency',
    {
      'Chart.yaml': dependencies('{name: db, version: 0.1.0}'),
      ...parent,
      'charts/db-0.1.0.tgz': packed,
      'values.yaml': 'db: {size: 7}\n',
    },
    {shows: /from the archive/},
  ),
  chart('a packed chart that nothing names', {...parent, 'charts/db.tgz': packed}, {shows: /name: db\n/}),
  chart(
    'requirements.yaml of the first format',
    {
      'Chart.yaml': 'apiVersion: v1\nname: shop\nversion: 1.0.0\n',
      'requirements.yaml':
        'dependencies:\n- {name: db, version: "0.1.0", condition: db.enabled}\n- {name: cache, version: ">= 0.0.1", alias: fast}\n',
      'requirements.lock': 'dependencies: []\n',
      ...parent,
      ...sub('db'),
      ...sub('cache'),
      'values.yaml': 'db: {enabled: false}\n',
    },
    {shows: /^(?![\s\S]*name: db-db)[\s\S]*name: cache-fast/},
  ),
  chart(
    'versions in ranges',
    {
      'Chart.yaml': dependencies(
        '{name: db, version: "~0.1"}',
        '{name: cache, version: "0.x.x", repository: "https://charts.example.com"}',
        '{name: web, version: ^0.1.0, repository: "file://../web"}',
      ),
      ...parent,
      ...sub('db'),
      ...sub('cache'),
      ...sub('web'),
    },
    {shows: /name: web-web/},
  ),
  chart(
    'named templates of the parent win',
    {
      ...parent,
      ...sub('db', '', {
        'templates/_helpers.tpl': '{{ define "name" }}from db{{ end }}',
        'templates/a.yaml': mapOf('db-name', ['include "name" .']),
      }),
      'templates/_helpers.tpl': '{{ define "name" }}from parent{{ end }}',
      'templates/a.yaml': mapOf('parent-name', ['include "name" .']),
    },
    {shows: /from parent/},
  ),
  chart(
    'a parent reads its subcharts',
    {
      ...sub('db', 'size: 3\n'),
      'templates/a.yaml': mapOf('sees', [
        '.Subcharts.db.Values.size',
        '.Subcharts.db.Chart.Name',
        'keys .Subcharts | sortAlpha',
        '.Values.db.size',
      ]),
    },
    {shows: /e0: "3"/},
  ),
  chart('null of a parent takes away a default of its subchart', {
    ...parent,
    ...sub('db', 'size: 1\nmap: {a: 1, b: 2}\n'),
    'values.yaml': 'db: {size: null, map: {a: null}}\n',
  }),
  chart(
    'null inline takes away a default of a subchart',
    {...parent, ...sub('db', 'size: 1\nmap: {a: 1, b: 2}\n')},
    {
      options: {values: {db: {size: null, map: null}}},
    },
  ),
  chart(
    'subcharts four deep',
    {
      ...parent,
      ...sub('a', 'v: 0\n', {
        'charts/b/Chart.yaml': 'apiVersion: v2\nname: b\nversion: 0.1.0\n',
        'charts/b/templates/dump.yaml': dump('b'),
        'charts/b/charts/c/Chart.yaml': 'apiVersion: v2\nname: c\nversion: 0.1.0\n',
        'charts/b/charts/c/templates/dump.yaml': dump('c'),
        'charts/b/charts/c/charts/d/Chart.yaml': 'apiVersion: v2\nname: d\nversion: 0.1.0\n',
        'charts/b/charts/c/charts/d/templates/dump.yaml': dump('d'),
      }),
      'values.yaml': 'a: {b: {c: {d: {reached: true}}}}\n',
    },
    {shows: /reached/},
  ),
  chart(
    'folders of charts/ that are none',
    {
      ...parent,
      ...sub('db'),
      'charts/.hidden/Chart.yaml': 'apiVersion: v2\nname: hidden\nversion: 0.1.0\n',
      'charts/_off/Chart.yaml': 'apiVersion: v2\nname: off\nversion: 0.1.0\n',
      'charts/_off/templates/a.yaml': objectOf('v1', 'ConfigMap', 'off'),
    },
    {shows: /^(?![\s\S]*name: off\n)[\s\S]*name: db-db/},
  ),
]
