import assert from 'node:assert/strict'
import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {text} from 'node:stream/consumers'
import {test} from 'node:test'
import {loadConfigFile} from '#infra/aws/load-config.ts'
import {synthesiseBridge} from './synthesise-bridge.ts'

const root = join(import.meta.dirname, '..', '..', '..')

// What `cdk deploy` starts, in an environment that holds no credentials and no region.
async function runApp(env: Record<string, string>): Promise<{code: unknown; stderr: string}> {
  const child = spawn(process.execPath, [join(root, 'infra', 'aws', 'main.ts')], {
    cwd: tmpdir(),
    env: {HOME: tmpdir(), ...env},
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 60_000,
  })
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
  return {code, stderr}
}

test('says in one line what to set where nothing is configured', async () => {
  const {code, stderr} = await runApp({})
  assert.equal(code, 1)
  assert.match(stderr, /^drawbridge: no configuration: set DRAWBRIDGE_CONFIG [^\n]+\n$/)
})

test('names every field of a configuration that is wrong', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'drawbridge-main-'))
  try {
    const file = join(folder, 'config.json')
    await writeFile(file, '{"repositories": [], "cluster": []}')
    const {code, stderr} = await runApp({DRAWBRIDGE_CONFIG: file})
    assert.equal(code, 1)
    for (const part of [file, 'repositories', 'cluster']) assert.ok(stderr.includes(part), stderr)
  } finally {
    await rm(folder, {recursive: true})
  }
})

test('synthesises the example offline, a stack for the bridge and one for each cluster', () => {
  const config = loadConfigFile(join(root, 'infra', 'aws', 'example.json'))
  using synthesised = synthesiseBridge(config)
  assert.deepEqual(Object.keys(synthesised.clusters), ['Drawbridge-cluster-staging', 'Drawbridge-cluster-production'])
  const resources = Object.values(synthesised.bridge.resources)
  assert.ok(resources.length < 400, `${resources.length} resources leave no room below the limit of 500`)
})
