// What `npm pack` puts into the package, installed as npm would, but for the download of its dependencies.
import assert from 'node:assert/strict'
import {execFile} from 'node:child_process'
import {cp, mkdtemp, readdir, readFile, rm, symlink, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import {after, before, test} from 'node:test'
import {promisify} from 'node:util'
import {buildBundles} from '#infra/build-bundles.ts'
import {findRenderers} from '#infra/local/renderers/find-renderers.ts'
import {packRenderers} from '#infra/local/renderers/pack-renderers.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..', '..')
let folder: string
let installed: string
let files: string[]

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drawbridge-package-'))
  // A copy, so that nobody edits or builds the same files meanwhile.
  const copy = join(folder, 'clone')
  const skipped = ['.git', 'node_modules', 'dist', 'cdk.out', '.drawbridge']
  for (const name of await readdir(root)) {
    if (!skipped.includes(name)) await cp(join(root, name), join(copy, name), {recursive: true})
  }
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'))
  await buildBundles({root: copy, outDir: join(copy, 'dist'), only: ['cli', 'agent']})
  const modules = await findRenderers({env: process.env, onProgress: () => undefined})
  await packRenderers(modules, join(copy, 'dist', 'renderers'))
  const {stdout} = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {cwd: copy, timeout: 60_000})
  const [packed]: {files: {path: string}[]}[] = JSON.parse(stdout)
  files = (packed?.files ?? []).map(({path}) => path)
  installed = join(folder, 'node_modules', 'drawbridge-gitops')
  for (const file of files) await cp(join(copy, file), join(installed, file))
  for (const name of await readdir(join(root, 'node_modules'))) {
    if (!name.startsWith('.') && name !== 'node')
      await symlink(join(root, 'node_modules', name), join(dirname(installed), name))
  }
  await rm(copy, {recursive: true})
})
after(() => rm(folder, {recursive: true, force: true}))

test('holds what runs and what is built of it, and neither tests nor sources that Node would refuse there', () => {
  const needed = [
    'LICENSE',
    'cli/drawbridge.js',
    'dist/agent/main.mjs',
    'dist/cli/main.js',
    'dist/cli/worker.mjs',
    'functions/render/renderers/box/host.go',
    'functions/render/renderers/helm/go.sum',
    'infra/agent/chart/Chart.yaml',
    'infra/local/controlplane/main.go',
    'infra/local/controlplane/stages.yaml',
    'infra/local/end-with-parent.js',
    'infra/local/hook/send-webhook.js',
    'infra/local/sample-fleet/drawbridge.yaml',
  ]
  assert.deepEqual(
    needed.filter((file) => !files.includes(file)),
    [],
  )
  assert.deepEqual(
    files.filter((file) => /^test\/|\.ts$|\.map$/.test(file)),
    [],
  )
})

test('an installed package runs, and finds the files beside its sources', async () => {
  const launcher = join(installed, 'cli', 'drawbridge.js')
  const drawbridge = (...args: string[]) => run(process.execPath, [launcher, ...args], {cwd: folder, timeout: 60_000})
  const {version} = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  assert.equal((await drawbridge('--version')).stdout, `${version}\n`)
  assert.match((await drawbridge('demo', '--help')).stdout, /demo/)
})

test('an installed package renders without a Go, in its own threads and with its own renderers', async () => {
  const fleet = join(folder, 'fleet')
  await cp(join(installed, 'infra', 'local', 'sample-fleet'), fleet, {recursive: true})
  const git = (...args: string[]) =>
    run('git', ['-c', 'user.name=Reader', '-c', 'user.email=reader@example.org', ...args], {cwd: fleet})
  await git('init', '--quiet', '--initial-branch=main')
  await git('add', '--all')
  await git('commit', '--quiet', '--message=first')
  const env = {PATH: folder, HOME: folder}
  const args = [join(installed, 'cli', 'drawbridge.js'), 'render', '--repo', fleet, '--cluster', 'prod']
  const {stdout, stderr} = await run(process.execPath, args, {cwd: folder, env, timeout: 120_000})
  assert.doesNotMatch(stderr, /Go/)
  // Of the app in plain YAML, the kustomization and the chart.
  for (const part of ['the drawbridge is down', 'namespace: shop', 'maxmemory:']) assert.ok(stdout.includes(part), part)
})

test('a package without a Node that can run it says what to install', async () => {
  // What an older Node tells the launcher of itself.
  const older = join(folder, 'older.mjs')
  await writeFile(
    older,
    `Object.defineProperty(process.versions, 'node', {value: '20.1.0'})\nObject.defineProperty(process, 'version', {value: 'v20.1.0'})\n`,
  )
  const launched = run(process.execPath, ['--import', older, join(installed, 'cli', 'drawbridge.js'), '--version'])
  await assert.rejects(launched, {
    code: 2,
    stderr: 'drawbridge: needs Node 24 or newer, and this is v20.1.0. Install Node 24, and try again.\n',
  })
})
