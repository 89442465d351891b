// Writes the JSON Schema of drawbridge.yaml for editors: `node test/functions/render/write-schema.ts`.
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {createConfigSchema} from '#functions/render/create-config-schema.ts'

export const schemaFile = join(
  import.meta.dirname,
  '..',
  '..',
  '..',
  'docs',
  'schema',
  'drawbridge.v1alpha1.schema.json',
)

if (import.meta.main) await writeFile(schemaFile, createConfigSchema())
