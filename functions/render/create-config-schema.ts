import * as z from 'zod'
import {appSchema, clusterSchema} from '#shared/model/app.ts'

/**
 * The JSON Schema (draft 2020-12) of one document of drawbridge.yaml, as text. It is published in docs/schema and used by
 * editors through a line `# yaml-language-server: $schema=…`; what needs more than one document is checked by render alone.
 */
export function createConfigSchema(): string {
  const documents = z
    .discriminatedUnion('kind', [appSchema, clusterSchema])
    .describe('One document of drawbridge.yaml: an App, or a Cluster that Apps can target')
  const schema = z.toJSONSchema(documents, {io: 'input', target: 'draft-2020-12'})
  return `${JSON.stringify({...schema, title: 'drawbridge.yaml (drawbridge.dev/v1alpha1)'}, null, 2)}\n`
}
