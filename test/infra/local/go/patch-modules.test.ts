import assert from 'node:assert/strict'
import {chmod, readdir, readFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {type TestContext, test} from 'node:test'
import {findGoProgram} from '#infra/local/go/find-go-program.ts'
import type {GoProgram} from '#infra/local/go/go-program.ts'
import {LocalStackError} from '#infra/local/local-stack-error.ts'
import {createFakeGo, writeSources} from './fake-go.ts'

const patch = (from: string) =>
  `- module: other\n  file: names.go\n  edits:\n  - from: |\n      ${from}\n    to: |\n      fast()\n`

async function place(t: TestContext, patches: string) {
  const go = await createFakeGo(t)
  const module = join(go.dir, 'module')
  await writeSources(module, {
    'names.go': 'package other\nslow()\nslow()\nslow() // last\n',
    'names_test.go': 'package other',
  })
  await chmod(join(module, 'names.go'), 0o444)
  const program: GoProgram = {
    name: 'thing',
    title: 'the thing',
    sourceDir: join(go.dir, 'thing'),
    file: 'thing',
    flags: [],
    usualMinutes: 3,
    absentCode: 'NO_CONTROL_PLANE',
    choices: 'install Go',
  }
  await writeSources(program.sourceDir, {
    'main.go': 'package main',
    'go.mod': 'module thing\n',
    'patches.yaml': patches,
  })
  const shown = join(go.dir, 'shown')
  const env = {...go.env, FAKE_GO_MODULE: module, FAKE_GO_SHOWS: shown}
  const build = () => findGoProgram(program, {cacheDir: go.cacheDir, env, onProgress: () => undefined})
  return {build, module, shown, program}
}

test('what patches.yaml says is changed in a copy of the module, which is built', async (t) => {
  const {build, module, shown, program} = await place(t, patch('slow() // last'))
  const built = await build()
  assert.equal(
    await readFile(shown, 'utf8'),
    'module thing\nreplace other=../patched/other\npackage other\nslow()\nslow()\nfast()\n',
  )
  assert.equal(await readFile(join(module, 'names.go'), 'utf8'), 'package other\nslow()\nslow()\nslow() // last\n')
  assert.equal(await readFile(join(program.sourceDir, 'go.mod'), 'utf8'), 'module thing\n')
  assert.deepEqual(await readdir(dirname(built)), ['thing'], 'nothing of the work is left')
})

for (const [title, from] of [
  ['is not there', 'nothing of the kind'],
  ['is there twice', 'slow()'],
] as const) {
  test(`a build ends with one clear error where a text to change ${title}`, async (t) => {
    const {build} = await place(t, patch(from))
    await assert.rejects(build(), (error) => {
      assert.ok(error instanceof LocalStackError)
      assert.equal(error.code, 'BUILD_FAILED')
      assert.match(error.message, /^patches.yaml: the text of edit 1 of names.go in module other does not stand there/)
      return true
    })
  })
}
