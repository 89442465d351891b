import assert from 'node:assert/strict'
import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {after, before, test} from 'node:test'
import {runCli} from './run-cli.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drawbridge-health-'))
})
after(() => rm(folder, {recursive: true, force: true}))

const pending = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: {name: 'data', namespace: 'web'},
  status: {phase: 'Pending'},
}
const issuer = {
  apiVersion: 'cert-manager.io/v1',
  kind: 'ClusterIssuer',
  metadata: {name: 'acme'},
  status: {conditions: [{type: 'Ready', status: 'False', reason: 'NotYetKnown', message: 'no account'}]},
}
const settings = {apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'settings', namespace: 'web'}}
const asYaml = `---
# a comment
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: web}
status: {phase: Pending}
---
apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata: {name: acme}
status:
  conditions: [{type: Ready, status: "False", reason: NotYetKnown, message: no account}]
---
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: web}
`
const judged = [
  {
    ref: {group: '', kind: 'PersistentVolumeClaim', namespace: 'web', name: 'data'},
    health: 'InProgress',
    reason: 'the claim is not bound (Pending, no storage class)',
  },
  {
    ref: {group: 'cert-manager.io', kind: 'ClusterIssuer', namespace: '', name: 'acme'},
    health: 'Failed',
    reason: 'NotYetKnown: no account',
  },
  {
    ref: {group: '', kind: 'ConfigMap', namespace: 'web', name: 'settings'},
    health: 'Current',
    reason: 'the object is there; it has no status',
  },
]

const inputs: [string, string][] = [
  ['a YAML stream', asYaml],
  ['a List', JSON.stringify({apiVersion: 'v1', kind: 'List', items: [pending, issuer, settings]}, null, 2)],
  [
    'a List in a stream',
    `${JSON.stringify({apiVersion: 'v1', kind: 'PodList', items: [pending, issuer]})}\n---\n${JSON.stringify(settings)}`,
  ],
  ['an array', JSON.stringify([pending, issuer, settings])],
  ['a JSON object on each line', [pending, issuer, settings].map((object) => JSON.stringify(object)).join('\n')],
]
for (const [name, input] of inputs) {
  test(`judges ${name} in its order, from stdin`, async () => {
    const {status, stdout, stderr} = await runCli(['health', '-o', 'json'], {input})
    assert.equal(stderr, '')
    assert.equal(status, 0)
    assert.deepEqual(JSON.parse(stdout), judged)
  })
}

test('prints a table of what is in a file, and exits 0 whatever the health', async () => {
  const file = join(folder, 'live.yaml')
  await writeFile(file, asYaml)
  const {status, stdout} = await runCli(['health', '-f', file])
  assert.equal(status, 0)
  assert.match(stdout, /^OBJECT +HEALTH +REASON\nPersistentVolumeClaim web\/data +InProgress +the claim/)
  assert.equal(stdout.trimEnd().split('\n').length, 4)
})

test('answers an empty List with an empty array', async () => {
  const {status, stdout} = await runCli(['health', '-f', '-', '-o', 'json'], {
    input: '{"apiVersion":"v1","kind":"List","items":[]}',
  })
  assert.equal(status, 0)
  assert.deepEqual(JSON.parse(stdout), [])
})

test('judges without the rules of well-known kinds where it is asked to', async () => {
  const {stdout} = await runCli(['health', '--no-well-known', '-o', 'json'], {input: JSON.stringify(issuer)})
  assert.equal(JSON.parse(stdout)[0].health, 'InProgress')
})

test("tries a rule of the user's own", async () => {
  const file = join(folder, 'rules.yaml')
  await writeFile(
    file,
    '- kinds: [cert-manager.io/*]\n  verdicts:\n    - [Current, "Ready=False(NotYetKnown)", known soon]\n',
  )
  const {stdout} = await runCli(['health', '--rules', file, '-o', 'json'], {input: JSON.stringify(issuer)})
  assert.deepEqual(JSON.parse(stdout)[0], {
    ...judged[1],
    health: 'Current',
    reason: 'known soon: NotYetKnown: no account',
  })
})

const bad: [string, string, RegExp][] = [
  ['nothing', '', /stdin is empty/],
  ['no YAML', 'kind: Secret\ndata: {password: hunter2\nx', /stdin: not valid YAML.*line/],
  ['broken JSON', '{"kind": "Secret", "data": {"password": "hunter2"},,}', /stdin: not valid YAML/],
  ['a text', 'hunter2', /stdin, line 1: not a Kubernetes object but a string/],
  ['an object without a kind', 'apiVersion: v1\ndata: {password: hunter2}', /stdin, line 1: an object without a kind/],
  ['an object without an apiVersion', `${asYaml}---\nkind: Secret\n`, /stdin, line 19: Secret without an apiVersion/],
  [
    'a List with something else in it',
    '{"apiVersion":"v1","kind":"List","items":[7]}',
    /item 1: not a Kubernetes object/,
  ],
]
for (const [name, input, message] of bad) {
  test(`refuses ${name} with one clear error`, async () => {
    const {status, stdout, stderr} = await runCli(['health', '-o', 'json'], {input})
    assert.equal(status, 2)
    assert.equal(stdout, '')
    assert.match(stderr, message)
    assert.equal(stderr.trimEnd().split('\n').length, 1)
    assert.doesNotMatch(stderr, /hunter2/)
  })
}

test('names a file that it cannot read', async () => {
  const {status, stderr} = await runCli(['health', '-f', join(folder, 'nowhere.yaml')])
  assert.equal(status, 2)
  assert.match(stderr, /^drawbridge: cannot read .*nowhere\.yaml: there is no such file\n$/)
})

test('says where a rule is wrong', async () => {
  const file = join(folder, 'wrong.yaml')
  await writeFile(file, '- kinds: [cert-manager.io/Issuer]\n  verdicts: [[Failed, "ready=no"]]\n')
  const {status, stderr} = await runCli(['health', '--rules', file], {input: JSON.stringify(issuer)})
  assert.equal(status, 2)
  assert.match(stderr, /wrong\.yaml.*clause "ready=no"/)
})
