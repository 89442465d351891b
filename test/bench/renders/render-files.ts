import type {FileContent} from '../../functions/render/box/memory-tree.ts'
import {configMap} from '../../functions/render/box/render-files.ts'

/** Files by their paths from the root of a repository. */
export type Files = Record<string, FileContent>

const deployment = (name: string): string =>
  `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
spec:
  replicas: 2
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers:
      - name: web
        image: registry.example.com/${name}:1.2.3
        ports: [{containerPort: 8080}]
        env: [{name: MODE, value: "on"}]
        resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {memory: 128Mi}}
`
const service = (name: string): string =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\nspec:\n  selector: {app: ${name}}\n  ports: [{port: 80, targetPort: 8080}]\n`

/** An overlay over a base of a Deployment, a Service and a ConfigMap, below `folder`. */
export function smallKustomization(folder = '.'): Files {
  const at = (name: string): string => (folder === '.' ? name : `${folder}/${name}`)
  return {
    [at('base/kustomization.yaml')]:
      'resources: [deployment.yaml, service.yaml]\nconfigMapGenerator:\n- name: settings\n  literals: [mode=fast, level=3]\n',
    [at('base/deployment.yaml')]: deployment('web'),
    [at('base/service.yaml')]: service('web'),
    [at('overlay/kustomization.yaml')]:
      'resources: [../base]\nnamespace: web\nnamePrefix: prod-\nlabels: [{pairs: {team: shop}}]\nimages: [{name: registry.example.com/web, newTag: "2.0"}]\npatches:\n- patch: |\n    - {op: replace, path: /spec/replicas, value: 5}\n  target: {kind: Deployment}\n',
  }
}

/** A kustomization of so many ConfigMaps in one file. */
export function largeKustomization(objects: number): Files {
  const all = Array.from({length: objects}, (_, index) =>
    configMap(`settings-${index}`, `{index: "${index}", text: some words}`),
  )
  return {
    'overlay/kustomization.yaml': 'resources: [all.yaml]\nnamespace: web\nlabels: [{pairs: {team: shop}}]\n',
    'overlay/all.yaml': all.join('---\n'),
  }
}

/** A chart of a Deployment, a Service and a ConfigMap, with helpers and values. */
export function smallChart(): Files {
  const named = (text: string): string =>
    text
      .replaceAll('name: web\n', 'name: {{ include "web.name" . }}\n')
      .replaceAll('{name: web}', '{name: {{ include "web.name" . }}}')
  return {
    'Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.0.0\nappVersion: "2.0"\n',
    'values.yaml': 'replicas: 2\nsettings:\n  mode: fast\n  level: 3\n',
    'templates/_helpers.tpl':
      '{{- define "web.name" -}}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" }}{{- end }}\n{{- define "web.labels" -}}\napp.kubernetes.io/name: {{ .Chart.Name }}\napp.kubernetes.io/version: {{ .Chart.AppVersion | quote }}\n{{- end }}\n',
    'templates/deployment.yaml': named(deployment('web')).replace('replicas: 2', 'replicas: {{ .Values.replicas }}'),
    'templates/service.yaml': named(service('web')),
    'templates/configmap.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ include "web.name" . }}\n  labels: {{- include "web.labels" . | nindent 4 }}\ndata:\n{{- range $key, $value := .Values.settings }}\n  {{ $key }}: {{ $value | quote }}\n{{- end }}\n',
  }
}

/** Definitions of custom resources with deep schemas, `megabytes` of YAML in files of half a megabyte. */
export function definitions(megabytes: number): Files {
  const property = (depth: number, indent: string): string =>
    depth === 0
      ? `${indent}type: string\n${indent}description: what this field says, in some words that are long enough to be real\n`
      : `${indent}type: object\n${indent}properties:\n${['alpha', 'beta', 'gamma']
          .map((name) => `${indent}  ${name}:\n${property(depth - 1, `${indent}    `)}`)
          .join('')}`
  const schema = property(5, '            ')
  const definition = (index: number): string =>
    `apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: things${index}.example.com\nspec:\n  group: example.com\n  scope: Namespaced\n  names: {kind: Thing${index}, plural: things${index}}\n  versions:\n  - name: v1\n    served: true\n    storage: true\n    schema:\n      openAPIV3Schema:\n        type: object\n        properties:\n          spec:\n${schema}`
  const files: Files = {}
  let bytes = 0
  for (let index = 0; bytes < megabytes * 1e6; index++) {
    const text = definition(index)
    bytes += text.length
    const file = `crds-${Math.floor(bytes / 5e5)}.yaml`
    files[file] = `${typeof files[file] === 'string' ? files[file] : ''}---\n${text}`
  }
  return files
}
