import assert from 'node:assert/strict'
import {chmod, readdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {type TestContext, test} from 'node:test'
import {RenderError} from '#functions/render/render-error.ts'
import {type RendererProcess, runRenderer} from '#functions/render/run-renderer.ts'
import {startRenderBridge, temporaryFolder} from './bridge-fixture.ts'
import {app, cluster, configMap} from './fleet-files.ts'

/** Runs a shell script as if it were a renderer. */
async function runScript(t: TestContext, script: string, limits: Partial<RendererProcess> = {}) {
  const home = await temporaryFolder(t)
  const program = join(home, 'renderer')
  await writeFile(program, `#!/bin/sh\n${script}\n`)
  await chmod(program, 0o755)
  return runRenderer({program, args: ['one', '$(two)'], home, ...limits})
}

function isRenderError(code: string): (error: unknown) => boolean {
  return (error) => error instanceof RenderError && error.code === code
}

test('a renderer sees no environment of ours and no working folder but its own', async (t) => {
  process.env.DRAWBRIDGE_TEST_CREDENTIAL = 'hunter2'
  t.after(() => delete process.env.DRAWBRIDGE_TEST_CREDENTIAL)
  const result = await runScript(t, 'set; /bin/pwd; echo "$1 $2"')
  assert.ok(result.ok)
  assert.ok(!result.output.includes('hunter2'))
  assert.ok(!/AWS_|NODE_|npm_/.test(result.output))
  assert.match(result.output, /^HTTPS_PROXY='http:\/\/127\.0\.0\.1:9'$/m)
  assert.match(result.output, /^PATH='\/nonexistent'$/m)
  assert.match(result.output, /^one \$\(two\)$/m)
})

test('charts and kustomizations cannot read the environment either', async (t) => {
  process.env.DRAWBRIDGE_TEST_CREDENTIAL = 'hunter2'
  t.after(() => delete process.env.DRAWBRIDGE_TEST_CREDENTIAL)
  const {bridge, repository} = await startRenderBridge(t)
  await repository.push({
    'drawbridge.yaml':
      cluster('dev') +
      app('chart', '{source: {path: chart}, clusters: [dev]}') +
      app('kust', '{source: {path: kust}, clusters: [dev]}'),
    'chart/Chart.yaml': 'apiVersion: v2\nname: c\nversion: 0.1.0\n',
    'chart/templates/a.yaml': configMap('a', '{{ env "DRAWBRIDGE_TEST_CREDENTIAL" }}'),
    'kust/kustomization.yaml': 'configMapGenerator:\n- name: k\n  envs: [e.env]\n',
    'kust/e.env': 'DRAWBRIDGE_TEST_CREDENTIAL\nHOME\n',
  })
  const {requests, findings} = await bridge.push(repository.url)
  assert.match(findings.map(({message}) => message).join(), /function "env" not defined/)
  for (const {apps} of requests) {
    for (const each of apps) {
      if (each.outcome !== 'ready') continue
      assert.ok(!JSON.stringify(bridge.manifests(each.app.bundle)).includes('hunter2'))
    }
  }
})

test('a render that takes too long is stopped, with all that it started', async (t) => {
  const started = performance.now()
  const run = runScript(t, '/bin/sleep 60 & /bin/sleep 60', {timeoutSeconds: 1})
  await assert.rejects(run, isRenderError('RENDER_TIMEOUT'))
  // The pipe of a sleep that went on would keep the run open.
  assert.ok(performance.now() - started < 20_000)
})

test('a render that writes too much is stopped', async (t) => {
  const run = runScript(t, 'while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done', {maxOutputBytes: 100_000})
  await assert.rejects(run, isRenderError('RENDER_OUTPUT_TOO_LARGE'))
})

test('a renderer runs under limits of memory, processor time and files', {
  skip: process.platform !== 'linux',
}, async (t) => {
  const result = await runScript(t, 'ulimit -v; ulimit -t; ulimit -c; ulimit -f', {timeoutSeconds: 7})
  assert.ok(result.ok)
  assert.deepEqual(result.output.trim().split('\n'), ['4194304', '14', '0', '20480'])
})

test("a failure is told in the renderer's own words, cut where they are too many", async (t) => {
  const result = await runScript(t, 'echo "Error: no" >&2; exit 3')
  assert.deepEqual(result, {ok: false, words: 'Error: no'})
  assert.deepEqual(await runScript(t, 'exit 3'), {ok: false, words: 'it ended with exit code 3 and said nothing'})
  const long = await runScript(
    t,
    'i=0; while [ $i -lt 3000 ]; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx >&2; i=$((i+1)); done; exit 1',
  )
  assert.ok(!long.ok && long.words.length <= 64 * 1024)
})

test('a renderer that is not there', async (t) => {
  const home = await temporaryFolder(t)
  const run = runRenderer({program: join(home, 'none'), args: [], home})
  const result = await run.catch((error: unknown) => error)
  assert.ok(
    result instanceof RenderError ||
      (typeof result === 'object' && result !== null && 'ok' in result && result.ok === false),
  )
})

test('files of a repository are never taken for settings or plugins of a renderer', async (t) => {
  const {bridge, repository, folder} = await startRenderBridge(t)
  const evil = join(folder, 'evil')
  const plugin = `apiVersion: v1\nname: evil\ntype: postrenderer/v1\nversion: 0.1.0\nruntime: subprocess\nruntimeConfig:\n  platformCommand:\n  - command: /bin/touch\n    args: [${evil}]\n`
  await repository.push({
    'drawbridge.yaml':
      cluster('dev') +
      app('root', '{source: {path: .}, clusters: [dev], helm: {releaseName: "--post-renderer=evil"}}') +
      app('fine', '{source: {path: .}, clusters: [dev]}'),
    'Chart.yaml': 'apiVersion: v2\nname: c\nversion: 0.1.0\n',
    '.local/share/helm/plugins/evil/plugin.yaml': plugin,
    '.kube/kuberc': 'not: {valid',
    'templates/a.yaml': configMap('{{ .Release.Name }}'),
  })
  const {findings, requests} = await bridge.push(repository.url)
  assert.deepEqual(
    findings.map(({app: name, code}) => `${name} ${code}`),
    ['root RENDER_FAILED'],
  )
  assert.equal(requests[0]?.apps.filter(({outcome}) => outcome === 'ready').length, 1)
  assert.ok(!(await readdir(folder)).includes('evil'))
})

test('a value file whose name would name another to helm is only itself', async (t) => {
  const {bridge, repository, folder} = await startRenderBridge(t)
  const outside = join(folder, 'outside.yaml')
  await writeFile(outside, 'word: stolen\n')
  const name = `a,${outside}`
  await repository.push({
    'drawbridge.yaml':
      cluster('dev') + app('shop', `{source: {path: app}, clusters: [dev], helm: {valueFiles: ["${name}"]}}`),
    'app/Chart.yaml': 'apiVersion: v2\nname: c\nversion: 0.1.0\n',
    'app/templates/a.yaml': configMap('a', '{{ .Values.word }}'),
    [`app/${name}`]: 'word: mine\n',
  })
  const {requests, findings} = await bridge.push(repository.url)
  assert.deepEqual(findings, [])
  const [entry] = requests[0]?.apps ?? []
  assert.ok(entry?.outcome === 'ready')
  assert.deepEqual(bridge.manifests(entry.app.bundle)[0]?.data, {value: 'mine'})
})

test('nothing is left in the work folder, whether a render succeeds or fails', async (t) => {
  const {bridge, repository} = await startRenderBridge(t)
  await repository.push({
    'drawbridge.yaml':
      cluster('dev') +
      app('good', '{source: {path: good}, clusters: [dev]}') +
      app('bad', '{source: {path: bad}, clusters: [dev]}'),
    'good/kustomization.yaml': 'resources: [a.yaml]\n',
    'good/a.yaml': configMap('a'),
    'bad/kustomization.yaml': 'nonsense: 1\n',
  })
  assert.equal((await bridge.push(repository.url)).findings.length, 1)
  assert.deepEqual(await readdir(bridge.config.workDir), [])
})
