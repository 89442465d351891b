import assert from 'node:assert/strict'
import {mkdtemp, readFile, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {after, before, test} from 'node:test'
import {parseAllDocuments} from 'yaml'
import {createGitWorkspace, type GitWorkspace} from '#infra/local/git-workspace.ts'
import {runCli} from './run-cli.ts'

const sampleFleet = join(import.meta.dirname, '..', '..', 'infra', 'local', 'sample-fleet')
let folder: string
let fleet: GitWorkspace
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drawbridge-render-cli-'))
  fleet = await createGitWorkspace(folder, sampleFleet)
  await fleet.push('The sample fleet')
})
after(() => rm(folder, {recursive: true, force: true}))

test('prints the same bytes twice, from a clone and from the bare repository', async () => {
  const runs = await Promise.all(
    [fleet.clone, fleet.clone, fleet.bare].map((repo) => runCli(['render', '--repo', repo, '--cluster', 'prod'])),
  )
  for (const run of runs) assert.equal(run.status, 0, run.stderr)
  assert.equal(new Set(runs.map(({stdout}) => stdout)).size, 1)
  const kinds = parseAllDocuments(runs[0]?.stdout ?? '').map(
    (document) => `${document.get('kind')} ${document.getIn(['metadata', 'namespace'])}`,
  )
  for (const expected of ['Deployment guestbook', 'Deployment shop', 'Deployment cache', 'ConfigMap cache'])
    assert.ok(kinds.includes(expected), `${expected} in ${kinds.join(', ')}`)
})

test('renders one app with the values of its cluster', async () => {
  const {stdout} = await runCli(['render', '--repo', fleet.clone, '--cluster', 'dev', '--app', 'cache', '-o', 'json'])
  const objects = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual(objects.map(({kind}) => kind).sort(), ['ConfigMap', 'Deployment'])
  assert.equal(objects.find(({kind}) => kind === 'ConfigMap').data.maxmemory, '32mb')
})

test('goes by what is committed, at the ref that is named', async () => {
  const first = (await fleet.git('rev-parse', 'HEAD')).trim()
  await fleet.write('charts/cache/values-dev.yaml', 'maxMemory: 48mb\n')
  const before = await runCli(['render', '--repo', fleet.clone, '--cluster', 'dev', '--app', 'cache'])
  await fleet.push('More memory')
  const after = await runCli(['render', '--repo', fleet.clone, '--cluster', 'dev', '--app', 'cache'])
  const back = await runCli(['render', '--repo', fleet.clone, '--ref', first, '--cluster', 'dev', '--app', 'cache'])
  assert.match(before.stdout, /32mb/)
  assert.match(after.stdout, /48mb/)
  assert.equal(back.stdout, before.stdout)
})

test('an unknown cluster, app, ref or folder gets one clear line and no output', async () => {
  for (const [args, reason] of [
    [['--repo', fleet.clone, '--cluster', 'prd'], /known are dev, prod/],
    [['--repo', fleet.clone, '--cluster', 'dev', '--app', 'cach'], /known are .*cache/],
    [['--repo', fleet.clone, '--cluster', 'dev', '--ref', 'nope'], /there is no nope/],
    [['--repo', join(folder, 'absent'), '--cluster', 'dev'], /absent/],
  ] as const) {
    const {status, stdout, stderr} = await runCli(['render', ...args])
    assert.notEqual(status, 0)
    assert.equal(stdout, '')
    assert.match(stderr, reason)
    assert.equal(stderr.trim().split('\n').length, 1, stderr)
  }
})

test("prints text that Kubernetes' YAML would take for something else in quotes", async () => {
  const words = ['yes', 'off', 'y', '0o17', '0123', '1_000', '1:30', '2024-01-01', '~', '1e3']
  const lines = words.map((word, index) => `  w${index}: "${word}"\n`).join('')
  await fleet.write('apps/words/a.yaml', `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: words}\ndata:\n${lines}`)
  const declaration = await readFile(join(fleet.clone, 'drawbridge.yaml'), 'utf8')
  const app = 'apiVersion: drawbridge.dev/v1alpha1\nkind: App\nmetadata: {name: words}\n'
  await fleet.write(
    'drawbridge.yaml',
    `${declaration}\n---\n${app}spec: {clusters: [dev], source: {path: apps/words}}\n`,
  )
  await fleet.push('Words')
  const {stdout, stderr} = await runCli(['render', '--repo', fleet.clone, '--cluster', 'dev', '--app', 'words'])
  for (const word of words) assert.ok(stdout.includes(`: "${word}"\n`), `${word} in quotes: ${stdout}${stderr}`)
})
