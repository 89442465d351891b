import assert from 'node:assert/strict'
import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {test} from 'node:test'
import {limits} from '#shared/model/limits.ts'

test('the table of limits in the docs is that of the code', async () => {
  const text = await readFile(join(import.meta.dirname, '../../docs/limits.md'), 'utf8')
  const rows = [...text.matchAll(/^\| `(\w+)` \| ([\d,]+) \|/gm)].map(([, name = '', value = '']) => [
    name,
    Number(value.replaceAll(',', '')),
  ])
  assert.deepEqual(Object.fromEntries(rows), limits)
})
