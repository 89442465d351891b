import assert from 'node:assert/strict'
import {mkdir, mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {after, before, type TestContext, test} from 'node:test'
import {createDiscovery} from '#agent/kube/discovery.ts'
import {createConcurrencyLimit} from '#agent/limit-concurrency.ts'
import {planObjects} from '#agent/plan-objects.ts'
import {diffObjects} from '#cli/diff/diff-objects.ts'
import {printDiff} from '#cli/diff/print-diff.ts'
import {createGitWorkspace, type GitWorkspace} from '#infra/local/git-workspace.ts'
import type {Manifest} from '#shared/model/manifest.ts'
import {startTestCluster, type TestCluster} from '../agent/open-test-cluster.ts'
import {createTestBridge, namespace, types} from '../agent/start-test-agent.ts'
import {type CliResult, runCli} from './run-cli.ts'

let cluster: TestCluster
let folder: string
let fleet: GitWorkspace
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drawbridge-diff-'))
  await mkdir(join(folder, 'empty'))
  fleet = await createGitWorkspace(folder, join(folder, 'empty'))
  cluster = await startTestCluster()
})
after(async () => {
  await cluster.stop()
  await rm(folder, {recursive: true, force: true})
})

interface Field {
  path: string
  from?: unknown
  to?: unknown
  masked?: true
}
interface Change {
  action: string
  ref: {kind: string; name: string}
  stage: number
  fields: Field[]
  reason?: string
}

const appDocument = (name: string, spec = '') =>
  `apiVersion: drawbridge.dev/v1alpha1\nkind: App\nmetadata: {name: ${name}}\nspec:\n  source: {path: ${name}}\n  clusters: [dev]\n  namespace: ${name}\n${spec}`
const clusterDocument = 'apiVersion: drawbridge.dev/v1alpha1\nkind: Cluster\nmetadata: {name: dev}\n'

async function push(app: string, files: Record<string, string>, spec = ''): Promise<void> {
  await fleet.write('drawbridge.yaml', [appDocument(app, spec), clusterDocument].join('---\n'))
  for (const [name, text] of Object.entries(files)) await fleet.write(`${app}/${name}`, text)
  await fleet.push(`Change ${app}`)
}

const diff = (...args: string[]): Promise<CliResult> =>
  runCli(['diff', '--kubeconfig', cluster.kubeconfigFile, '--repo', fleet.clone, ...args])

async function changesOf(...args: string[]): Promise<{status: number; changes: Change[]; stdout: string}> {
  const {status, stdout, stderr} = await diff('-o', 'json', ...args)
  assert.ok(stdout !== '', stderr)
  return {status, stdout, changes: JSON.parse(stdout).apps.flatMap(({changes}: {changes: Change[]}) => changes)}
}
const brief = (changes: Pick<Change, 'action' | 'ref' | 'reason'>[]) =>
  changes.map(({action, ref, reason}) =>
    action === 'refused' ? `refused: ${reason}` : `${action} ${ref.kind} ${ref.name}`,
  )

/** Lets an agent apply what is committed. */
async function applyRendered(t: TestContext, app: string): Promise<void> {
  const {stdout} = await runCli(['render', '--repo', fleet.clone, '--cluster', 'dev', '-o', 'json'])
  const manifests: Manifest[] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  await bridge.publish({[app]: {manifests, namespace: app, createNamespace: true}})
  await agent.waitFor({event: 'applied', app})
  await agent.stop()
}

const config = (data: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: ${data}\n`
const deployment = (replicas: number) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:${replicas}"}]}
`

test('shows creates in their order, then nothing, then each changed field with both values', async (t) => {
  const files = {'config.yaml': config('{a: "1"}'), 'web.yaml': deployment(1)}
  await push('shown', files, '  createNamespace: true\n')
  const first = await changesOf()
  assert.equal(first.status, 1)
  assert.deepEqual(brief(first.changes), [
    'create Namespace shown',
    'create ConfigMap settings',
    'create Deployment web',
  ])
  assert.ok((first.changes[1]?.stage ?? 0) < (first.changes[2]?.stage ?? 0))

  await applyRendered(t, 'shown')
  const same = await diff()
  assert.equal(same.status, 0, same.stdout + same.stderr)
  assert.match(same.stdout, /app shown: 2 unchanged/)

  await push(
    'shown',
    {'config.yaml': config('{a: "2", b: "3"}'), 'web.yaml': deployment(3)},
    '  createNamespace: true\n',
  )
  const {status, changes} = await changesOf('--app', 'shown')
  assert.equal(status, 1)
  assert.deepEqual(brief(changes), ['update ConfigMap settings', 'update Deployment web'])
  assert.deepEqual(changes[0]?.fields, [
    {path: '/data/a', difference: 'changed', from: '1', to: '2'},
    {path: '/data/b', difference: 'missing', to: '3'},
  ])
  assert.deepEqual(changes[1]?.fields, [
    {path: '/spec/replicas', difference: 'changed', from: 1, to: 3},
    {
      path: '/spec/template/spec/containers[name=web]/image',
      difference: 'changed',
      from: 'web:1',
      to: 'web:3',
    },
  ])
  const {stdout} = await diff()
  assert.match(stdout, /~ Deployment\.apps shown\/web\n {6}\/spec\/replicas: 1 → 3\n/)
})

test('writes nothing, and shows no value of a Secret, neither old nor new', async (t) => {
  const secretOf = (password: string): Manifest => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {name: 'key', namespace: 'secrets', annotations: {copy: password}},
    stringData: {password, more: 'sameforever'},
  })
  const limit = createConcurrencyLimit(4)
  const ports = {kube: cluster.admin, discovery: createDiscovery(cluster.admin), limit}
  const shown: string[] = []
  const compare = async (password: string) => {
    const manifests = [namespace('secrets'), secretOf(password)]
    const planned = await planObjects(manifests, {app: 'secrets', namespace: undefined, discovery: ports.discovery})
    const app = {name: 'secrets', sync: {}, planned, ownNamespaces: new Set(['secrets']), declaredBy: () => []}
    const changes = await diffObjects(ports, app)
    const io = {out: (text: string) => void shown.push(text), err: () => undefined, env: {}, cwd: '/', color: false}
    printDiff({...io, signal: t.signal}, [{app: 'secrets', changes}])
    shown.push(JSON.stringify(changes))
    return changes
  }
  assert.deepEqual(brief(await compare('oldpassword')), ['create Namespace secrets', 'create Secret key'])
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  await bridge.publish({secrets: {manifests: [namespace('secrets'), secretOf('oldpassword')]}})
  await agent.waitFor({event: 'applied', app: 'secrets'})
  await agent.stop()
  const [, change] = await compare('newpassword')
  assert.deepEqual(change?.fields, [
    {path: '/data/password', difference: 'changed', masked: true},
    {path: '/metadata/annotations/copy', difference: 'changed', masked: true},
  ])
  assert.match(shown.join(''), /\/data\/password: \*\*\* → \*\*\*/)
  for (const value of ['oldpassword', 'newpassword', 'sameforever'])
    for (const form of [value, Buffer.from(value).toString('base64')])
      assert.ok(!shown.join('').includes(form), `${form} is shown`)
  const live = await cluster.admin.get(types.secret, {namespace: 'secrets', name: 'key'}, 'whole')
  assert.ok(JSON.stringify(live).includes(Buffer.from('oldpassword').toString('base64')))
})

test("lists a prune by the agent's inventory, last, and what stays though no longer declared", async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const kept = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {name: 'kept', namespace: 'pruned', annotations: {'drawbridge.dev/prune': 'disabled'}},
  }
  const settings = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {name: 'settings', namespace: 'pruned'},
    data: {a: '1'},
  }
  const old = {...settings, metadata: {name: 'old', namespace: 'pruned'}}
  await bridge.publish({pruned: {manifests: [namespace('pruned'), settings, old, kept]}})
  await agent.waitFor({event: 'healthy', app: 'pruned'})
  await agent.stop()
  await push('pruned', {
    'namespace.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: {name: pruned}\n',
    'config.yaml': config('{a: "1"}'),
  })
  const {status, changes} = await changesOf('--agent-namespace', bridge.agentNamespace)
  assert.equal(status, 1)
  assert.deepEqual(brief(changes).slice(0, 2), ['unchanged Namespace pruned', 'unchanged ConfigMap settings'])
  assert.deepEqual(brief(changes).slice(2).sort(), ['keep ConfigMap kept', 'prune ConfigMap old'])
  assert.match(changes.find(({action}) => action === 'keep')?.reason ?? '', /drawbridge\.dev\/prune=disabled/)
})

test('heeds phases, waves and hooks, and what annotations ask for single objects', async (t) => {
  const object = (name: string, annotations: Record<string, string>, more: object = {data: {a: '1'}}): Manifest => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {name, namespace: 'ruled', annotations},
    ...more,
  })
  const ruled = (changed: boolean): Manifest[] => [
    namespace('ruled'),
    object('late', {'argocd.argoproj.io/sync-wave': '5'}, {data: {a: changed ? '2' : '1'}}),
    object('hook', {'argocd.argoproj.io/hook': 'PreSync'}),
    object('once', {'kustomize.toolkit.fluxcd.io/ssa': 'IfNotPresent'}, {data: {a: changed ? '2' : '1'}}),
    object('anew', {'kustomize.toolkit.fluxcd.io/force': 'enabled'}, {immutable: true, data: {a: changed ? '2' : '1'}}),
    object('fixed', {}, {immutable: true, data: {a: changed ? '2' : '1'}}),
  ]
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  await bridge.publish({ruled: {manifests: ruled(false)}})
  await agent.waitFor({event: 'healthy', app: 'ruled'})
  await agent.stop()
  const ports = {
    kube: cluster.admin,
    discovery: createDiscovery(cluster.admin),
    limit: createConcurrencyLimit(4),
  }
  const planned = await planObjects(ruled(true), {app: 'ruled', namespace: undefined, discovery: ports.discovery})
  const changes = await diffObjects(ports, {
    name: 'ruled',
    sync: {},
    planned,
    ownNamespaces: new Set(),
    declaredBy: () => [],
  })
  const actions = new Map(changes.map(({action, ref}) => [ref.name, action]))
  assert.deepEqual(Object.fromEntries(actions), {
    ruled: 'unchanged',
    hook: 'hook',
    once: 'unchanged',
    anew: 'recreate',
    fixed: 'refused',
    late: 'update',
  })
  assert.deepEqual([changes.at(-1)?.ref.name, changes.at(-1)?.wave], ['late', 5])
  assert.ok((changes.find(({action}) => action === 'hook')?.stage ?? 9) < (changes.at(-1)?.stage ?? 0))
})

test('says what the API server would refuse, and ends with 2', async () => {
  await push('refused', {
    'config.yaml': config('{a: "1"}'),
    'other.yaml': 'apiVersion: nope.example/v1\nkind: Nope\nmetadata: {name: x}\n',
  })
  const {status, changes} = await changesOf()
  assert.equal(status, 2)
  const reasons = changes.map(({action, reason}) => `${action}: ${reason}`).join('\n')
  assert.match(reasons, /refused: .*namespaces "refused" not found/)
  assert.match(reasons, /refused: .*the cluster serves no Nope in nope\.example\/v1/)
})

test('a kubeconfig, app, cluster or ref that is not there is one clear line and status 2', async () => {
  await push('plain', {'config.yaml': config('{a: "1"}')})
  for (const [args, reason] of [
    [['--kubeconfig', join(folder, 'nope')], /nope: there is no such file/],
    [['--app', 'plan'], /there is no app plan for cluster dev; known are plain/],
    [['--cluster', 'prod'], /there is no cluster prod/],
    [['-o', 'xml'], /-o xml: use json/],
  ] as const) {
    const {status, stdout, stderr} = await diff(...args)
    assert.equal(status, 2, stderr)
    assert.equal(stdout, '')
    assert.match(stderr, reason)
  }
})
