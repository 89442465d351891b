import type {BoxRequest} from '../../box-fixture.ts'
import type {CorpusFiles} from '../../reference-renderers.ts'

/** What an attacker who owns one folder of a repository would like to reach. */
export interface Aims {
  /** Where the listener is, without a slash at its end. */
  url: string
  /** An absolute folder outside of the tree: see `plantedFiles`. */
  outside: string
  /** The name of an environment variable. */
  variable: string
}

export interface Attack extends BoxRequest {
  name: string
}

/** What lies in the folder outside: for each use a file that would work there. */
export function plantedFiles(canary: string): CorpusFiles {
  const map = `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: stolen\ndata:\n  stolen: ${canary}\n`
  return {
    'secret.yaml': map,
    'secret.txt': `${canary}\n`,
    'secret.env': `STOLEN=${canary}\n`,
    'schema.json': JSON.stringify({title: canary, const: canary}),
    'base/kustomization.yaml': 'resources: [secret.yaml]\n',
    'base/secret.yaml': map,
    'component/kustomization.yaml': `apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncommonAnnotations: {stolen: ${canary}}\n`,
    'generator/kustomization.yaml': 'resources: [g.yaml]\n',
    'generator/g.yaml': `apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: g}\nliterals: [stolen=${canary}]\n`,
    'chart/Chart.yaml': `apiVersion: v2\nname: stolen\nversion: 1.0.0\ndescription: ${canary}\n`,
    'chart/values.yaml': `stolen: ${canary}\n`,
    'chart/templates/secret.yaml': map,
  }
}

/** What the attacker's own folder holds beside. */
export const ownMap = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: own\ndata:\n  key: value\n'
