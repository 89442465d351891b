import type {CorpusCase} from '../corpus-case.ts'
import {chart, chartYaml, mapOf, objectOf, packChart} from './charts.ts'

const a = {'templates/a.yaml': objectOf('v1', 'ConfigMap', 'a')} as const
const listFiles =
  'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: names\ndata:\n  names: "{{ range $path, $_ := .Files.Glob "**" }}{{ $path }};{{ end }}"\n'

/** What a file system does with odd paths, names and links in a chart. */
export const folderCases: readonly CorpusCase[] = [
  chart(
    'names of all files',
    {
      'templates/names.yaml': listFiles,
      'README.md': 'x',
      '.hidden': 'x',
      'dir/.hidden/x.txt': 'x',
      'dir/sub/y.txt': 'x',
      'Ümlaut.txt': 'x',
      'with space.txt': 'x',
      'templates/_h.tpl': '',
      'templates/NOTES.txt': 'x',
      'crds/README.md': 'x',
      'charts/.gitkeep': '',
      'ci/values.yaml': 'a: 1\n',
      LICENSE: 'x',
      'values.schema.json': '{}',
      'Chart.lock': 'dependencies: []\n',
    },
    {shows: /dir\/sub\/y.txt;/},
  ),
  chart('a folder called values.yaml', {...a, 'values.yaml/x.txt': 'x'}),
  chart('a file called templates', {templates: 'x', 'Chart.yaml': chartYaml}),
  chart('a file called charts', {...a, charts: 'x'}),
  chart('a Chart.yaml that is a link', {...a, 'Chart.yaml': {link: 'deep/Chart.yaml'}, 'deep/Chart.yaml': chartYaml}),
  chart(
    'templates that are a link to a folder',
    {
      templates: {link: 'real'},
      'real/a.yaml': objectOf('v1', 'ConfigMap', 'linked'),
      'real/b.yaml': mapOf('b', ['.Template.Name', '.Template.BasePath']),
    },
    {shows: /linked/},
  ),
  chart(
    'a subchart that is a link to a chart beside',
    {
      ...a,
      'charts/sub': {link: '../../library'},
      '/library/Chart.yaml': 'apiVersion: v2\nname: sub\nversion: 1.0.0\n',
      '/library/templates/s.yaml': objectOf('v1', 'ConfigMap', 'sub'),
    },
    {shows: /name: sub/},
  ),
  chart(
    'a link to a folder above itself',
    {...a, 'files/up': {link: '..'}},
    {refused: /too many levels|file name too long|leads back into itself/},
  ),
  chart('a link that leads to nothing', {...a, 'files/l.txt': {link: 'nope.txt'}}, {refused: /nope|l\.txt/}),
  chart('a link to nothing that is ignored', {...a, '.helmignore': 'files/\n', 'files/l.txt': {link: 'nope.txt'}}),
  chart(
    'a file that two links lead to',
    {
      ...a,
      'one.txt': {link: 'real/x.txt'},
      'two.txt': {link: 'one.txt'},
      'real/x.txt': 'words',
      'templates/f.yaml': mapOf('f', ['.Files.Get "one.txt"', '.Files.Get "two.txt"']),
    },
    {shows: /e1: "words"/},
  ),
  {
    name: 'a chart whose folder is a link',
    path: 'chart',
    files: {
      chart: {link: 'real/shop'},
      'real/shop/Chart.yaml': chartYaml,
      'real/shop/templates/a.yaml': a['templates/a.yaml'],
    },
  },
  {
    name: 'a chart at the root of the repository',
    files: {'Chart.yaml': chartYaml, 'templates/a.yaml': listFiles, 'docs/x.md': 'x', 'drawbridge.yaml': '# words\n'},
    shows: /docs\/x.md/,
  },
  {
    name: 'a chart deep in the tree with values of far away',
    path: 'a/b/c/chart',
    files: {
      'a/b/c/chart/Chart.yaml': chartYaml,
      'a/b/c/chart/templates/a.yaml': mapOf('a', ['.Values.far', '.Values.near']),
      'values/far.yaml': 'far: 1\nnear: 1\n',
      'a/b/near.yaml': 'near: 2\n',
    },
    options: {valueFiles: ['values/far.yaml', 'a/b/near.yaml']},
    shows: /e1: "2"/,
  },
  chart(
    'a packed chart that holds a packed chart',
    {
      ...a,
      'charts/outer-1.0.0.tgz': packChart('outer', {
        'Chart.yaml': 'apiVersion: v2\nname: outer\nversion: 1.0.0\n',
        'templates/o.yaml': objectOf('v1', 'ConfigMap', 'outer'),
        'charts/inner/Chart.yaml': 'apiVersion: v2\nname: inner\nversion: 1.0.0\n',
        'charts/inner/templates/i.yaml': objectOf('v1', 'ConfigMap', 'inner'),
        '.helmignore': 'templates/\n',
      }),
    },
    {shows: /name: inner/},
  ),
  chart(
    'a packed chart under another name',
    {
      ...a,
      'charts/other.tgz': packChart('folder', {
        'Chart.yaml': 'apiVersion: v2\nname: db\nversion: 1.0.0\n',
        'templates/o.yaml': objectOf('v1', 'ConfigMap', 'db'),
      }),
      'Chart.yaml': `${chartYaml}dependencies:\n- {name: db, version: 1.x}\n`,
    },
    {shows: /name: db/},
  ),
  chart('Windows lines in templates, values and Chart.yaml', {
    'Chart.yaml': chartYaml.replaceAll('\n', '\r\n'),
    'values.yaml': 'a: "x"\r\nb: |\r\n  one\r\n  two\r\n',
    'templates/a.yaml': mapOf('a', ['.Values.a', '.Values.b']).replaceAll('\n', '\r\n'),
    '.helmignore': 'x.txt\r\n',
    'x.txt': 'x',
    'templates/names.yaml': listFiles,
  }),
  chart('a BOM in a template, in values and in Chart.yaml', {
    'Chart.yaml': `\ufeff${chartYaml}`,
    'values.yaml': '\ufeffa: 1\n',
    'templates/a.yaml': `\ufeff${mapOf('a', ['.Values.a'])}`,
  }),
  chart(
    'bytes of Latin-1 in a template',
    {
      'templates/a.yaml': Buffer.from('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n# gr\xfcn\n', 'latin1'),
    },
    {refused: /invalid leading UTF-8 octet/},
  ),
  chart(
    'bytes of Latin-1 in values',
    {
      ...a,
      'values.yaml': Buffer.from('a: "gr\xfcn"\n', 'latin1'),
      'templates/b.yaml': mapOf('b', ['.Values.a | len']),
    },
    {refused: /invalid leading UTF-8 octet/},
  ),
  chart(
    'a large file',
    {'big.txt': 'x'.repeat(1_500_000), 'templates/a.yaml': mapOf('a', ['.Files.Get "big.txt" | len'])},
    {shows: /1500000/},
  ),
  chart('a file larger than helm takes', {...a, 'big.txt': 'x'.repeat(5 * 1024 * 1024 + 1)}, {refused: /larger than/}),
]
