import assert from 'node:assert/strict'
import {execFile} from 'node:child_process'
import {cp, mkdtemp, readdir, readFile, rm, symlink} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {after, before, test} from 'node:test'
import {pathToFileURL} from 'node:url'
import {promisify} from 'node:util'
import {BuildError, type Bundle, buildBundles} from '#infra/build-bundles.ts'
import {FUNCTION_NAMES} from '#shared/model/access.ts'

const root = join(import.meta.dirname, '..', '..')
const only = FUNCTION_NAMES.map((name) => `functions/${name}`)
let folder: string
let copy: string
let bundles: Bundle[]

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drawbridge-build-'))
  // A copy, so that nobody edits the sources between two builds.
  copy = join(folder, 'sources')
  for (const name of ['functions', 'shared', 'package.json', 'tsconfig.json']) {
    await cp(join(root, name), join(copy, name), {recursive: true})
  }
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'))
  bundles = await buildBundles({root: copy, outDir: join(folder, 'one'), only})
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
  await buildBundles({root: copy, outDir: join(folder, 'two'), only})
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
  await assert.rejects(buildBundles({root: folder, outDir, only}), (error) => {
    assert.ok(error instanceof BuildError)
    assert.equal(error.code, 'ENTRY_ABSENT')
    assert.match(error.message, /functions\/webhook\/handler\.ts/)
    return true
  })
  await assert.rejects(readdir(outDir), {code: 'ENOENT'})
})
