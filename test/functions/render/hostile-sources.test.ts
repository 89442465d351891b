import assert from 'node:assert/strict'
import {execFile} from 'node:child_process'
import {mkdir, readdir, stat, symlink, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {type TestContext, test} from 'node:test'
import type {Finding} from '#shared/model/outcome.ts'
import {nameOfEntry} from '#shared/model/publish-request.ts'
import {git, startRenderBridge} from './bridge-fixture.ts'
import {app, cluster, configMap, oneApp} from './fleet-files.ts'

/** Writes a git object that git itself would not make. */
function writeObject(gitdir: string, type: 'blob' | 'tree', content: Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    const args = ['--git-dir', gitdir, 'hash-object', '-t', type, '-w', '--literally', '--stdin']
    const child = execFile('git', args, (error, stdout) => (error === null ? resolve(stdout.trim()) : reject(error)))
    child.stdin?.end(content)
  })
}

type Entry = readonly [mode: '40000' | '100644', name: string, oid: string]

function writeTree(gitdir: string, entries: readonly Entry[]): Promise<string> {
  const parts = entries.map(([mode, name, oid]) =>
    Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, 'hex')]),
  )
  return writeObject(gitdir, 'tree', Buffer.concat(parts))
}

/** Makes the head of main a commit of a tree whose chart folder holds one more entry. */
async function pushChartWith(gitdir: string, makeEntry: (file: string) => Promise<Entry>): Promise<void> {
  const blob = (text: string) => writeObject(gitdir, 'blob', Buffer.from(text))
  const templates = await writeTree(gitdir, [['100644', 'a.yaml', await blob(configMap('a'))]])
  const chart = await writeTree(gitdir, [
    await makeEntry(await blob('escaped')),
    ['100644', 'Chart.yaml', await blob('apiVersion: v2\nname: c\nversion: 0.1.0\n')],
    ['40000', 'templates', templates],
  ])
  const root = await writeTree(gitdir, [
    ['40000', 'app', chart],
    ['100644', 'drawbridge.yaml', await blob(oneApp)],
  ])
  await git(gitdir, 'update-ref', 'refs/heads/main', await git(gitdir, 'commit-tree', root, '-m', 'x'))
}

for (const [what, makeEntry] of [
  [
    'folders called ..',
    async (gitdir: string, file: string): Promise<Entry> => {
      let oid = await writeTree(gitdir, [['100644', 'escaped', file]])
      for (let up = 0; up < 4; up++) oid = await writeTree(gitdir, [['40000', '..', oid]])
      return ['40000', '..', oid]
    },
  ],
  [
    'a name with slashes in it',
    async (_: string, file: string): Promise<Entry> => ['100644', '../../../../escaped', file],
  ],
] as const) {
  test(`a tree with ${what} writes no file outside the render and is told as a finding`, async (t) => {
    const {bridge, repository, folder} = await startRenderBridge(t)
    await pushChartWith(repository.url, (file) => makeEntry(repository.url, file))
    const before = await readdir(folder)
    const {requests, findings, again} = await bridge.push(repository.url)
    assert.deepEqual(
      requests.flatMap(({apps}) => apps.map(({outcome}) => outcome)),
      [],
    )
    assert.equal(findings[0]?.code, 'PATH_LEAVES_REPOSITORY')
    assert.equal(again, false)
    const {folder: above} = bridge
    await assert.rejects(stat(join(above, 'escaped')), {code: 'ENOENT'})
    await assert.rejects(stat(join(above, '..', 'escaped')), {code: 'ENOENT'})
    assert.deepEqual(await readdir(join(folder, 'work')).catch(() => []), [])
    assert.deepEqual((await readdir(folder)).filter((name) => name !== 'work').sort(), before.sort())
  })
}

async function findingOf(t: TestContext, files: Record<string, string>): Promise<Finding> {
  const {bridge, repository} = await startRenderBridge(t)
  await repository.push({'drawbridge.yaml': oneApp, ...files})
  const {findings} = await bridge.push(repository.url)
  assert.equal(findings.length, 1, JSON.stringify(findings))
  const [finding] = findings
  assert.ok(finding)
  return finding
}

test('symbolic links that multiply folders end at a limit', async (t) => {
  const {bridge, repository} = await startRenderBridge(t)
  const depth = 12
  for (let level = 0; level < depth; level++) {
    const folder = join(repository.workTree, level === 0 ? 'app' : `d${level}`)
    await mkdir(folder, {recursive: true})
    for (let link = 0; link < 6; link++) await symlink(`../d${level + 1}`, join(folder, `l${link}`))
  }
  await mkdir(join(repository.workTree, `d${depth}`))
  await writeFile(join(repository.workTree, `d${depth}`, 'notes.txt'), 'x')
  await repository.push({'drawbridge.yaml': oneApp})
  const {findings} = await bridge.push(repository.url)
  assert.equal(findings[0]?.code, 'INPUT_TOO_LARGE')
})

test('a mapping of very many keys takes seconds, not hours', async (t) => {
  const keys = Array.from({length: 50_000}, (_, index) => `  key-${index}: v\n`)
  const {bridge, repository} = await startRenderBridge(t)
  await repository.push({
    'drawbridge.yaml': oneApp,
    'app/a.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n${keys.join('')}`,
  })
  const started = performance.now()
  const {requests, findings} = await bridge.push(repository.url)
  assert.deepEqual(findings, [])
  assert.equal(requests.length, 1)
  // A comparison of each key with each before it takes minutes.
  assert.ok(performance.now() - started < 60_000)
})

for (const [what, files] of [
  [
    'a literal of a secret generator without its key',
    {'app/kustomization.yaml': 'secretGenerator:\n- name: s\n  literals: [hunter2hunter2]\n'},
  ],
  [
    "a chart's value under a key called password",
    {
      'app/Chart.yaml': 'apiVersion: v2\nname: c\nversion: 0.1.0\n',
      'app/values.yaml': 'db: {adminPassword: hunter2hunter2}\n',
      'app/templates/a.yaml': '{{ fail (printf "too weak: %s" .Values.db.adminPassword) }}',
    },
  ],
  [
    'an inline value',
    {
      'drawbridge.yaml':
        cluster('dev') +
        app('shop', '{source: {path: app}, clusters: [dev], helm: {values: {apiToken: hunter2hunter2}}}'),
      'app/Chart.yaml': 'apiVersion: v2\nname: c\nversion: 0.1.0\n',
      'app/templates/a.yaml': '{{ mustToDate "2006" .Values.apiToken }}',
    },
  ],
] as const) {
  test(`${what} is not in the renderer's words`, async (t) => {
    const finding = await findingOf(t, files)
    assert.equal(finding.code, 'RENDER_FAILED')
    assert.match(finding.message, /\[hidden\]/)
    assert.ok(!finding.message.includes('hunter2'), finding.message)
  })
}

for (const value of ['*hunter2hunter2', '|hunter2hunter2', '>hunter2hunter2', '@hunter2hunter2']) {
  test(`a password that YAML takes for something else (${value[0]}) is not in the message`, async (t) => {
    const finding = await findingOf(t, {
      'app/a.yaml': `apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  password: ${value}\n`,
    })
    assert.equal(finding.code, 'YAML_INVALID')
    assert.ok(!finding.message.includes('hunter2'), finding.message)
  })
}

test("an env file gets nothing from the renderer's own surroundings that differs from render to render", async (t) => {
  const {bridge, repository} = await startRenderBridge(t)
  const kustomization = 'configMapGenerator:\n- name: k\n  envs: [e.env]\n'
  await repository.push({
    'drawbridge.yaml': oneApp,
    'app/kustomization.yaml': kustomization,
    'app/e.env': 'HOME\nTMPDIR\nPWD\n',
  })
  const digests = []
  for (let run = 0; run < 2; run++) {
    const {requests} = await bridge.push(repository.url)
    const [entry] = requests[0]?.apps ?? []
    assert.ok(entry?.outcome === 'ready')
    digests.push(entry.app.bundle.digest)
  }
  assert.equal(digests[0], digests[1])
})

test('random values of a chart are told on the commit, and its bundle is published all the same', async (t) => {
  const {bridge, repository} = await startRenderBridge(t)
  await repository.push({
    'drawbridge.yaml': oneApp,
    'app/Chart.yaml': 'apiVersion: v2\nname: c\nversion: 0.1.0\n',
    'app/templates/a.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {key: {{ randAlphaNum 20 }}}\n',
  })
  const {requests, findings} = await bridge.push(repository.url)
  assert.deepEqual(findings, [])
  assert.equal(requests.length, 1)
  const warned = bridge.journal.filter(({event}) => event === 'warned')
  assert.deepEqual(
    warned.map(({app: name, cluster: where, code}) => [name, where, code]),
    [['shop', 'dev', 'NOT_REPRODUCIBLE']],
  )
  assert.match(warned[0]?.message ?? '', /ConfigMap a \/data\/key/)
})

test('a folder with too many names is told of its app and not taken for empty; the other apps go on', async (t) => {
  const {bridge, repository} = await startRenderBridge(t)
  const {url: gitdir} = repository
  const appAt = (path: string): string => app(path, `{source: {path: ${path}}, clusters: [dev]}`)
  const file = await writeObject(gitdir, 'blob', Buffer.from(configMap('a')))
  const names = Array.from({length: 18_500}, (_, index): Entry => ['100644', `${'x'.repeat(200)}${index}.yaml`, file])
  const root = await writeTree(gitdir, [
    [
      '40000',
      'crowded',
      await writeTree(
        gitdir,
        names.toSorted(([, a], [, b]) => (a < b ? -1 : 1)),
      ),
    ],
    [
      '100644',
      'drawbridge.yaml',
      await writeObject(gitdir, 'blob', Buffer.from(`${cluster('dev')}${appAt('crowded')}${appAt('web')}`)),
    ],
    ['40000', 'web', await writeTree(gitdir, [['100644', 'a.yaml', file]])],
  ])
  await git(gitdir, 'update-ref', 'refs/heads/main', await git(gitdir, 'commit-tree', root, '-m', 'x'))
  const {requests, findings} = await bridge.push(gitdir)
  assert.deepEqual(
    findings.map(({app: name, code}) => [name, code]),
    [['crowded', 'INPUT_TOO_LARGE']],
  )
  assert.match(findings[0]?.message ?? '', /folder crowded has \d+ bytes; at most 4194304 are read/)
  const outcomes = requests.flatMap(({apps}) => apps.map((entry) => [entry.outcome, nameOfEntry(entry)]))
  assert.deepEqual(outcomes, [['ready', 'web']])
})
