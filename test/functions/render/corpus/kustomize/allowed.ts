import type {CorpusCase} from '../corpus-case.ts'
import {configMap, deployment, kustomization} from './objects.ts'

const files = {'a.yaml': configMap('a'), 'd.yaml': deployment('d')} as const

function allowed(name: string, content: string, more: CorpusCase['files'] = {}): CorpusCase {
  return kustomization(name, content, {...files, ...more})
}

/** What looks wrong and kustomize lets pass. */
export const allowedCases: readonly CorpusCase[] = [
  allowed('a field twice', 'resources: [a.yaml]\nresources: [d.yaml]\n'),
  allowed('an env file whose key is none', 'configMapGenerator: [{name: c, envs: [e.env]}]\n', {
    'e.env': '1BAD KEY=x\n',
  }),
  allowed('a key that no ConfigMap may have', 'configMapGenerator: [{name: c, literals: ["a/b=1"]}]\n'),
  allowed('a behaviour that is none', 'configMapGenerator: [{name: c, behavior: destroy, literals: [a=1]}]\n'),
  allowed(
    'an image with a tag and a suffix',
    'resources: [d.yaml]\nimages: [{name: nginx, newTag: a, tagSuffix: b}]\n',
  ),
  allowed('a build option that is none', 'buildMetadata: [nothing]\nresources: [a.yaml]\n'),
  allowed('an openapi schema that is none', 'openapi: {path: s.json}\nresources: [a.yaml]\n', {
    's.json': '{"definitions": [',
  }),
  allowed(
    'labels that contradict each other',
    'labels: [{pairs: {a: b}}]\ncommonLabels: {a: c}\nresources: [a.yaml]\n',
  ),
  allowed(
    'fields in other cases',
    'Resources: [a.yaml]\nNAMEPREFIX: p-\nconfigmapgenerator: [{Name: c, Literals: [a=1]}]\n',
  ),
  allowed('a namespace that is empty', 'namespace: ""\nresources: [a.yaml]\n'),
  allowed('fields of nothing', 'resources: [a.yaml]\npatches:\nimages: null\nconfigMapGenerator: []\n'),
  allowed(
    'a JSON patch that removes nothing',
    'resources: [a.yaml]\npatches:\n- target: {kind: Secret, name: ".*"}\n  patch: "- {op: remove, path: /data}"\n',
  ),
]
