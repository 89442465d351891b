import assert from 'node:assert/strict'
import {mkdir, mkdtemp, readdir, rm, symlink, writeFile} from 'node:fs/promises'
import {homedir, tmpdir} from 'node:os'
import {join} from 'node:path'
import {type TestContext, test} from 'node:test'
import {RendererToolsError} from '#functions/render/renderer-tools.ts'
import {findRendererTools} from '#infra/local/find-renderer-tools.ts'

const isLayerPlatform = process.platform === 'linux' && process.arch === 'x64'

async function temporary(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'drawbridge-tools-'))
  t.after(() => rm(folder, {recursive: true, force: true}))
  return folder
}

test("unpacks the layer's kubectl and helm once, also for two at a time", {skip: !isLayerPlatform}, async (t) => {
  const cacheDir = await temporary(t)
  const [one, two] = await Promise.all([findRendererTools({env: {}, cacheDir}), findRendererTools({env: {}, cacheDir})])
  assert.deepEqual(one, two)
  assert.match(one.versions.kustomize, /^v5\./)
  assert.match(one.versions.helm, /^v4\./)
  const names = await readdir(cacheDir)
  assert.equal(names.length, 1, names.join())
  assert.deepEqual(await findRendererTools({env: {}, cacheDir}), one)
})

test('takes the programs that the environment names', async (t) => {
  const cacheDir = await temporary(t)
  const found = await findRendererTools({env: process.env, cacheDir: join(homedir(), '.cache', 'drawbridge')})
  const folder = join(cacheDir, 'bin')
  await mkdir(folder)
  const env = {KUBECTL_PATH: join(folder, 'kubectl'), HELM_PATH: join(folder, 'helm')}
  await symlink(found.kubectl, env.KUBECTL_PATH)
  await symlink(found.helm, env.HELM_PATH)
  assert.deepEqual(await findRendererTools({env, cacheDir}), {...found, kubectl: env.KUBECTL_PATH, helm: env.HELM_PATH})
})

test('says which program does not answer as it should', async (t) => {
  const cacheDir = await temporary(t)
  const broken = join(cacheDir, 'helm')
  await writeFile(broken, '#!/bin/sh\necho nonsense\n', {mode: 0o755})
  const find = findRendererTools({env: {KUBECTL_PATH: join(cacheDir, 'none'), HELM_PATH: broken}, cacheDir})
  await assert.rejects(
    find,
    (error) => error instanceof RendererToolsError && error.code === 'TOOL_BROKEN' && error.message.includes(cacheDir),
  )
})
