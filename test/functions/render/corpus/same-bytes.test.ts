import assert from 'node:assert/strict'
import {execFile} from 'node:child_process'
import {join} from 'node:path'
import {test} from 'node:test'
import {promisify} from 'node:util'
import {digestSample} from './render-sample.ts'

const run = promisify(execFile)

test('a new instance, a used one and another compiler give the same bytes', async () => {
  const used = await digestSample({fresh: false})
  assert.ok(Object.keys(used).length >= 40)
  for (const [name, digest] of Object.entries(used)) assert.match(digest, /^sha256:/, name)
  assert.deepEqual(await digestSample({fresh: true}), used)
  // Code that is compiled by the baseline compiler alone, as where there is no other for the processor.
  const args = ['--no-wasm-tier-up', '--liftoff-only', join(import.meta.dirname, 'render-sample.ts')]
  const {stdout} = await run(process.execPath, args, {timeout: 200_000})
  assert.deepEqual(JSON.parse(stdout), used)
})
