import {type CorpusCase, text} from '../corpus-case.ts'
import {configMap, deployment, kustomization, referring, service} from './objects.ts'

const files = {
  'all.yaml': `${deployment('web')}---\n${service('web')}---\n${configMap('settings')}---\n${referring('ref')}`,
} as const

/** A built-in transformer written out, inline and in a file: both have to do the same. */
function transformer(kind: string, content: string, shows: RegExp, more: CorpusCase['files'] = {}): CorpusCase[] {
  const config = `apiVersion: builtin\nkind: ${kind}\nmetadata:\n  name: t\n${content}`
  const inline = `resources: [all.yaml]\ntransformers:\n- |-\n${config.trimEnd().replace(/^/gm, '  ')}\n`
  const inFile = 'resources: [all.yaml]\ntransformers: [t.yaml]\n'
  return [
    kustomization(`${kind} inline`, inline, {...files, ...more}, {shows}),
    kustomization(`${kind} in a file`, inFile, {...files, ...more, 't.yaml': config}, {shows}),
  ]
}

function generator(kind: string, content: string, shows: RegExp, more: CorpusCase['files'] = {}): CorpusCase[] {
  const config = `apiVersion: builtin\nkind: ${kind}\nmetadata:\n  name: g\n${content}`
  return [
    kustomization(`${kind} in a file`, 'generators: [g.yaml]\n', {...more, 'g.yaml': config}, {shows}),
    kustomization(`${kind} inline`, `generators:\n- |-\n${config.trimEnd().replace(/^/gm, '  ')}\n`, more, {shows}),
  ]
}

/** Built-in plugins by their own names. */
export const pluginCases: readonly CorpusCase[] = [
  ...transformer(
    'AnnotationsTransformer',
    'annotations: {note: x}\nfieldSpecs:\n- {path: metadata/annotations, create: true}\n- {path: spec/template/metadata/annotations, kind: Deployment, create: true}\n',
    /note: x/,
  ),
  ...transformer('LabelTransformer', 'labels: {l: x}\nfieldSpecs:\n- {path: metadata/labels, create: true}\n', /l: x/),
  ...transformer(
    'ImageTagTransformer',
    'imageTag: {name: nginx, newName: other, newTag: v3}\nfieldSpecs:\n- {path: "spec/template/spec/containers[]/image"}\n',
    /image: other:v3/,
  ),
  ...transformer(
    'NamespaceTransformer',
    '  namespace: moved\nfieldSpecs:\n- {path: metadata/namespace, create: true}\n',
    /namespace: moved/,
  ),
  ...transformer('PrefixTransformer', 'prefix: p-\nfieldSpecs:\n- {path: metadata/name}\n', /name: p-web/),
  ...transformer(
    'SuffixTransformer',
    'suffix: -s\nfieldSpecs:\n- {path: metadata/name, kind: Service}\n',
    /name: web-s/,
  ),
  ...transformer(
    'PrefixSuffixTransformer',
    'prefix: p-\nsuffix: -s\nfieldSpecs:\n- {path: metadata/name}\n',
    /name: p-web-s/,
  ),
  ...transformer('HashTransformer', '', /kind: ConfigMap/),
  ...transformer(
    'PatchTransformer',
    'patch: "- {op: replace, path: /spec/replicas, value: 8}"\ntarget: {kind: Deployment}\n',
    /replicas: 8/,
  ),
  ...transformer('PatchTransformer', 'path: p.yaml\n', /replicas: 6/, {
    'p.yaml': 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 6}\n',
  }).map((each) => ({...each, name: `${each.name}, patch in a file`})),
  ...transformer(
    'PatchJson6902Transformer',
    `target: {group: apps, version: v1, kind: Deployment, name: web}\njsonOp: '[{"op": "add", "path": "/spec/paused", "value": true}]'\n`,
    /paused: true/,
  ),
  ...transformer(
    'PatchStrategicMergeTransformer',
    'paths: [p.yaml]\npatches: |-\n  apiVersion: v1\n  kind: Service\n  metadata: {name: web}\n  spec: {type: NodePort}\n',
    /replicas: 6[\s\S]*|type: NodePort/,
    {'p.yaml': 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 6}\n'},
  ),
  ...transformer(
    'ReplicaCountTransformer',
    'replica: {name: web, count: 23}\nfieldSpecs:\n- {path: spec/replicas, kind: Deployment}\n',
    /replicas: 23/,
  ),
  ...transformer(
    'ReplacementTransformer',
    'replacements:\n- source: {kind: ConfigMap, fieldPath: data.key}\n  targets:\n  - select: {kind: Deployment}\n    fieldPaths: [metadata.labels.app]\n',
    /app: value/,
  ),
  ...transformer(
    'ValueAddTransformer',
    'value: added\ntargets:\n- {fieldPath: spec/zone, selector: {kind: Deployment}}\n- {fieldPath: metadata/labels/x}\n',
    /zone: added/,
  ),
  ...generator(
    'ConfigMapGenerator',
    '  namespace: ns\nliterals: [a=1]\nfiles: [f]\nenvs: [e.env]\n',
    /name: g-\w{10}/,
    {
      f: 'x\n',
      'e.env': 'E=1\n',
    },
  ),
  ...generator(
    'SecretGenerator',
    'type: Opaque\nliterals: [a=1]\noptions: {disableNameSuffixHash: true}\n',
    /kind: Secret/,
  ),
  ...generator(
    'IAMPolicyGenerator',
    'cloud: gke\nkubernetesService: {namespace: ns, name: sa}\nserviceAccount: {name: gsa, projectId: project}\n',
    /iam.gke.io\/gcp-service-account: gsa@project/,
  ),
  kustomization(
    'several transformers in one file and in a folder, in their order',
    text`
      resources: [all.yaml]
      transformers:
      - two.yaml
      - folder
      `,
    {
      ...files,
      'two.yaml': text`
        apiVersion: builtin
        kind: PrefixTransformer
        metadata: {name: one}
        prefix: a-
        fieldSpecs: [{path: metadata/name}]
        ---
        apiVersion: builtin
        kind: PrefixTransformer
        metadata: {name: two}
        prefix: b-
        fieldSpecs: [{path: metadata/name}]
        `,
      'folder/kustomization.yaml': 'resources: [suffix.yaml]\n',
      'folder/suffix.yaml':
        'apiVersion: builtin\nkind: SuffixTransformer\nmetadata: {name: s}\nsuffix: -z\nfieldSpecs: [{path: metadata/name}]\n',
    },
    {shows: /name: b-a-web-z/},
  ),
  kustomization(
    'a transformer that a kustomization has changed first',
    'resources: [all.yaml]\ntransformers: [folder]\n',
    {
      ...files,
      'folder/kustomization.yaml':
        'resources: [t.yaml]\npatches:\n- target: {kind: AnnotationsTransformer}\n  patch: "- {op: replace, path: /annotations/note, value: patched}"\n',
      'folder/t.yaml':
        'apiVersion: builtin\nkind: AnnotationsTransformer\nmetadata: {name: t}\nannotations: {note: x}\nfieldSpecs: [{path: metadata/annotations, create: true}]\n',
    },
    {shows: /note: patched/},
  ),
  kustomization(
    'a validator that changes nothing',
    text`
      resources: [all.yaml]
      validators:
      - |-
        apiVersion: builtin
        kind: HashTransformer
        metadata: {name: v}
      `,
    files,
  ),
  kustomization(
    'a validator that writes what is there already',
    text`
      resources: [all.yaml]
      validators:
      - |-
        apiVersion: builtin
        kind: ReplicaCountTransformer
        metadata: {name: v}
        replica: {name: web, count: 1}
        fieldSpecs: [{path: spec/replicas, kind: Deployment}]
      `,
    files,
    {refused: /validator shouldn't modify/},
  ),
  kustomization(
    'a validator in a file that changes something',
    'resources: [all.yaml]\nvalidators: [v.yaml]\n',
    {
      ...files,
      'v.yaml':
        'apiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: v}\nprefix: p-\nfieldSpecs: [{path: metadata/name}]\n',
    },
    {refused: /validator shouldn't modify/},
  ),
  kustomization(
    'a generator and resources of the same kustomization',
    'resources: [all.yaml]\ngenerators: [g.yaml]\nnamePrefix: p-\n',
    {
      ...files,
      'g.yaml': 'apiVersion: builtin\nkind: SecretGenerator\nmetadata: {name: secrets}\nliterals: [a=1]\n',
    },
    {shows: /secretName: p-secrets-\w{10}/},
  ),
]
