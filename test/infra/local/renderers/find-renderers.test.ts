import assert from 'node:assert/strict'
import {mkdir, readFile, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {type TestContext, test} from 'node:test'
import {placeOf} from '#infra/local/go/find-go-program.ts'
import {LocalStackError} from '#infra/local/local-stack-error.ts'
import {type FindRenderersOptions, findRenderers} from '#infra/local/renderers/find-renderers.ts'
import {rendererProgram} from '#infra/local/renderers/renderer-programs.ts'
import {limits} from '#shared/model/limits.ts'
import {createFakeGo, writeSources} from '../go/fake-go.ts'
import {wasm} from './wasm.ts'

async function place(t: TestContext, options: {withGo?: boolean} = {}) {
  const go = await createFakeGo(t, options)
  const sourceDir = join(go.dir, 'renderers')
  for (const name of ['kustomize', 'helm']) {
    await writeSources(join(sourceDir, name), {'main.go': 'package main', 'go.mod': 'replace x.dev/box => ../box\n'})
  }
  await writeSources(join(sourceDir, 'box'), {'host.go': 'package box'})
  const lines: string[] = []
  const {cacheDir, env} = go
  const find = (more: Partial<FindRenderersOptions> = {}) =>
    findRenderers({
      cacheDir,
      sourceDir,
      prebuiltDir: join(go.dir, 'none'),
      env,
      onProgress: (line) => lines.push(line),
      ...more,
    })
  return {...go, sourceDir, lines, find}
}

test('builds both for WebAssembly, once, and says which', async (t) => {
  const {find, builds, lines} = await place(t)
  const first = await find()
  assert.deepEqual(await find(), first)
  assert.deepEqual(await builds(), ['wasip1/wasm', 'wasip1/wasm'])
  assert.match(lines.find((line) => line.startsWith('building')) ?? '', /kustomize's renderer/)
  assert.match(lines.findLast((line) => line.startsWith('building')) ?? '', /helm's renderer/)
})

test('gives modules whose memory ends at the limit', async (t) => {
  const {find} = await place(t)
  for (const file of Object.values(await find())) {
    // The memory section of what the fake compiler made: one memory that has a maximum, of one page, and the maximum as LEB128.
    const [id, , ...memory] = (await readFile(file)).subarray(8)
    assert.deepEqual([id, ...memory.slice(0, 3)], [5, 1, 1, 1])
    const maxPages = memory.slice(3).reduceRight((value, byte) => value * 128 + (byte & 127), 0)
    assert.equal(maxPages * 65_536, limits.renderWasmMemoryBytes)
  }
})

test('builds again what changed and no more: one renderer, or both with what they share', async (t) => {
  const {find, builds, sourceDir} = await place(t)
  const first = await find()
  await writeSources(join(sourceDir, 'kustomize'), {'main.go': 'package main // changed'})
  const second = await find()
  assert.notEqual(second.kustomize, first.kustomize)
  assert.equal(second.helm, first.helm)
  await writeSources(join(sourceDir, 'box'), {'host.go': 'package box // changed'})
  const third = await find()
  assert.notEqual(third.kustomize, second.kustomize)
  assert.notEqual(third.helm, second.helm)
  assert.equal((await builds()).length, 5)
})

test('needs no Go with the modules of the package', async (t) => {
  const {find, dir, sourceDir} = await place(t, {withGo: false})
  const prebuiltDir = join(dir, 'dist')
  const files = {kustomize: '', helm: ''}
  for (const name of ['kustomize', 'helm'] as const) {
    files[name] = join(prebuiltDir, await placeOf(rendererProgram(name, sourceDir)))
    await writeSources(dirname(files[name]), {[`${name}.wasm`]: '\0asm'})
  }
  assert.deepEqual(await find({prebuiltDir}), files)
})

test('prefers the folder that DRAWBRIDGE_RENDERERS names', async (t) => {
  const {find, dir, env, builds} = await place(t)
  const folder = join(dir, 'mine')
  await writeSources(folder, {'kustomize.wasm': '\0asm', 'helm.wasm': '\0asm'})
  assert.deepEqual(await find({env: {...env, DRAWBRIDGE_RENDERERS: folder}}), {
    kustomize: join(folder, 'kustomize.wasm'),
    helm: join(folder, 'helm.wasm'),
  })
  assert.deepEqual(await builds(), [])
})

const wrong: [string, (folder: string) => Promise<unknown>][] = [
  ['is not there', async () => undefined],
  ['lacks one of them', (folder) => writeSources(folder, {'kustomize.wasm': '\0asm'})],
  ['holds something else', (folder) => writeSources(folder, {'kustomize.wasm': '\0asm', 'helm.wasm': '#!/bin/sh\n'})],
  ['holds an empty file', (folder) => writeSources(folder, {'kustomize.wasm': '\0asm', 'helm.wasm': ''})],
  [
    'holds a folder',
    async (folder) => {
      await mkdir(join(folder, 'helm.wasm'), {recursive: true})
      await writeFile(join(folder, 'kustomize.wasm'), '\0asm')
    },
  ],
]
for (const [title, make] of wrong) {
  test(`refuses a DRAWBRIDGE_RENDERERS that ${title}`, async (t) => {
    const {find, dir, env} = await place(t)
    const folder = join(dir, 'mine')
    await make(folder)
    await assert.rejects(find({env: {...env, DRAWBRIDGE_RENDERERS: folder}}), {
      code: 'NO_RENDERERS',
      message:
        /DRAWBRIDGE_RENDERERS names .*\/mine, which holds no WebAssembly module (kustomize|helm)\.wasm: correct or unset it/,
    })
  })
}

test('lists the choices when there is neither a module nor a Go', async (t) => {
  const {find} = await place(t, {withGo: false})
  await assert.rejects(find(), (error: unknown) => {
    assert.ok(error instanceof LocalStackError)
    assert.equal(error.code, 'NO_RENDERERS')
    assert.match(error.message, /^kustomize's renderer is not built yet/)
    assert.match(error.message, /install Go/)
    assert.match(error.message, /DRAWBRIDGE_RENDERERS/)
    return true
  })
})

test('the real modules state the limit, and import nothing but WASI and the box', async () => {
  const modules = await findRenderers({env: process.env, onProgress: () => undefined})
  for (const [name, file] of Object.entries(modules)) {
    const module = new wasm.Module(await readFile(file))
    const imports = new Set(wasm.Module.imports(module).map((entry) => entry.module))
    assert.deepEqual([...imports].sort(), ['box', 'wasi_snapshot_preview1'], name)
    const exports = wasm.Module.exports(module).map((entry) => entry.name)
    assert.deepEqual(exports.sort(), ['_initialize', 'memory', 'render'], name)
  }
})
