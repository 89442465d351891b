import assert from 'node:assert/strict'
import {execFile} from 'node:child_process'
import {cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {dirname, join, relative} from 'node:path'
import {after, before, test} from 'node:test'
import {pathToFileURL} from 'node:url'
import {promisify} from 'node:util'
import {type Bundle, buildBundles} from '#infra/build-bundles.ts'
import {BuildError} from '#infra/build-error.ts'
import {bundleSource} from '#infra/bundle-source.ts'
import {FUNCTION_NAMES} from '#shared/model/access.ts'

const root = join(import.meta.dirname, '..', '..')
const only = FUNCTION_NAMES.map((name) => `functions/${name}`)
let folder: string
let copy: string
let bundles: Bundle[]
// Stand-ins: what is in them is of no interest here.
const modules = () => ({kustomize: join(folder, 'kustomize.wasm'), helm: join(folder, 'helm.wasm')})
const renderers = async () => modules()

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drawbridge-build-'))
  // A copy, so that nobody edits the sources between two builds.
  copy = join(folder, 'sources')
  for (const name of ['functions', 'shared', 'package.json', 'tsconfig.json']) {
    await cp(join(root, name), join(copy, name), {recursive: true})
  }
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'))
  for (const [name, file] of Object.entries(modules())) await writeFile(file, name)
  bundles = await buildBundles({root: copy, outDir: join(folder, 'one'), only, renderers})
})
after(() => rm(folder, {recursive: true, force: true}))

test('builds each function into one file with the handler that Lambda calls', async () => {
  assert.deepEqual(
    bundles.map(({name}) => name),
    only,
  )
  for (const {file, name} of bundles) {
    const module: Record<string, unknown> = await import(pathToFileURL(file).href)
    assert.equal(typeof module.handler, 'function', name)
  }
})

test('leaves nothing to be found in node_modules', async () => {
  for (const {file, name} of bundles) {
    const imports = [...(await readFile(file, 'utf8')).matchAll(/\bfrom\s*["']([^"']+)["']/g)].map(([, from]) => from)
    assert.deepEqual(
      imports.filter((from) => from?.startsWith('@aws-sdk/')),
      [],
      name,
    )
  }
})

test('makes the same bytes again', async () => {
  await buildBundles({root: copy, outDir: join(folder, 'two'), only, renderers})
  const files = await readdir(join(folder, 'one'), {recursive: true, withFileTypes: true})
  const names = files.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  assert.ok(names.length >= only.length * 2)
  for (const name of names) {
    const again = name.replace(join(folder, 'one'), join(folder, 'two'))
    assert.ok((await readFile(name)).equals(await readFile(again)), name)
  }
})

test('builds a command line that finds the files beside its sources', async () => {
  await buildBundles({root, outDir: join(root, 'dist'), only: ['cli']})
  const {stdout} = await promisify(execFile)(process.execPath, [join(root, 'dist', 'cli', 'main.js'), '--version'], {
    timeout: 60_000,
  })
  const {version} = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  assert.equal(stdout.trim(), version)
})

test('names the entry that is not there, and writes nothing', async () => {
  const outDir = join(folder, 'three')
  await assert.rejects(buildBundles({root: folder, outDir, only, renderers}), (error) => {
    assert.ok(error instanceof BuildError)
    assert.equal(error.code, 'ENTRY_ABSENT')
    assert.match(error.message, /functions\/webhook\/handler\.ts/)
    return true
  })
  await assert.rejects(readdir(outDir), {code: 'ENOENT'})
})

test('puts the renderers beside the render function, and beside no other', async () => {
  for (const {name, file, beside} of bundles) {
    const renderersFolder = join(dirname(file), 'renderers')
    const modulesThere = beside.filter((each) => each.file.startsWith(renderersFolder))
    const expected = name === 'functions/render' ? ['kustomize', 'helm'] : []
    assert.deepEqual(
      modulesThere.map((each) => [each.file, each.bytes]),
      expected.map((module) => [join(renderersFolder, `${module}.wasm`), module.length]),
    )
    for (const module of expected) assert.equal(await readFile(join(renderersFolder, `${module}.wasm`), 'utf8'), module)
  }
})

test('asks for no renderers where nothing renders', async () => {
  const unasked = async () => assert.fail('it asked')
  await buildBundles({root: copy, outDir: join(folder, 'four'), only: ['functions/webhook'], renderers: unasked})
})

test('refuses a function that Lambda would refuse for its size', async () => {
  const large = join(folder, 'large.wasm')
  await writeFile(large, '')
  await truncate(large, 251 * 1024 * 1024)
  const built = buildBundles({
    root: copy,
    outDir: join(folder, 'five'),
    only: ['functions/render'],
    renderers: async () => ({...modules(), helm: large}),
  })
  await assert.rejects(built, {code: 'TOO_LARGE', message: /render has 25\d MiB, and Lambda takes at most 250/})
})

for (const [external, extension] of [
  ['none', 'mjs'],
  ['all', 'js'],
] as const) {
  test(`a source that is started as a thread gets a bundle of its own, with ${external} left out`, async () => {
    const sources = join(folder, `threads-${external}`)
    await mkdir(join(sources, 'deep'), {recursive: true})
    const files = {
      'main.ts': `import {start} from './deep/start.ts'\nprocess.stdout.write(await start())\n`,
      'deep/start.ts': `import {once} from 'node:events'
import {Worker} from 'node:worker_threads'
export async function start(): Promise<string> {
  const [said]: string[] = await once(new Worker(new URL('first.ts', import.meta.url)), 'message')
  return said ?? ''
}\n`,
      'deep/first.ts': `import {once} from 'node:events'
import {parentPort, Worker} from 'node:worker_threads'
const [said] = await once(new Worker(new URL('./second.ts', import.meta.url)), 'message')
parentPort?.postMessage(said)\n`,
      'deep/second.ts': `import {parentPort} from 'node:worker_threads'\nparentPort?.postMessage('told by a thread' as string)\n`,
    }
    for (const [name, content] of Object.entries(files)) await writeFile(join(sources, name), content)
    const outfile = join(sources, 'out', `main.${extension}`)
    const threads = await bundleSource({root, source: join(sources, 'main.ts'), outfile, external})
    assert.deepEqual(
      threads.map((file) => relative(dirname(outfile), file)),
      ['first.mjs', 'second.mjs'],
    )
    await rm(join(sources, 'deep'), {recursive: true})
    if (extension === 'js') await writeFile(join(sources, 'package.json'), '{"type": "module"}')
    const {stdout} = await promisify(execFile)(process.execPath, [outfile], {timeout: 60_000})
    assert.equal(stdout, 'told by a thread')
  })
}
