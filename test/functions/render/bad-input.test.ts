import assert from 'node:assert/strict'
import {mkdir, symlink, truncate, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {type TestContext, test} from 'node:test'
import type {Finding} from '#shared/model/outcome.ts'
import {startRenderBridge, type TestRepository} from './bridge-fixture.ts'
import {app, cluster, configMap, oneApp} from './fleet-files.ts'

/** Pushes files over a good app and tells what was found; asserts that nothing was published of it. */
async function pushBad(
  t: TestContext,
  files: Record<string, string | Uint8Array>,
  prepare?: (repository: TestRepository) => Promise<unknown>,
): Promise<Finding> {
  const {bridge, repository} = await startRenderBridge(t)
  await prepare?.(repository)
  await repository.push({'drawbridge.yaml': oneApp, ...files})
  const {requests, findings, again, outcomes} = await bridge.push(repository.url)
  assert.deepEqual(requests, [], 'nothing is published')
  assert.equal(again, false)
  assert.equal(outcomes.length, 1)
  assert.equal(findings.length, 1, JSON.stringify(findings))
  const [finding] = findings
  assert.ok(finding)
  assert.ok(!finding.message.includes(bridge.folder), `no path of this machine: ${finding.message}`)
  return finding
}

function assertFinding(finding: Finding, expected: Partial<Finding>, message: RegExp): void {
  assert.match(finding.message, message)
  assert.deepEqual({...finding, ...expected}, finding)
}

const bomb = `${['a: &a [x, x, x, x, x, x, x, x, x]', ...'bcdefghi'.split('').map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[index]}`)}]`)].join('\n')}\n`

test('a repository without drawbridge.yaml, or with an empty one', async (t) => {
  const {bridge, repository} = await startRenderBridge(t)
  await repository.push({'readme.md': 'x'})
  assertFinding(
    (await bridge.push(repository.url)).findings[0] ?? never(),
    {code: 'CONFIG_MISSING'},
    /no drawbridge\.yaml at its root/,
  )
  await repository.push({'drawbridge.yaml': '# nothing\n---\n'})
  assertFinding((await bridge.push(repository.url)).findings[0] ?? never(), {code: 'CONFIG_INVALID'}, /declares no App/)
})

test('an unknown field is told with the nearest known name and its line', async (t) => {
  const text = `${cluster('dev')}apiVersion: drawbridge.dev/v1alpha1\nkind: App\nmetadata: {name: shop}\nspec:\n  clusters: [dev]\n  sync:\n    prnue: true\n`
  const finding = await pushBad(t, {'drawbridge.yaml': text})
  const line = text.split('\n').findIndex((each) => each.includes('prnue')) + 1
  assertFinding(
    finding,
    {file: 'drawbridge.yaml', line, code: 'CONFIG_INVALID'},
    /unknown field spec\.sync\.prnue.*did you mean prune\?/,
  )
})

test('duplicate objects in one app are told with both places', async (t) => {
  const finding = await pushBad(t, {
    'app/a.yaml': configMap('same'),
    'app/b.yaml': `${configMap('other')}---\n${configMap('same')}`,
  })
  const expected = {code: 'DUPLICATE_OBJECT', app: 'shop', cluster: 'dev', file: 'app/b.yaml', line: 6}
  assertFinding(finding, expected, /ConfigMap same is declared twice: in app\/a\.yaml:1 and in app\/b\.yaml:6/)
})

test('an object that names the namespace which another manifest of it leaves out is told with both places', async (t) => {
  const finding = await pushBad(t, {
    'app/a.yaml': configMap('same'),
    'app/b.yaml': configMap('same').replace('name: same', 'name: same, namespace: default'),
  })
  const expected = {code: 'DUPLICATE_OBJECT', app: 'shop', cluster: 'dev', file: 'app/b.yaml', line: 1}
  assertFinding(
    finding,
    expected,
    /ConfigMap default\/same .*is declared twice: in app\/a\.yaml:1 and in app\/b\.yaml:1/,
  )
})

test('an object without a kind, an apiVersion or a name', async (t) => {
  for (const [text, message] of [
    ['apiVersion: v1\nmetadata: {name: x}\n', /document 1 has no kind/],
    ['kind: ConfigMap\nmetadata: {name: x}\n', /has no apiVersion/],
    ['apiVersion: v1\nkind: ConfigMap\n', /has no metadata/],
    [`${configMap('ok')}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {}\n`, /document 2 .*no metadata\.name/],
    ['apiVersion: v1\nkind: Pod\nmetadata: {generateName: x-}\n', /generateName/],
    ['- not an object\n', /is not an object/],
  ] as const) {
    const finding = await pushBad(t, {'app/a.yaml': text})
    assertFinding(finding, {code: 'OBJECT_INVALID', app: 'shop', file: 'app/a.yaml'}, message)
  }
})

test('a symbolic link that leaves the repository', async (t) => {
  for (const target of ['/etc', '../../outside', '../../../../../../etc/passwd']) {
    const finding = await pushBad(t, {'app/a.yaml': configMap('a')}, async ({workTree}) => {
      await mkdir(join(workTree, 'app'), {recursive: true})
      await symlink(target, join(workTree, 'app/link'))
    })
    assertFinding(
      finding,
      {code: 'PATH_LEAVES_REPOSITORY', file: 'app/link'},
      /symbolic link that points out of the repository/,
    )
  }
})

test('symbolic links in a circle, and to nothing', async (t) => {
  const circle = await pushBad(t, {'app/a.yaml': configMap('a')}, async ({workTree}) => {
    await mkdir(join(workTree, 'app'), {recursive: true})
    await symlink('.', join(workTree, 'app/self'))
  })
  assertFinding(circle, {code: 'SYMLINK_LOOP'}, /leads back into itself/)
  const mutual = await pushBad(t, {}, async ({workTree}) => {
    await mkdir(join(workTree, 'app'), {recursive: true})
    await symlink('two.yaml', join(workTree, 'app/one.yaml'))
    await symlink('one.yaml', join(workTree, 'app/two.yaml'))
  })
  assertFinding(mutual, {code: 'SYMLINK_LOOP'}, /leads in a circle/)
  const dangling = await pushBad(t, {'app/a.yaml': configMap('a')}, async ({workTree}) => {
    await mkdir(join(workTree, 'app'), {recursive: true})
    await symlink('none.yaml', join(workTree, 'app/link.yaml'))
  })
  assertFinding(dangling, {code: 'PATH_NOT_FOUND'}, /points to nothing/)
})

test('paths that leave the repository, in every place that takes one', async (t) => {
  const chart = {'app/Chart.yaml': 'apiVersion: v2\nname: c\nversion: 0.1.0\n', 'app/templates/a.yaml': configMap('a')}
  const source = cluster('dev') + app('shop', '{source: {path: ../other}, clusters: [dev]}')
  assertFinding(
    await pushBad(t, {'drawbridge.yaml': source}),
    {code: 'PATH_LEAVES_REPOSITORY'},
    /"\.\.\/other" leaves the repository/,
  )
  const values =
    cluster('dev') + app('shop', '{source: {path: app}, clusters: [dev], helm: {valueFiles: [../../etc/passwd]}}')
  assertFinding(
    await pushBad(t, {...chart, 'drawbridge.yaml': values}),
    {code: 'PATH_LEAVES_REPOSITORY'},
    /etc\/passwd/,
  )
  const base = await pushBad(t, {'app/kustomization.yaml': '# one\nresources:\n- ../../../etc\n'})
  assertFinding(
    base,
    {code: 'PATH_LEAVES_REPOSITORY', file: 'app/kustomization.yaml', line: 3},
    /leaves the repository/,
  )
  const label =
    cluster('dev', '{where: ..}') + app('shop', '{source: {path: "app/${cluster.labels.where}"}, clusters: [dev]}')
  assertFinding(await pushBad(t, {'drawbridge.yaml': label}), {code: 'PATH_LEAVES_REPOSITORY'}, /is "\.\."/)
})

test('a file of 200 MB is refused without being rendered', async (t) => {
  const finding = await pushBad(t, {}, async ({workTree}) => {
    await mkdir(join(workTree, 'app'), {recursive: true})
    await writeFile(join(workTree, 'app/big.yaml'), '')
    await truncate(join(workTree, 'app/big.yaml'), 200 * 1024 * 1024)
  })
  assertFinding(
    finding,
    {code: 'FILE_TOO_LARGE', file: 'app/big.yaml'},
    /it has 209715200 bytes; a render reads at most 10485760/,
  )
})

test('a YAML bomb, in manifests, drawbridge.yaml, a kustomization and helm values', async (t) => {
  const config = await pushBad(t, {'drawbridge.yaml': `${bomb}${oneApp}`})
  assertFinding(config, {code: 'CONFIG_INVALID', file: 'drawbridge.yaml'}, /at most 100 aliases/)
  assertFinding(
    await pushBad(t, {'app/a.yaml': bomb}),
    {code: 'YAML_INVALID', file: 'app/a.yaml'},
    /excessive aliasing/,
  )
  const kustomization = await pushBad(t, {'app/kustomization.yaml': bomb})
  assertFinding(kustomization, {code: 'YAML_INVALID', file: 'app/kustomization.yaml'}, /excessive aliasing/)
  const chart = {'app/Chart.yaml': 'apiVersion: v2\nname: c\nversion: 0.1.0\n', 'app/values.yaml': bomb}
  assertFinding(await pushBad(t, chart), {code: 'RENDER_FAILED'}, /excessive aliasing|aliases/)
})

test('nesting that would overflow a parser', async (t) => {
  const deep = `${'['.repeat(200_000)}`
  assertFinding(await pushBad(t, {'app/a.yaml': deep}), {code: 'YAML_INVALID', file: 'app/a.yaml'}, /nests too deeply/)
  assertFinding(
    await pushBad(t, {'drawbridge.yaml': deep}),
    {code: 'CONFIG_INVALID', file: 'drawbridge.yaml'},
    /nests too deeply/,
  )
})

test('an object that nests too deeply, as JSON and in helm values', async (t) => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
  const object = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":${deep}}`
  assertFinding(await pushBad(t, {'app/a.json': object}), {code: 'YAML_INVALID'}, /nests too deeply/)
  const items = `${'{"kind":"List","items":['.repeat(5_000)}${']}'.repeat(5_000)}`
  assertFinding(await pushBad(t, {'app/a.json': items}), {code: 'OBJECT_INVALID'}, /nest/)
  const nested = (levels: number) => `${'{a: '.repeat(levels)}1${'}'.repeat(levels)}`
  const values = cluster('dev') + app('shop', `{clusters: [dev], helm: {values: ${nested(3_000)}}}`)
  assertFinding(await pushBad(t, {'drawbridge.yaml': values}), {code: 'CONFIG_INVALID'}, /nests too deeply/)
})

test('broken YAML and JSON are told with file and line', async (t) => {
  const yaml = await pushBad(t, {'app/a.yaml': `${configMap('a')}broken: [1\n`})
  assertFinding(yaml, {code: 'YAML_INVALID', file: 'app/a.yaml', line: 5}, /^not valid YAML/)
  const twice = await pushBad(t, {'app/a.yaml': `${configMap('a')}kind: Pod\n`})
  assertFinding(twice, {code: 'YAML_INVALID', file: 'app/a.yaml', line: 5}, /key "kind" already set/)
  assertFinding(
    await pushBad(t, {'app/a.json': '{"kind": "x",'}),
    {code: 'YAML_INVALID', file: 'app/a.json'},
    /not JSON/,
  )
})

test("a chart that fails is told in helm's words with file and line", async (t) => {
  const chart = {
    'app/Chart.yaml': 'apiVersion: v2\nname: other\nversion: 0.1.0\n',
    'app/templates/a.yaml': `${configMap('a')}x: {{ required "a colour is needed" .Values.colour }}\n`,
  }
  const finding = await pushBad(t, chart)
  assertFinding(
    finding,
    {code: 'RENDER_FAILED', app: 'shop', file: 'app/templates/a.yaml', line: 5},
    /a colour is needed/,
  )
  const broken = await pushBad(t, {...chart, 'app/templates/a.yaml': 'a: {{ .Values.x \n'})
  assertFinding(broken, {code: 'RENDER_FAILED', file: 'app/templates/a.yaml', line: 2}, /unclosed action/)
  const dependency = await pushBad(t, {
    ...chart,
    'app/Chart.yaml': `${chart['app/Chart.yaml']}dependencies:\n- {name: redis, version: 1.0.0, repository: "https://charts.example.com"}\n`,
  })
  assertFinding(dependency, {code: 'RENDER_FAILED'}, /redis/)
})

test("a kustomization that fails is told in kustomize's words with its file", async (t) => {
  const kustomization = 'resources: [a.yaml]\npatches:\n- path: p.yaml\n'
  const patch = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: none}\n'
  const finding = await pushBad(t, {
    'app/kustomization.yaml': kustomization,
    'app/a.yaml': configMap('a'),
    'app/p.yaml': patch,
  })
  assertFinding(finding, {code: 'RENDER_FAILED', app: 'shop'}, /this patch is for ConfigMap none/)
  const field = await pushBad(t, {'app/kustomization.yaml': 'resource: [a.yaml]\n', 'app/a.yaml': configMap('a')})
  assertFinding(field, {code: 'RENDER_FAILED', file: 'app/kustomization.yaml'}, /unknown field "resource"/)
})

test('what would need the network is refused by name', async (t) => {
  for (const base of [
    'https://example.com/a.yaml',
    'github.com/o/r//deploy?ref=v1',
    'git@example.com:o/r.git',
    'ssh://user:hunter2@example.com/o/r',
  ]) {
    const finding = await pushBad(t, {'app/kustomization.yaml': `resources:\n- ${base}\n`})
    assertFinding(finding, {code: 'REMOTE_BASE', file: 'app/kustomization.yaml', line: 2}, /renders have no network/)
    assert.ok(!finding.message.includes('hunter2'))
  }
  const charts = await pushBad(t, {'app/kustomization.yaml': 'helmCharts:\n- {name: x, repo: "https://example.com"}\n'})
  assertFinding(charts, {code: 'PLUGIN_REFUSED', file: 'app/kustomization.yaml'}, /helmCharts/)
})

test('a kustomization that runs a program runs nothing', async (t) => {
  const generator =
    'apiVersion: example.com/v1\nkind: Evil\nmetadata:\n  name: x\n  annotations:\n    config.kubernetes.io/function: |\n      exec:\n        path: ./evil.sh\n'
  const finding = await pushBad(t, {
    'app/kustomization.yaml': 'generators: [g.yaml]\n',
    'app/g.yaml': generator,
    'app/evil.sh': '#!/bin/sh\necho ran > /tmp/drawbridge-evil\n',
  })
  assertFinding(finding, {code: 'PLUGIN_REFUSED'}, /plugin|function|exec|load/)
})

test('a submodule among the inputs', async (t) => {
  const finding = await pushBad(
    t,
    {'app/a.yaml': configMap('a'), '.gitmodules': '[submodule "x"]\n\tpath = app/x\n\turl = ../x\n'},
    async (repository) => {
      const {git} = await import('./bridge-fixture.ts')
      await repository.push({x: 'x'})
      const commit = await git(repository.workTree, 'rev-parse', 'HEAD')
      await git(repository.workTree, 'update-index', '--add', '--cacheinfo', `160000,${commit},app/x`)
      await git(repository.workTree, 'commit', '-q', '-m', 'submodule')
      await mkdir(join(repository.workTree, 'app/x'), {recursive: true})
      await git(join(repository.workTree, 'app/x'), 'init', '-q')
      await git(join(repository.workTree, 'app/x'), 'commit', '-q', '--allow-empty', '-m', 'x')
    },
  )
  assertFinding(finding, {code: 'SUBMODULE', file: 'app/x'}, /it is a git submodule/)
})

test('a path, label or ref that is not there', async (t) => {
  const path = cluster('dev') + app('shop', '{source: {path: nowhere}, clusters: [dev]}')
  assertFinding(
    await pushBad(t, {'drawbridge.yaml': path}),
    {code: 'PATH_NOT_FOUND', app: 'shop'},
    /there is no nowhere/,
  )
  const label =
    cluster('dev', '{region: eu}') + app('shop', '{source: {path: "${cluster.labels.zone}"}, clusters: [dev]}')
  assertFinding(
    await pushBad(t, {'drawbridge.yaml': label}),
    {code: 'UNDEFINED_VARIABLE'},
    /\$\{cluster\.labels\.zone\}.*cluster\.labels\.region/,
  )
  const ref = cluster('dev') + app('shop', '{source: {ref: vanished}, clusters: [dev]}')
  assertFinding(await pushBad(t, {'drawbridge.yaml': ref}), {code: 'SOURCE_UNREADABLE'}, /has no vanished/)
  const resource = await pushBad(t, {
    'app/kustomization.yaml': 'resources:\n- a.yaml\n- missing.yaml\n',
    'app/a.yaml': configMap('a'),
  })
  assertFinding(
    resource,
    {code: 'PATH_NOT_FOUND', file: 'app/kustomization.yaml', line: 3},
    /there is no app\/missing\.yaml/,
  )
})

test('a Secret in plain text, however it is made, and never its value', async (t) => {
  const secret = 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: hunter2}\n'
  const kustomization = 'secretGenerator:\n- name: s\n  literals: [password=hunter2]\n'
  const chart = {'app/Chart.yaml': 'apiVersion: v2\nname: c\nversion: 0.1.0\n', 'app/templates/a.yaml': secret}
  for (const files of [{'app/a.yaml': secret}, {'app/kustomization.yaml': kustomization}, chart]) {
    const finding = await pushBad(t, files)
    assertFinding(finding, {code: 'PLAINTEXT_SECRET', app: 'shop'}, /Secret s.* holds its data in plain text/)
    assert.ok(!finding.message.includes('hunter2'))
  }
})

test('an object that no cluster could store', async (t) => {
  const finding = await pushBad(t, {'app/a.yaml': configMap('huge', 'x'.repeat(1_600_000))})
  assertFinding(finding, {code: 'OBJECT_TOO_LARGE', file: 'app/a.yaml'}, /ConfigMap huge has 16\d{5} bytes/)
})

test('a local path as the source of an app in a repository that is elsewhere', async (t) => {
  const {openSources} = await import('#functions/render/open-sources.ts')
  const {parseConfig} = await import('#functions/render/parse-config.ts')
  const {bridge, repository} = await startRenderBridge(t)
  const commit = await repository.push({a: 'a'})
  const declaration = {repository: 'https://git.example.com/o/r', ref: 'refs/heads/main', commit}
  const [declared] = parseConfig(
    cluster('dev') + app('shop', `{source: {repository: ${repository.url}}, clusters: [dev]}`),
  ).config.apps
  assert.ok(declared)
  await assert.rejects(openSources(bridge.ports.git, declaration).open(declared), /only a local repository may name/)
})

function never(): never {
  throw new Error('there is no finding')
}

test('tells all files of a plain folder that are no YAML at once, up to five of them, the first as the place', async (t) => {
  const broken = (names: string[]) => Object.fromEntries(names.map((name) => [`app/${name}.yaml`, 'a: 1\nb: [\n']))
  const well = {'app/c.yaml': configMap('c')}
  const two = await pushBad(t, {...broken(['b', 'd']), ...well})
  assertFinding(
    two,
    {code: 'YAML_INVALID', file: 'app/b.yaml', line: 2},
    /^not valid YAML: [^;]+; also app\/d\.yaml:2: not valid YAML: [^;]+$/,
  )
  const seven = await pushBad(t, {...broken(['a', 'b', 'd', 'e', 'f', 'g', 'h']), ...well})
  assertFinding(seven, {code: 'YAML_INVALID', file: 'app/a.yaml'}, /; there are more$/)
  assert.deepEqual(seven.message.match(/app\/\w\.yaml/g), ['app/b.yaml', 'app/d.yaml', 'app/e.yaml', 'app/f.yaml'])
})
