import assert from 'node:assert/strict'
import {execFile} from 'node:child_process'
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {after, before, test} from 'node:test'
import {promisify} from 'node:util'
import {parse, parseAllDocuments, stringify} from 'yaml'
import {completeInstall} from '#infra/agent/complete-install.ts'
import {RESERVED_ENV} from '#infra/agent/install-workload.ts'
import {listInstallObjects} from '#infra/agent/list-install-objects.ts'
import {canonicalJson} from '#shared/bundle/canonical-json.ts'
import {isJsonObject, type Manifest} from '#shared/model/manifest.ts'
import {referenceTools} from '#test/functions/render/reference-renderers.ts'
import {exampleTrustRoot} from './example-trust-root.ts'
import {definitionFile, definitionTemplate} from './write-definition.ts'

const root = join(import.meta.dirname, '..', '..', '..')
const chart = join(root, 'infra', 'agent', 'chart')
const trustRoot = exampleTrustRoot()

const needed = {
  cluster: 'staging',
  region: 'eu-west-1',
  bucket: 'drawbridge-1',
  queueUrl: 'https://sqs.eu-west-1.amazonaws.com/123456789012/staging',
  statusQueueUrl: 'https://sqs.eu-west-1.amazonaws.com/123456789012/status',
  image: `registry.example/drawbridge-agent@sha256:${'0'.repeat(64)}`,
}
const everything = {
  ...needed,
  namespace: 'gitops',
  serviceAccountAnnotations: {'eks.amazonaws.com/role-arn': 'arn:aws:iam::123456789012:role/staging'},
  impersonate: ['drawbridge-deployer', 'web/deployer', 'shop/one', 'web/other'],
  watch: ['secrets', 'certificates.cert-manager.io', '*.example.org'],
  metricsFrom: 'monitoring',
  apiServerPort: 443,
  credentialsSecret: 'aws',
  env: {LOG_LEVEL: 'debug', AWS_ENDPOINT_URL_S3: 'http://s3.example', POLL_INTERVAL_SECONDS: '5'},
}

let folder: string
let helm: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drawbridge-chart-'))
  helm = (await referenceTools()).helm
  await writeFile(join(folder, 'trust-root.json'), trustRoot)
})
after(() => rm(folder, {recursive: true, force: true}))

/** The same installation as values of the chart. */
function valuesOf({
  namespace: _namespace,
  serviceAccountAnnotations,
  impersonate,
  watch,
  metricsFrom,
  apiServerPort,
  ...same
}: Partial<typeof everything>): object {
  return {
    ...same,
    createNamespace: true,
    ...(serviceAccountAnnotations && {serviceAccount: {annotations: serviceAccountAnnotations}}),
    tenant: {...(impersonate && {impersonate}), ...(watch && {watch})},
    networkPolicy: {...(metricsFrom && {metricsFrom}), ...(apiServerPort && {apiServerPort})},
  }
}

async function renderChart(values: object, namespace: string): Promise<string> {
  const file = join(folder, `${namespace}-${Math.random()}.yaml`)
  await writeFile(file, stringify(values))
  const trust = `trustRoot=${join(folder, 'trust-root.json')}`
  const args = ['template', 'agent', chart, '--namespace', namespace, '--values', file, '--set-file', trust]
  const {stdout} = await promisify(execFile)(helm, args, {env: {HOME: folder}, timeout: 60_000})
  return stdout
}

/** What helm alone reads: that it leaves the object behind. */
const KEPT = ['helm.sh/resource-policy', 'keep']

/** An object without the word to helm to keep it, and whether it had one. */
function withoutKept(object: Manifest): {kept: boolean; object: Manifest} {
  const {annotations} = object.metadata
  if (!isJsonObject(annotations) || annotations[KEPT[0] ?? ''] !== KEPT[1]) return {kept: false, object}
  const rest = Object.fromEntries(Object.entries(annotations).filter(([name]) => name !== KEPT[0]))
  return {kept: true, object: {...object, metadata: {...object.metadata, annotations: rest}}}
}

const sorted = (objects: readonly unknown[]): string[] => objects.map(canonicalJson).sort()

for (const profile of ['platform', 'tenant'] as const) {
  for (const [name, given] of Object.entries({'what is needed': needed, everything})) {
    test(`the chart makes the same objects as the command: ${profile}, with ${name}`, async () => {
      const namespace = 'namespace' in given ? given.namespace : 'drawbridge-system'
      const rendered = parseAllDocuments(await renderChart({...valuesOf(given), profile}, namespace))
      const {install, missing} = completeInstall({...given, profile, trustRoot})
      assert.deepEqual(missing, [])
      const objects = listInstallObjects(install).map(({object}) => object)
      const templates = rendered.map((document) => document.toJS()).filter((object) => object !== null)
      const made = templates.map(withoutKept)
      assert.deepEqual(sorted(made.map(({object}) => object)), sorted(objects))
      // App objects carry what was asked for by hand: their definition, and it alone, outlives the release.
      assert.deepEqual(
        made.filter(({kept}) => kept).map(({object}) => object.kind),
        ['CustomResourceDefinition'],
      )
    })
  }
}

test('the chart says which value is missing, and which one it does not know', async () => {
  await assert.rejects(renderChart({...needed, bucket: ''}, 'drawbridge-system'), /bucket: name the bridge's bucket/)
  await assert.rejects(renderChart({...needed, buckets: 'x'}, 'drawbridge-system'), /buckets/)
  await assert.rejects(renderChart({...needed, profile: 'root'}, 'drawbridge-system'), /profile/)
  await assert.rejects(renderChart({...needed, env: {BUCKET: 'x'}}, 'drawbridge-system'), /BUCKET/)
  const {properties} = JSON.parse(await readFile(join(chart, 'values.schema.json'), 'utf8'))
  assert.deepEqual(properties.env.propertyNames.not.enum, [...RESERVED_ENV])
})

test("the chart's definition of App objects is the one that the agent knows", async () => {
  const present = await readFile(definitionFile, 'utf8')
  assert.equal(present, definitionTemplate(), 'run: node test/infra/agent/write-definition.ts')
})

test('helm finds nothing to complain of in the chart', async () => {
  const sets = Object.entries(needed).map(([name, value]) => `${name}=${value}`)
  const args = [
    'lint',
    chart,
    '--strict',
    '--set',
    sets.join(','),
    '--set-file',
    `trustRoot=${join(folder, 'trust-root.json')}`,
  ]
  await promisify(execFile)(helm, args, {env: {HOME: folder}, timeout: 60_000})
})

test('the chart carries the version of the project', async () => {
  const {version} = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  const {version: chartVersion, appVersion} = parse(await readFile(join(chart, 'Chart.yaml'), 'utf8'))
  assert.deepEqual([chartVersion, appVersion], [version, version])
})
