import assert from 'node:assert/strict'
import {glob, readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {test} from 'node:test'
import {PROGRAMS_DIGEST} from '#functions/render/box/renderer-versions.ts'
import {digestHex, digestOf} from '#shared/model/digest.ts'

const sources = join(import.meta.dirname, '../../../../functions/render/renderers')

test('what the renderers are built of is part of the inputs of every render', async () => {
  const files: string[] = []
  for await (const file of glob('*/{*.go,go.mod,go.sum,patches.yaml}', {cwd: sources})) files.push(file)
  const parts = await Promise.all(
    files.sort().map(async (file) => `${file}\n${await readFile(join(sources, file), 'utf8')}`),
  )
  const digest = digestHex(digestOf(parts.join('\n'))).slice(0, 16)
  assert.equal(PROGRAMS_DIGEST, digest, `set PROGRAMS_DIGEST in functions/render/box/renderer-versions.ts to ${digest}`)
})
