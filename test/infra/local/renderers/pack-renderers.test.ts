import assert from 'node:assert/strict'
import {mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {test} from 'node:test'
import {findRenderers} from '#infra/local/renderers/find-renderers.ts'
import {packRenderers} from '#infra/local/renderers/pack-renderers.ts'

test('what is packed is found again, without a Go and a cache, and can be packed again in its place', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'drawbridge-pack-'))
  t.after(() => rm(folder, {recursive: true}))
  const modules = {kustomize: join(folder, 'kustomize'), helm: join(folder, 'helm')}
  for (const [name, file] of Object.entries(modules)) await writeFile(file, name)
  const prebuiltDir = join(folder, 'packed')
  await packRenderers(modules, prebuiltDir)
  const find = () =>
    findRenderers({env: {PATH: ''}, onProgress: assert.fail, cacheDir: join(folder, 'cache'), prebuiltDir})
  const found = await find()
  assert.equal(await readFile(found.kustomize, 'utf8'), 'kustomize')
  assert.equal(await readFile(found.helm, 'utf8'), 'helm')
  await packRenderers(found, prebuiltDir)
  assert.deepEqual(await find(), found)
  assert.equal((await readdir(prebuiltDir)).length, 2)
})
