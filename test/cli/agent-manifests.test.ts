import assert from 'node:assert/strict'
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {after, before, test} from 'node:test'
import {parseAllDocuments} from 'yaml'
import {loadAgentEnvironment} from '#agent/config.ts'
import {childObject, isJsonObject, type JsonObject, type Manifest} from '#shared/model/manifest.ts'
import {exampleTrustRoot} from '../infra/agent/example-trust-root.ts'
import {runCli} from './run-cli.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drawbridge-manifests-'))
  await writeFile(join(folder, 'trust-root.json'), exampleTrustRoot())
})
after(() => rm(folder, {recursive: true, force: true}))

/** What stands in for the values of docs/agent.md. */
const values: Readonly<Record<string, string>> = {
  Cluster: 'staging',
  Region: 'eu-west-1',
  Bucket: 'drawbridge-1',
  QueueUrl: 'https://sqs.eu-west-1.amazonaws.com/123456789012/staging',
  StatusQueueUrl: 'https://sqs.eu-west-1.amazonaws.com/123456789012/status',
  Image: `registry.example/drawbridge-agent@sha256:${'0'.repeat(64)}`,
}

const manifests = (...flags: string[]) => runCli(['agent', 'manifests', ...flags], {cwd: folder})

/** Reads YAML as kubectl does, in which more words are booleans. */
function objectsOf(yaml: string): Manifest[] {
  return parseAllDocuments(yaml, {version: '1.1'}).map((document) => {
    assert.deepEqual(document.errors, [])
    return document.toJS()
  })
}

const rulesOf = (objects: Manifest[]): JsonObject[] =>
  objects.flatMap(({rules}) => (Array.isArray(rules) ? rules.filter(isJsonObject) : []))

function environmentOf(objects: Manifest[]): Record<string, string> {
  const deployment = objects.find(({kind}) => kind === 'Deployment')
  const pod = childObject(childObject(childObject(deployment, 'spec'), 'template'), 'spec')
  const [container] = Array.isArray(pod?.containers) ? pod.containers : []
  const env = isJsonObject(container) && Array.isArray(container.env) ? container.env : []
  return Object.fromEntries(env.filter(isJsonObject).map(({name, value}) => [String(name), String(value)]))
}

for (const profile of ['platform', 'tenant']) {
  test(`prints all of profile ${profile} without being told anything, and says what is missing`, async () => {
    const {status, stdout, stderr} = await manifests('--profile', profile)
    assert.equal(status, 0)
    const objects = objectsOf(stdout)
    const kinds = new Set(objects.map(({kind}) => kind))
    const wanted =
      'Namespace CustomResourceDefinition ServiceAccount Role RoleBinding ClusterRoleBinding ConfigMap Lease Deployment PodDisruptionBudget NetworkPolicy'
    for (const kind of wanted.split(' ')) assert.ok(kinds.has(kind), kind)
    for (const flag of ['cluster', 'region', 'bucket', 'queue-url', 'status-queue-url', 'trust-root', 'image']) {
      assert.match(stderr, new RegExp(`--${flag}\\b`))
    }
    assert.match(stdout, /REPLACE-WITH-BUCKET/)
    // An agent that is installed as it stands refuses to start.
    assert.throws(() => loadAgentEnvironment({...environmentOf(objects), KUBERNETES_SERVICE_HOST: '10.0.0.1'}), {
      code: 'INVALID_ENVIRONMENT',
      message: /CLUSTER_NAME: .*\n.*QUEUE_URL: /,
    })
    assert.equal((await manifests('--profile', profile)).stdout, stdout)
  })
}

test('says loudly that the profile platform may do anything', async () => {
  const {stdout, stderr} = await manifests()
  assert.match(stdout, /# PROFILE platform: THE AGENT MAY DO ANYTHING IN THIS CLUSTER/)
  assert.match(stderr, /ANYTHING in the cluster \(cluster-admin\)/)
  const binding = objectsOf(stdout).find(({kind}) => kind === 'ClusterRoleBinding')
  assert.equal(childObject(binding, 'roleRef')?.name, 'cluster-admin')
})

test('the profile tenant grants no wildcard, no Secret and no write outside its namespace', async () => {
  const objects = objectsOf((await manifests('--profile', 'tenant')).stdout)
  assert.ok(!JSON.stringify(objects).includes('cluster-admin'))
  for (const rule of rulesOf(objects)) {
    const text = JSON.stringify(rule)
    assert.ok(!text.includes('"*"') && !text.includes('"secrets"'), text)
  }
  const outside = rulesOf(objects.filter(({kind}) => kind === 'ClusterRole'))
  assert.ok(outside.length > 3)
  assert.deepEqual(
    outside
      .filter(({verbs}) => String(verbs) !== 'get,list,watch')
      .map(({verbs, resources, resourceNames}) => [verbs, resources, resourceNames]),
    [
      [['list'], ['events'], undefined],
      [['get'], ['customresourcedefinitions'], ['apps.drawbridge.dev']],
      [['impersonate'], ['serviceaccounts'], ['drawbridge-deployer']],
    ],
  )
})

test('gives the reason of every rule', async () => {
  const {stdout} = await manifests('--profile', 'tenant', '--impersonate', 'web/one', 'two', '--watch', 'secrets')
  const rules = rulesOf(objectsOf(stdout)).length
  assert.equal([...stdout.matchAll(/^ {2}# .+\n {2}- apiGroups:$/gm)].length, rules)
})

test('grants impersonation in a namespace, or of a name anywhere, as it is told', async () => {
  const flags = ['--profile', 'tenant', '--impersonate', 'web/one', 'two', 'web/three']
  const granted = objectsOf((await manifests(...flags)).stdout).flatMap((object) =>
    rulesOf([object])
      .filter(({verbs}) => String(verbs) === 'impersonate')
      .map(({resourceNames}) => [object.kind, object.metadata.namespace, resourceNames]),
  )
  assert.deepEqual(granted, [
    ['ClusterRole', undefined, ['two']],
    ['Role', 'web', ['one', 'three']],
  ])
})

test('lets nothing in but metrics, and those from one namespace where it is told', async () => {
  const specOf = async (...flags: string[]) =>
    objectsOf((await manifests(...flags)).stdout).find(({kind}) => kind === 'NetworkPolicy')?.spec
  const inward = (from: object) => [{from: [{namespaceSelector: from}], ports: [{protocol: 'TCP', port: 8080}]}]
  const every = await specOf()
  assert.ok(isJsonObject(every))
  assert.deepEqual(every.policyTypes, ['Ingress', 'Egress'])
  assert.deepEqual(every.ingress, inward({}))
  const one = await specOf('--metrics-from', 'monitoring')
  assert.ok(isJsonObject(one))
  assert.deepEqual(one.ingress, inward({matchLabels: {'kubernetes.io/metadata.name': 'monitoring'}}))
})

test('keeps values that YAML would take for something else', async () => {
  const env = {LOG_LEVEL: 'yes', A: '0x10', B: 'no', C: '1_000', D: 'a: b # c', E: '', F: '12:30:45', G: 'x=y'}
  const pairs = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const found = environmentOf(objectsOf((await manifests('--env', ...pairs)).stdout))
  for (const [name, value] of Object.entries(env)) assert.equal(found[name], value, name)
})

test('with --complete prints nothing where a value is missing', async () => {
  const {status, stdout, stderr} = await manifests('--complete', '--bucket', 'drawbridge-1')
  assert.deepEqual([status, stdout], [2, ''])
  assert.match(stderr, /missing: --cluster, --region, --queue-url, --status-queue-url, --trust-root, --image;/)
})

test('tells everything that is wrong at once', async () => {
  await writeFile(join(folder, 'no-root.json'), '{}')
  const flags =
    '--profile root --cluster A_B --queue-url queue --trust-root no-root.json --impersonate a/b/c --watch * --env BUCKET=x'
  const {status, stdout, stderr} = await manifests(...flags.split(' '))
  assert.deepEqual([status, stdout], [2, ''])
  const wrong = [
    '--profile',
    '--cluster',
    '--queue-url',
    '--trust-root',
    '--impersonate 0',
    '--watch 0',
    '--env BUCKET',
  ]
  for (const flag of wrong) assert.match(stderr, new RegExp(`^ {2}${flag}: `, 'm'))
  assert.match((await manifests('--trust-root', 'absent.json')).stderr, /--trust-root: cannot read absent\.json/)
  assert.match((await manifests('--env', 'A')).stderr, /--env A: write it as KEY=VALUE/)
})

test('the commands of docs/agent.md print whole installations', async () => {
  const text = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'agent.md'), 'utf8')
  const commands = [...text.matchAll(/^ {4}npx drawbridge (agent manifests .*) > agent\.yaml$/gm)]
  assert.equal(commands.length, 2)
  for (const [, command = ''] of commands) {
    const words = command
      .split(' ')
      .map((word) => word.replace(/^<(\w+)>$/, (_, name) => values[name] ?? `no value of ${name}`))
    const {status, stdout, stderr} = await runCli(words, {cwd: folder})
    assert.equal(status, 0, stderr)
    const environment = loadAgentEnvironment({...environmentOf(objectsOf(stdout)), KUBERNETES_SERVICE_HOST: '10.0.0.1'})
    assert.deepEqual(
      [environment.config.cluster, environment.bucket, environment.queueUrl, environment.statusQueueUrl],
      [values.Cluster, values.Bucket, values.QueueUrl, values.StatusQueueUrl],
    )
  }
})
