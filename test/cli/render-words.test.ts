import assert from 'node:assert/strict'
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {test} from 'node:test'
import {createRepository} from '#test/functions/render/bridge-fixture.ts'
import {keys, scalars} from '#test/functions/render/corpus/scalars.ts'
import {readAsKubectl} from '#test/functions/render/reference-renderers.ts'
import {runCli} from './run-cli.ts'

const declaration = `apiVersion: drawbridge.dev/v1alpha1
kind: Cluster
metadata: {name: dev}
---
apiVersion: drawbridge.dev/v1alpha1
kind: App
metadata: {name: words}
spec: {clusters: [dev], source: {path: app}}
`

test('kubectl reads what is printed as YAML as it was, whatever its words look like', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'drawbridge-words-'))
  t.after(() => rm(folder, {recursive: true, force: true}))
  // The same words as values and as keys.
  const words = [...new Set([...scalars, ...keys])].filter((word) => word.isWellFormed())
  const data = Object.fromEntries(words.map((word, index) => [`w${index}`, word]))
  const names = Object.fromEntries(words.map((word, index) => [word, index]))
  const object = {
    apiVersion: 'example.com/v1',
    kind: 'Words',
    metadata: {name: 'words'},
    spec: {data, names, list: words},
  }
  const repository = await createRepository(folder, 'words')
  await repository.push({'drawbridge.yaml': declaration, 'app/words.json': JSON.stringify(object)})
  const {stdout, stderr, status} = await runCli(['render', '--repo', repository.url, '--cluster', 'dev', '-o', 'yaml'])
  assert.equal(status, 0, stderr)
  const [printed] = await readAsKubectl([stdout])
  assert.deepEqual(printed, [object])
})
