import assert from 'node:assert/strict'
import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {test} from 'node:test'
import {controlPlaneProgram} from '#infra/local/find-control-plane.ts'
import {rendererProgram} from '#infra/local/renderers/renderer-programs.ts'

test('the README tells the same build times as the first run', async () => {
  const readme = await readFile(join(import.meta.dirname, '..', '..', 'README.md'), 'utf8')
  const told = /take about (\d+), (\d+)\s+and (\d+) minutes on 2 free cores/.exec(readme)?.slice(1).map(Number)
  const programs = [rendererProgram('kustomize'), rendererProgram('helm'), controlPlaneProgram()]
  assert.deepEqual(
    told,
    programs.map(({usualMinutes}) => usualMinutes),
  )
})
