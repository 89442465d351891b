import {type CorpusCase, text} from '../corpus-case.ts'
import {configMap, kustomization, service} from './objects.ts'

const one = {'a.yaml': configMap('a')} as const

function refused(name: string, content: string, words: RegExp, files: CorpusCase['files'] = {}): CorpusCase {
  return kustomization(name, content, {...one, ...files}, {refused: words})
}

/** What kustomize refuses, and the words it has for it. */
export const refusedCases: readonly CorpusCase[] = [
  {
    name: 'no kustomization at all',
    files: one,
    refused: /unable to find one of 'kustomization.yaml'|holds no kustomization.yaml/,
  },
  {
    name: 'two kustomizations in one folder',
    files: {...one, 'kustomization.yaml': 'resources: [a.yaml]\n', 'kustomization.yml': 'resources: [a.yaml]\n'},
    refused: /multiple kustomization files/,
  },
  refused('an empty kustomization', '', /kustomization.yaml is empty/),
  refused('a kustomization of comments', '# resources: [a.yaml]\n', /kustomization.yaml is empty/),
  refused('a kustomization that is no map', '- a.yaml\n', /json: cannot unmarshal array|invalid Kustomization/),
  refused('a kustomization that is no YAML', 'resources: [a.yaml\nx: y\n', /yaml|YAML/),
  refused('a field that no kustomization has', 'resources: [a.yaml]\nresource: [a.yaml]\n', /unknown field "resource"/),
  refused(
    'a kind that is none of kustomize',
    'kind: Deployment\nresources: [a.yaml]\n',
    /kind should be Kustomization or Component/,
  ),
  refused(
    'a version that is none of kustomize',
    'apiVersion: v9\nkind: Kustomization\nresources: [a.yaml]\n',
    /apiVersion for Kustomization should be/,
  ),
  refused('a resource that is not there', 'resources: [a.yaml, nope.yaml]\n', /nope.yaml/),
  refused(
    'the same resource twice',
    'resources: [a.yaml, ./a.yaml]\n',
    /may not add resource with an already registered id: ConfigMap.v1.\[noGrp\]\/a/,
  ),
  refused(
    'two objects of one file that only differ in that one names the namespace default',
    'resources: [both.yaml]\n',
    /may not add resource with an already registered id: ConfigMap.v1.\[noGrp\]\/b.(default|\[noNs\])/,
    {'both.yaml': `${configMap('b')}---\n${configMap('b').replace('name: b', 'name: b\n  namespace: default')}`},
  ),
  refused(
    'a namespace that makes two objects one',
    'resources: [both.yaml]\nnamespace: web\n',
    /namespace transformation produces ID conflict/,
    {
      'both.yaml': `${configMap('b').replace('name: b', 'name: b\n  namespace: x')}---\n${configMap('b').replace('name: b', 'name: b\n  namespace: y')}`,
    },
  ),
  refused(
    'a patch of names that makes two objects one, found where they are sorted',
    'resources: [a.yaml, b.yaml]\npatches: [{path: p.yaml, target: {name: b}, options: {allowNameChange: true}}]\n',
    /already registered id|ID conflict/,
    {'b.yaml': configMap('b'), 'p.yaml': '- op: replace\n  path: /metadata/name\n  value: a\n'},
  ),
  refused('two resources of one name', 'resources: [a.yaml, b.yaml]\n', /already registered id/, {
    'b.yaml': configMap('a'),
  }),
  refused('a folder without a kustomization', 'resources: [folder]\n', /unable to find one of 'kustomization.yaml'/, {
    'folder/a.yaml': configMap('b'),
  }),
  refused('a folder that holds itself', 'resources: [.]\n', /cycle detected/),
  refused('folders that hold each other', 'resources: [one]\n', /cycle detected/, {
    'one/kustomization.yaml': 'resources: [../two]\n',
    'two/kustomization.yaml': 'resources: [../one]\n',
  }),
  {
    name: 'a file of the folder above',
    path: 'app',
    files: {'app/kustomization.yaml': 'resources: [../a.yaml]\n', ...one},
    refused: /is not in or below/,
  },
  {
    name: 'a generator file of the folder above',
    path: 'app',
    files: {'app/kustomization.yaml': 'configMapGenerator: [{name: c, files: [../a.yaml]}]\n', ...one},
    refused: /is not in or below/,
  },
  {
    name: 'a symlink to the folder above',
    path: 'app',
    files: {'app/kustomization.yaml': 'resources: [link.yaml]\n', 'app/link.yaml': {link: '../a.yaml'}, ...one},
    refused: /is not in or below/,
  },
  refused('a resource that is no YAML', 'resources: [bad.yaml]\n', /bad.yaml/, {'bad.yaml': 'a: [1\nb: 2\n'}),
  refused('a resource without a kind', 'resources: [bad.yaml]\n', /missing Resource metadata|kind/i, {
    'bad.yaml': 'apiVersion: v1\nmetadata: {name: x}\n',
  }),
  refused('a resource without a name', 'resources: [bad.yaml]\n', /missing metadata.name/, {
    'bad.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n',
  }),
  refused('a resource that is a list', 'resources: [bad.yaml]\n', /bad.yaml/, {'bad.yaml': '- a\n- b\n'}),
  refused('a resource with a field twice', 'resources: [bad.yaml]\n', /already defined/, {
    'bad.yaml': `${configMap('x')}data: {b: c}\n`,
  }),
  refused(
    'a patch that matches nothing',
    'resources: [a.yaml]\npatches: [{path: p.yaml}]\n',
    /no (resource )?matches for|unable to find patch target|no resource of the kustomization is that/,
    {
      'p.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\ndata: {}\n',
    },
  ),
  refused(
    'a patch of neither kind',
    'resources: [a.yaml]\npatches:\n- target: {kind: ConfigMap}\n  patch: "just words"\n',
    /unable to parse SM or JSON patch/,
  ),
  refused(
    'a JSON patch in brackets of YAML',
    'resources: [a.yaml]\npatches:\n- target: {kind: ConfigMap}\n  patch: "[{op: remove, path: /data}]"\n',
    /unable to parse SM or JSON patch/,
  ),
  refused(
    'a patch with a path and a text',
    'resources: [a.yaml]\npatches:\n- {path: a.yaml, patch: x}\n',
    /patch and path can't be set at the same time/,
  ),
  refused(
    'a JSON patch of a path that is not there',
    'resources: [a.yaml]\npatches:\n- target: {kind: ConfigMap}\n  patch: "- {op: replace, path: /spec/x/y, value: 1}"\n',
    /doc is missing path|missing key|Unable to/i,
  ),
  refused(
    'a JSON patch whose test fails',
    'resources: [a.yaml]\npatches:\n- target: {kind: ConfigMap}\n  patch: "- {op: test, path: /data/key, value: other}"\n',
    /test(ing)? .*failed/i,
  ),
  refused(
    'a JSON patch without a target',
    'resources: [a.yaml]\npatches:\n- patch: "- {op: remove, path: /data}"\n',
    /must specify a target/,
  ),
  refused(
    'a target that is no expression',
    'resources: [a.yaml]\npatches:\n- target: {name: "("}\n  patch: "- {op: remove, path: /data}"\n',
    /missing closing/,
  ),
  refused(
    'patchesStrategicMerge of a file that is not there',
    'resources: [a.yaml]\npatchesStrategicMerge: [nope.yaml]\n',
    /nope.yaml/,
  ),
  refused(
    'a literal without a value',
    'configMapGenerator: [{name: c, literals: [novalue]}]\n',
    /invalid literal source novalue/,
  ),
  refused('a generator file that is not there', 'configMapGenerator: [{name: c, files: [nope.txt]}]\n', /nope.txt/),
  refused(
    'a generator key twice',
    'configMapGenerator: [{name: c, literals: [a=1, a=2]}]\n',
    /illegally repeats the key `a`/,
  ),
  refused(
    'merge into nothing',
    'configMapGenerator: [{name: c, behavior: merge, literals: [a=1]}]\n',
    /behavior must be merge or replace|does not exist; cannot merge/,
  ),
  refused(
    'create of what a base has',
    'resources: [a.yaml]\nconfigMapGenerator: [{name: a, behavior: create, literals: [x=1]}]\n',
    /already (registered|exists)|behavior must be merge or replace/,
  ),
  refused(
    'a replacement whose source is not there',
    text`
    resources: [a.yaml]
    replacements:
    - source: {kind: Secret}
      targets: [{select: {kind: ConfigMap}, fieldPaths: [data.key]}]
    `,
    /nothing selected by/,
  ),
  refused(
    'a replacement with two sources',
    text`
    resources: [a.yaml, b.yaml]
    replacements:
    - source: {kind: ConfigMap}
      targets: [{select: {kind: ConfigMap}, fieldPaths: [data.key]}]
    `,
    /multiple matches for selector/,
    {'b.yaml': configMap('b')},
  ),
  refused(
    'a replacement into a field that is not there',
    text`
    resources: [a.yaml]
    replacements:
    - source: {kind: ConfigMap}
      targets: [{select: {kind: ConfigMap}, fieldPaths: [data.nope]}]
    `,
    /unable to find field/,
  ),
  refused(
    'a replacement beyond the parts',
    text`
    resources: [a.yaml]
    replacements:
    - source: {kind: ConfigMap, fieldPath: data.key, options: {delimiter: "-", index: 9}}
      targets: [{select: {kind: ConfigMap}, fieldPaths: [metadata.name]}]
    `,
    /index 9 is out of bounds/,
  ),
  refused(
    'a var that two layers define differently',
    'resources: [base, a.yaml]\nvars: [{name: V, objref: {apiVersion: v1, kind: ConfigMap, name: a}}]\n',
    /var 'V' already encountered/,
    {
      'base/kustomization.yaml':
        'resources: [b.yaml]\nvars: [{name: V, objref: {apiVersion: v1, kind: ConfigMap, name: b}}]\n',
      'base/b.yaml': configMap('b'),
    },
  ),
  refused(
    'replicas of what is not there',
    'resources: [a.yaml]\nreplicas: [{name: nope, count: 1}]\n',
    /does not match a config with the following GVK/,
  ),
  refused('a component as a resource', 'resources: [c]\n', /expected kind != 'Component'/, {
    'c/kustomization.yaml': 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [s.yaml]\n',
    'c/s.yaml': service('s'),
  }),
  refused('a kustomization as a component', 'components: [c]\n', /expected kind 'Component'/, {
    'c/kustomization.yaml': 'resources: [s.yaml]\n',
    'c/s.yaml': service('s'),
  }),
  refused(
    'a component that two layers use to add one thing',
    'resources: [o]\ncomponents: [c]\n',
    /already registered id/,
    {
      'o/kustomization.yaml': 'components: [../c]\n',
      'c/kustomization.yaml': 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [s.yaml]\n',
      'c/s.yaml': service('s'),
    },
  ),
  refused(
    'a plugin that is none',
    'resources: [a.yaml]\ntransformers:\n- |-\n  apiVersion: example.com/v1\n  kind: Custom\n  metadata: {name: x}\n',
    /external plugins disabled/,
  ),
  refused(
    'a built-in that is none',
    'resources: [a.yaml]\ntransformers:\n- |-\n  apiVersion: builtin\n  kind: NoTransformer\n  metadata: {name: x}\n',
    /NoTransformer|external plugins disabled/,
  ),
  refused(
    'the order as a transformer',
    'resources: [a.yaml]\ntransformers:\n- |-\n  apiVersion: builtin\n  kind: SortOrderTransformer\n  metadata: {name: x}\n',
    /SortOrderTransformer|external plugins disabled/,
  ),
  refused(
    'charts without the switch for them',
    'helmCharts: [{name: c, releaseName: r}]\n',
    /must specify --enable-helm/,
  ),
  refused('a sort order that is none', 'sortOptions: {order: random}\nresources: [a.yaml]\n', /order/i),
  refused(
    'an openapi version that is none',
    'openapi: {version: v0.0.1}\nresources: [a.yaml]\n',
    /OpenAPI version is not built in/,
  ),
  refused('crds that are none', 'crds: [c.json]\nresources: [a.yaml]\n', /c.json|loading CRDs/, {'c.json': '[1, 2'}),
  refused(
    'a configuration that is none',
    'configurations: [c.yaml]\nresources: [a.yaml]\n',
    /unknown field|unmarshal|c.yaml/i,
    {'c.yaml': 'namePrefix: 3\n'},
  ),
  refused('a label that is no text', 'commonLabels: {a: 1}\nresources: [a.yaml]\n', /unmarshal number/),
]
