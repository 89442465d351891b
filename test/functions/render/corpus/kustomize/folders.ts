import type {CorpusCase} from '../corpus-case.ts'
import {configMap, kustomization} from './objects.ts'

const base = {'base/kustomization.yaml': 'resources: [b.yaml]\n', 'base/b.yaml': configMap('b')} as const

/** What a file system does with odd paths, names and links. */
export const folderCases: readonly CorpusCase[] = [
  kustomization('a folder called kustomization.yml beside the file', 'resources: [a.yaml]\n', {
    'a.yaml': configMap('a'),
    'kustomization.yml/x.txt': 'x',
  }),
  kustomization('a resource with a slash at its end', 'resources: [a.yaml/]\n', {'a.yaml': configMap('a')}),
  kustomization(
    'a file used as a folder',
    'resources: [a.yaml/b.yaml]\n',
    {'a.yaml': configMap('a')},
    {refused: /a.yaml/},
  ),
  kustomization('a folder used as a file', 'configMapGenerator: [{name: c, files: [base]}]\n', base, {refused: /base/}),
  kustomization('a resource in other cases', 'resources: [A.yaml]\n', {'a.yaml': configMap('a')}, {refused: /A.yaml/}),
  kustomization('names that begin with dots', 'resources: [.a.yaml, ..b.yaml, .hidden]\n', {
    '.a.yaml': configMap('a'),
    '..b.yaml': configMap('b'),
    '.hidden/kustomization.yaml': 'resources: [c.yaml]\n',
    '.hidden/c.yaml': configMap('c'),
  }),
  kustomization('a name that looks like a URL', 'resources: ["http:", "a:b.yaml", "github.com/x.yaml"]\n', {
    'http:/kustomization.yaml': 'resources: [h.yaml]\n',
    'http:/h.yaml': configMap('h'),
    'a:b.yaml': configMap('colon'),
    'github.com/x.yaml': configMap('x'),
  }),
  kustomization(
    'a folder that looks like a repository',
    'resources: ["github.com/owner/repo"]\n',
    {
      'github.com/owner/repo/kustomization.yaml': 'resources: [h.yaml]\n',
      'github.com/owner/repo/h.yaml': configMap('h'),
    },
    {refused: /no 'git' program on path|names github.com\/owner\/repo: renders have no network/},
  ),
  kustomization('a name with a question mark and a number sign', 'resources: ["a?b.yaml", "c#d.yaml"]\n', {
    'a?b.yaml': configMap('a'),
    'c#d.yaml': configMap('c'),
  }),
  kustomization('a name with a newline and one with spaces around', 'resources: ["a\\nb.yaml", " c.yaml "]\n', {
    'a\nb.yaml': configMap('a'),
    ' c.yaml ': configMap('c'),
  }),
  kustomization('backslashes', 'resources: ["sub\\\\a.yaml"]\n', {'sub\\a.yaml': configMap('a')}),
  kustomization(
    'a link that leads to nothing',
    'resources: [a.yaml]\n',
    {'a.yaml': {link: 'nope.yaml'}},
    {refused: /a.yaml/},
  ),
  kustomization('a link to itself', 'resources: [a.yaml]\n', {'a.yaml': {link: 'a.yaml'}}, {refused: /a.yaml/}),
  kustomization('links in a circle', 'resources: [a]\n', {a: {link: 'b'}, b: {link: 'a'}}, {refused: /\ba\b/}),
  kustomization('a chain of links', 'resources: [l1]\n', {
    l1: {link: 'l2'},
    l2: {link: './l3'},
    l3: {link: 'base/../base'},
    ...base,
  }),
  kustomization(
    'a kustomization that is a link',
    'x',
    {},
    {
      files: {
        'kustomization.yaml': {link: 'deep/k.yaml'},
        'deep/k.yaml': 'resources: [a.yaml]\n',
        'a.yaml': configMap('a'),
        'deep/a.yaml': configMap('wrong'),
      },
      shows: /name: a\n/,
    },
  ),
  kustomization(
    'one base by its name and by a link',
    'resources: [base, link]\n',
    {...base, link: {link: 'base'}},
    {
      refused: /already registered id|already been accumulated|may not add/,
    },
  ),
  kustomization(
    'a base with a link to its overlay',
    'resources: [base]\n',
    {
      'base/kustomization.yaml': 'resources: [up]\n',
      'base/up': {link: '..'},
    },
    {refused: /cycle/},
  ),
  {
    name: 'a link to a folder above that stays in the repository',
    path: 'app',
    files: {
      'app/kustomization.yaml': 'resources: [up/base]\n',
      'app/up': {link: '..'},
      ...base,
    },
  },
  {
    name: 'a link to a file beside the app',
    path: 'app',
    files: {'app/kustomization.yaml': 'resources: [l.yaml]\n', 'app/l.yaml': {link: '../base/b.yaml'}, ...base},
    refused: /is not in or below/,
  },
  {
    name: 'a path through a folder that is not there',
    path: 'app',
    files: {'app/kustomization.yaml': 'resources: [nope/../a.yaml]\n', 'app/a.yaml': configMap('a')},
  },
  {
    name: 'a path through a link and back',
    path: 'app',
    files: {
      'app/kustomization.yaml': 'resources: [link/../a.yaml]\n',
      'app/a.yaml': configMap('here'),
      'app/link': {link: 'deep/er'},
      'app/deep/er/x.txt': 'x',
      'app/deep/a.yaml': configMap('there'),
    },
  },
  {
    name: 'the root of the repository as a base',
    path: 'overlays/prod',
    files: {
      'overlays/prod/kustomization.yaml': 'resources: [../..]\nnamePrefix: p-\n',
      'kustomization.yaml': 'resources: [a.yaml]\n',
      'a.yaml': configMap('a'),
    },
    refused: /cycle detected/,
  },
  {
    name: 'a schema and a definition of the folder above',
    path: 'app',
    files: {
      'app/kustomization.yaml': 'resources: [a.yaml]\ncrds: [../crd.json]\n',
      'app/a.yaml': configMap('a'),
      'crd.json': '{}',
    },
    refused: /is not in or below/,
  },
  {
    name: 'configurations, generators and transformers of other folders',
    path: 'app',
    files: {
      'app/kustomization.yaml':
        'resources: [a.yaml]\ngenerators: [../gen]\ntransformers: [../tr]\nconfigurations: [c.yaml]\n',
      'app/a.yaml': configMap('a'),
      'app/c.yaml': 'nameReference: []\n',
      'gen/kustomization.yaml': 'resources: [g.yaml]\n',
      'gen/g.yaml': 'apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: g}\nfiles: [own.txt]\n',
      'app/own.txt': 'of the app\n',
      'gen/own.txt': 'of the generator\n',
      'tr/kustomization.yaml': 'resources: [t.yaml]\n',
      'tr/t.yaml':
        'apiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: t}\nprefix: t-\nfieldSpecs: [{path: metadata/name}]\n',
    },
    shows: /of the app/,
  },
  kustomization(
    'bytes of Latin-1 in a resource',
    'resources: [a.yaml]\n',
    {
      'a.yaml': Buffer.from('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: "gr\xfcn"}\n', 'latin1'),
    },
    {refused: /UTF-8|utf8/i},
  ),
  kustomization(
    'bytes of Latin-1 in the kustomization',
    'x',
    {},
    {
      files: {
        'kustomization.yaml': Buffer.from('resources: [a.yaml]\ncommonAnnotations: {k: "gr\xfcn"}\n', 'latin1'),
        'a.yaml': configMap('a'),
      },
      refused: /UTF-8|utf8/i,
    },
  ),
  kustomization('a BOM in a resource and in the kustomization', '\ufeffresources: [a.yaml]\n', {
    'a.yaml': `\ufeff${configMap('a')}`,
  }),
]
