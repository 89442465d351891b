// Writes the chart's copy of the definition of App objects: `node test/infra/agent/write-definition.ts`.
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {stringify} from 'yaml'
import {appDefinition, DEFINITION_ANNOTATION, definitionDigest} from '#agent/app-definition.ts'

export const definitionFile = join(
  import.meta.dirname,
  ...['..', '..', '..', 'infra', 'agent', 'chart', 'templates', 'definition.yaml'],
)

const heading = `# How each app is, for kubectl and others to see. It stays when the chart is uninstalled, for with it would go the App objects, and
# with those the annotations that suspend apps.
# Written by test/infra/agent/write-definition.ts.
`

/** The definition as a template: a template, and not one of the chart's crds/, since helm never upgrades those. */
export function definitionTemplate(): string {
  const annotations = {[DEFINITION_ANNOTATION]: definitionDigest, 'helm.sh/resource-policy': 'keep'}
  const text = stringify({...appDefinition, metadata: {...appDefinition.metadata, annotations}}, {lineWidth: 0})
  return heading + text
}

if (import.meta.main) await writeFile(definitionFile, definitionTemplate())
